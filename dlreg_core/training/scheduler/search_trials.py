"""The trials of a search as networks of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dlreg_core.networks import family
from dlreg_core.search import Searcher
from dlreg_core.specs import FinishedFit, TrainPlan
from dlreg_core.training.planning.allocation import Capacity, Proposal
from dlreg_core.training.planning.fit_speed import Speed


@dataclass(frozen=True)
class Trial:
    """A network to train with values that a search asks for."""

    proposal: Proposal
    values: dict[str, Any]
    number: int


class Trials:
    """Turns what a search asks for into networks, each trained as long as the searched family's first one.

    Parameters
    ----------
    plan : TrainPlan
        With the search, where there is one.
    done : sequence of FinishedFit
        The networks of the run, of which more are added meanwhile.
    failed : sequence of dict
        What an earlier task of the run tried without getting a network.

    Attributes
    ----------
    failed : list of dict
        All values of trials that gave no network.
    """

    def __init__(self, plan: TrainPlan, done: Sequence[FinishedFit], failed: Sequence[dict[str, Any]] = ()) -> None:
        self._search = plan.search
        self._done = done
        self._searcher = None
        self.failed: list[dict[str, Any]] = []
        if plan.search is not None:
            self._searcher = Searcher(plan.search, plan.settings.get(plan.search.family, {}))
            for fit in done:
                if fit.fit.trial is not None:
                    self._searcher.tell(fit.fit.chosen, fit.validation)
            for values in failed:
                self.tell(values, None)

    def share(self, key: str, given: float, speed: Speed, capacity: Capacity) -> float:
        """Return what the first network of a family gets: where it is searched, the trials want as much each."""
        if self._search is None or key != self._search.family:
            return given
        each = capacity.seconds / (self._search.trials + 1)
        return max(speed.least(family(key)), min(given, each))

    def next(self, speeds: Mapping[str, Speed], longest: float) -> Trial | None:
        """Return the next trial; None where there is none, or the time left doesn't hold one."""
        if self._search is None or self._searcher is None:
            return None
        key = self._search.family
        first = next((done for done in self._done if done.fit.family == key), None)
        if first is None or key not in speeds:
            return None
        seconds = speeds[key].of(first.fit.rows).seconds(first.fit.epochs, family(key).sizes[first.size].cost)
        values = self._searcher.ask() if seconds <= longest else None
        if values is None:
            return None
        epochs = values.get("epochs", first.fit.epochs)
        proposal = Proposal(key, first.size, epochs, first.fit.seed, seconds, rows=first.fit.rows)
        return Trial(proposal, values, self._searcher.trials)

    def tell(self, values: Mapping[str, Any], validation: float | None) -> None:
        """Say what a trial gave; None where it failed."""
        if self._searcher is not None:
            self._searcher.tell(values, validation)
            if validation is None:
                self.failed.append(dict(values))

    def best(self, key: str) -> dict[str, Any] | None:
        """Return the values of the best trial of a family; None where it had none."""
        trials = [done for done in self._done if done.fit.family == key and done.fit.trial is not None]
        return min(trials, key=lambda done: done.validation).fit.chosen if trials else None
