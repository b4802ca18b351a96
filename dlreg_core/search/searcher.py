"""Searching settings: which values the next network of a search is trained with, from what the earlier ones gave."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping
from typing import Any

from dlreg_core.networks import family
from dlreg_core.search.samplers import method_of
from dlreg_core.search.search_ranges import checked_search, trial_settings
from dlreg_core.specs import Search

_MOST_REPEATS = 1_000
"""So many draws in a row that were tried before mean that there is nothing else to draw."""


class Searcher:
    """Says which settings to try next, and hears what came of them.

    The same search, told the same results in the same order, asks for the same trials. No trial is asked for twice.
    Several may be asked for before the first of them is told.

    Parameters
    ----------
    search : Search
        What is searched, where and how often.
    fixed : mapping of str to object, optional
        Settings of the family that were chosen for all its networks, by name.

    Raises
    ------
    PlanError
        If the search can't be carried out: see `checked_search`.
    """

    def __init__(self, search: Search, fixed: Mapping[str, Any] | None = None) -> None:
        self.search = checked_search(search, fixed)
        self._fixed = {name: value for name, value in (fixed or {}).items() if value is not None}
        self._known = {name: family(self.search.family).setting(name) for name in self.search.ranges}
        self._method = method_of(self.search, self._known)
        self._tried: set[str] = set()

    @property
    def trials(self) -> int:
        """How many trials there were, those included that were told without having been asked for."""
        return len(self._tried)

    def ask(self) -> dict[str, Any] | None:
        """Return the settings of the next trial, those that are fixed included; None where there is nothing to try.

        The values are those that `checked_settings` returns; settings that have no effect beside them are left out.
        """
        if self.trials >= self.search.trials:
            return None
        for tried in itertools.islice(self._method.draws(), _MOST_REPEATS):
            values = trial_settings(self.search.family, self._fixed, tried)
            if self._note(values):
                self._method.take(_key(values))
                return values
            self._method.refuse(_key(values))
        return None

    def tell(self, values: Mapping[str, Any], validation_rmse: float | None) -> None:
        """Say what a trial gave.

        Parameters
        ----------
        values : mapping of str to object
            What `ask` returned. Trials of an earlier task may be told before anything is asked: they are then not
            tried again, and count as trials of this search.
        validation_rmse : float or None
            RMSE on the validation rows; None, or a number that isn't finite, where the training failed.
        """
        self._note(values)
        tried = {name: value for name, value in values.items() if name in self._known}
        good = validation_rmse is not None and math.isfinite(validation_rmse)
        self._method.hear(_key(values), tried, validation_rmse if good else None)

    def _note(self, values: Mapping[str, Any]) -> bool:
        """Note a trial; False where there was one with these values."""
        key = _key(values)
        new = key not in self._tried
        self._tried.add(key)
        return new


def _key(values: Mapping[str, Any]) -> str:
    return json.dumps(dict(values), sort_keys=True)
