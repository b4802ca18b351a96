"""A quick model's errors on rows that it has not learned from, for any division of the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats, Integers
from dlreg_core.cleaning import coerce_column
from dlreg_core.specs import ColumnType

ITERATIONS, _RATE, _LEAVES, _BINS = 40, 0.2, 8, 64
_MOST_FEATURES = 40
_SHRINK, _PARTS = 5.0, 4
"""The mean of a level is drawn towards that of all rows as if so many rows had it."""
_LEVELLED = (ColumnType.CATEGORY, ColumnType.BOOLEAN, ColumnType.TEXT)


@dataclass(frozen=True)
class Fold:
    """Rows to learn from, and rows to judge by, as positions."""

    train: Integers
    test: Integers


class QuickTable:
    """Rows as numbers, made once, for many quick models.

    Parameters
    ----------
    frame : pandas.DataFrame
        Raw features.
    target : ndarray of float64, shape (rows,)
        What is predicted.
    types : mapping of str to ColumnType
        The type of every column.
    day_first : mapping of str to bool, optional
        How the dates of a column are written.

    Notes
    -----
    Boosted trees on the squared error (scikit-learn's ``HistGradientBoostingRegressor``): 40 of them, small, on one
    thread, since several wait for each other for seconds where others work too. Levels are replaced by the mean of
    their training targets, each row's without its own (Micci-Barreca 2001): so a model can know groups by heart that
    stand in few rows. Long texts are left out, and of more than 40 columns those that go least with the target.
    """

    def __init__(
        self,
        frame: pd.DataFrame,
        target: Floats,
        types: Mapping[str, ColumnType],
        day_first: Mapping[str, bool | None] | None = None,
    ) -> None:
        self.target = target
        self._numbers: dict[str, list[Floats]] = {}
        self._levels: dict[str, Integers] = {}
        for name, kind in types.items():
            self._read(name, frame[name], kind, (day_first or {}).get(name))
        self._limit()

    def __len__(self) -> int:
        return len(self.target)

    def errors(self, folds: Iterable[Fold], shuffled: tuple[str, int] | None = None, trees: int = ITERATIONS) -> Floats:
        """Return the absolute error of each row where a fold judges by it, on average over those; NaN where none does.

        Parameters
        ----------
        folds : iterable of Fold
            A model each.
        shuffled : tuple of (str, int), optional
            A column of numbers whose values are given to each other at random, so that they name and measure nothing,
            and the seed by which they are.
        trees : int
            How many each model has.
        """
        from threadpoolctl import threadpool_limits

        total, count = np.zeros(len(self)), np.zeros(len(self))
        with threadpool_limits(1):
            for number, fold in enumerate(folds):
                total[fold.test] += self._fold_errors(fold, number, shuffled, trees)
                count[fold.test] += 1
        found: Floats = np.divide(total, count, where=count > 0, out=np.full(len(self), np.nan))
        return found

    def _fold_errors(self, fold: Fold, seed: int, shuffled: tuple[str, int] | None, trees: int) -> Floats:
        from sklearn.ensemble import HistGradientBoostingRegressor

        columns = [
            (_relabelled(values, shuffled[1]) if shuffled is not None and name == shuffled[0] else values)
            for name, all_ in self._numbers.items()
            for values in all_
        ]
        inputs = np.column_stack(columns) if columns else np.zeros((len(self), 1))
        target = self.target[fold.train]
        coded = [_means(codes, fold, target, seed) for codes in self._levels.values()]
        train = np.column_stack([inputs[fold.train], *(one[0] for one in coded)])
        test = np.column_stack([inputs[fold.test], *(one[1] for one in coded)])
        model = HistGradientBoostingRegressor(
            max_iter=trees,
            learning_rate=_RATE,
            max_leaf_nodes=_LEAVES,
            max_bins=_BINS,
            min_samples_leaf=min(20, max(5, len(target) // 20)),
            early_stopping=False,
            random_state=0,
        )
        found: Floats = np.abs(model.fit(train, target).predict(test) - self.target[fold.test])
        return found

    def _read(self, name: str, values: pd.Series, kind: ColumnType, day_first: bool | None) -> None:
        if kind in _LEVELLED or (kind is ColumnType.IDENTIFIER and not pd.api.types.is_numeric_dtype(values)):
            codes = pd.factorize(values)[0].astype(np.int64)
            # A text that is another in nearly every row names nothing.
            if len(np.unique(codes)) <= len(codes) / 2:
                self._levels[name] = codes
        elif kind is ColumnType.DATETIME:
            dates = coerce_column(values, kind, day_first)
            days = dates.to_numpy().astype("datetime64[s]").astype(np.float64) / 86_400
            parts = [np.where(dates.isna(), np.nan, days)]
            parts += [p.to_numpy(dtype=np.float64) for p in (dates.dt.month, dates.dt.dayofweek, dates.dt.hour)]
            self._numbers[name] = [part for part in parts if np.isfinite(part).any() and np.ptp(_known(part)) > 0]
        elif kind is not ColumnType.CONSTANT:
            numbers = coerce_column(values, ColumnType.NUMBER).to_numpy(dtype=np.float64)
            self._numbers[name] = [np.where(np.isfinite(numbers), numbers, np.nan)]

    def _limit(self) -> None:
        names = [*self._numbers, *self._levels]
        if len(names) <= _MOST_FEATURES:
            return
        strength = {
            name: max((_strength(one, self.target) for one in parts), default=0.0)
            for name, parts in self._numbers.items()
        }
        for name, codes in self._levels.items():
            everything = np.arange(len(self))
            strength[name] = _strength(_means(codes, Fold(everything, everything[:0]), self.target, 0)[0], self.target)
        kept = set(sorted(names, key=lambda name: -strength[name])[:_MOST_FEATURES])
        self._numbers = {name: parts for name, parts in self._numbers.items() if name in kept}
        self._levels = {name: codes for name, codes in self._levels.items() if name in kept}


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _strength(values: Floats, target: Floats) -> float:
    known = np.isfinite(values)
    if known.sum() < 3 or np.ptp(values[known]) == 0:
        return 0.0
    ranks = pd.Series(values[known]).rank().to_numpy()
    return abs(float(np.corrcoef(ranks, pd.Series(target[known]).rank().to_numpy())[0, 1]))


def _relabelled(values: Floats, seed: int) -> Floats:
    """Give the values to each other at random: rows that share one still do."""
    known = np.isfinite(values)
    levels, places = np.unique(values[known], return_inverse=True)
    found = np.full(len(values), np.nan)
    found[known] = np.random.default_rng([seed, 7]).permutation(levels)[places]
    return found


def _means(codes: Integers, fold: Fold, target: Floats, seed: int) -> tuple[Floats, Floats]:
    """Return the mean target of each row's level: of training rows from the others of them, of the rest from all."""
    size = int(codes.max(initial=0)) + 2
    # A missing value is a level too.
    own, asked = codes[fold.train] + 1, codes[fold.test] + 1
    overall = float(target.mean())
    sums = np.bincount(own, target, size).astype(np.float64)
    counts = np.bincount(own, minlength=size).astype(np.float64)
    judged = np.where(counts[asked] > 0, _shrunk(sums, counts, overall)[asked], overall)
    part = np.random.default_rng([seed, 8]).integers(0, _PARTS, len(own))
    known = np.empty(len(own))
    for number in range(_PARTS):
        inside = part == number
        less = sums - np.bincount(own[inside], target[inside], size).astype(np.float64)
        fewer = counts - np.bincount(own[inside], minlength=size).astype(np.float64)
        known[inside] = _shrunk(less, fewer, overall)[own[inside]]
    return known, judged


def _shrunk(sums: Floats, counts: Floats, overall: float) -> Floats:
    return (sums + _SHRINK * overall) / (counts + _SHRINK)
