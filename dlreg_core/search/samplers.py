"""The ways to search: at random, on a grid, and by what earlier trials gave."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np

from dlreg_core.networks import Setting
from dlreg_core.search.search_ranges import grid_values, number_at, tidy
from dlreg_core.specs import NumberRange, Search, SearchRange

_MOST_REPEATS = 20
"""So often in a row an estimate may end at an earlier trial before a draw is made at random."""


def method_of(search: Search, known: Mapping[str, Setting]) -> Method:
    """Return the way in which a checked search looks; `known` are its settings by name."""
    if search.method == "random":
        return _Random(search, known)
    return _Grid(search, known) if search.method == "grid" else _Bayes(search, known)


class Method(Protocol):
    """One way to search; a draw is judged by `take` or `refuse` before the next one is made."""

    def draws(self) -> Iterator[dict[str, Any]]:
        """Yield values of all searched settings, until there are no more."""

    def take(self, key: str) -> None:
        """Hear that the last draw becomes the trial `key`."""

    def refuse(self, key: str) -> None:
        """Hear that the last draw is the same trial as an earlier one."""

    def hear(self, key: str, tried: dict[str, Any], rmse: float | None) -> None:
        """Hear what a trial gave, None where it failed."""


class _Blind:
    """What the two searches share that learn nothing from their trials."""

    def take(self, key: str) -> None:
        """Do nothing."""

    def refuse(self, key: str) -> None:
        """Do nothing."""

    def hear(self, key: str, tried: dict[str, Any], rmse: float | None) -> None:
        """Do nothing."""


class _Random(_Blind):
    """Draws each setting by itself (Bergstra & Bengio 2012, *Random Search for Hyper-Parameter Optimization*)."""

    def __init__(self, search: Search, known: Mapping[str, Setting]) -> None:
        self._ranges, self._known = search.ranges, known
        self._rng = np.random.default_rng(search.seed)

    def draws(self) -> Iterator[dict[str, Any]]:
        """Yield draws without end."""
        while True:
            yield {name: self._drawn(self._known[name], range_) for name, range_ in self._ranges.items()}

    def _drawn(self, known: Setting, range_: SearchRange) -> Any:
        share = float(self._rng.uniform())
        if isinstance(range_, tuple):
            return range_[int(share * len(range_))]
        if known.kind != "int":
            return number_at(known, range_, share)
        # Half a step wider, so that the first and the last whole number are drawn as often as the others.
        wider = range_.model_copy(update={"low": range_.low - 0.5, "high": range_.high + 0.5})
        return min(int(range_.high), max(int(range_.low), int(number_at(known, wider, share))))


class _Grid(_Blind):
    """Tries all combinations, in an order that has seen something of everywhere if the time ends before the grid."""

    def __init__(self, search: Search, known: Mapping[str, Setting]) -> None:
        values = [grid_values(known[name], range_) for name, range_ in search.ranges.items()]
        combinations = [dict(zip(search.ranges, chosen, strict=True)) for chosen in itertools.product(*values)]
        order = np.random.default_rng(search.seed).permutation(len(combinations))
        self._left = iter([combinations[place] for place in order])

    def draws(self) -> Iterator[dict[str, Any]]:
        """Yield what is left of the grid."""
        return self._left


class _Bayes:
    """Draws where good trials were frequent and bad ones rare.

    A tree-structured Parzen estimator (Bergstra et al. 2011, *Algorithms for Hyper-Parameter Optimization*), as Optuna
    has it. Trials that failed count as the worst, since Optuna would forget them and could ask for their like again.
    """

    def __init__(self, search: Search, known: Mapping[str, Setting]) -> None:
        # It takes a moment to import, and the other searches do without it.
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self._optuna = optuna
        self._ranges, self._known = search.ranges, known
        self._listed = {
            name: sorted(range_) if known[name].kind in ("int", "float") else list(range_)
            for name, range_ in search.ranges.items()
            if isinstance(range_, tuple)
        }
        self._space = {name: self._distribution(name, range_) for name, range_ in search.ranges.items()}
        first = min(10, max(3, search.trials // 4))
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=search.seed, n_startup_trials=first))
        self._otherwise = _Random(search, known)
        self._asked: dict[str, Any] = {}
        self._results: dict[str, float | None] = {}
        self._last: Any = None

    def draws(self) -> Iterator[dict[str, Any]]:
        """Yield what looks best now; after some repeats of earlier trials, anything at random."""
        for _ in range(_MOST_REPEATS):
            self._last = self._study.ask(self._space)
            yield {name: self._value(name, inside) for name, inside in self._last.params.items()}
        self._last = None
        yield from self._otherwise.draws()

    def take(self, key: str) -> None:
        """Remember which of Optuna's trials it is."""
        if self._last is not None:
            self._asked[key] = self._last

    def refuse(self, key: str) -> None:
        """Tell what is known of it again, so that Optuna looks elsewhere."""
        if self._last is None:
            return
        if key in self._results:
            self._finish(self._last, self._results[key])
        else:
            # It is being trained: nothing is known of it yet, and Optuna forgets what fails.
            self._study.tell(self._last, state=self._optuna.trial.TrialState.FAIL)

    def hear(self, key: str, tried: dict[str, Any], rmse: float | None) -> None:
        """Tell Optuna, also of trials that it hasn't asked for."""
        self._results[key] = rmse
        trial = self._asked.pop(key, None)
        if trial is not None:
            self._finish(trial, rmse)
            return
        self._study.add_trial(
            self._optuna.trial.create_trial(
                state=self._state(rmse),
                value=rmse,
                params={name: self._inside(name, value) for name, value in tried.items()},
                distributions={name: self._space[name] for name in tried},
            )
        )

    def _finish(self, trial: Any, rmse: float | None) -> None:
        self._study.tell(trial, rmse, state=self._state(rmse))

    def _state(self, rmse: float | None) -> Any:
        states = self._optuna.trial.TrialState
        return states.PRUNED if rmse is None else states.COMPLETE

    def _value(self, name: str, inside: Any) -> Any:
        """Return the value of a setting for what Optuna calls it."""
        range_ = self._ranges[name]
        if isinstance(range_, NumberRange):
            return tidy(self._known[name], range_, inside)
        return self._listed[name][inside]

    def _inside(self, name: str, value: Any) -> Any:
        return self._listed[name].index(value) if name in self._listed else value

    def _distribution(self, name: str, range_: SearchRange) -> Any:
        kinds = self._optuna.distributions
        if isinstance(range_, NumberRange):
            if self._known[name].kind == "int":
                return kinds.IntDistribution(int(range_.low), int(range_.high), log=range_.log)
            return kinds.FloatDistribution(range_.low, range_.high, log=range_.log)
        last = len(self._listed[name]) - 1
        # Numbers have neighbours, words have none.
        if self._known[name].kind in ("int", "float"):
            return kinds.IntDistribution(0, last)
        return kinds.CategoricalDistribution(tuple(range(last + 1)))
