"""By how much a random split flatters: the same quick model, judged on the same rows, with and without their kin.

Whether rows depend on each other can't be read off the names of columns. It is measured, for each column that repeats
and each that orders the rows, and what is told is what was measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import t as student

from dlreg_core.array_types import Floats, Integers
from dlreg_core.checks.dependence import Candidate, candidates, days_or_numbers
from dlreg_core.checks.probe_folds import ITERATIONS, Fold, QuickTable
from dlreg_core.cleaning import coerce_column, repaired
from dlreg_core.specs import ROW_ORDER, ColumnType, Dataset, Interval, Recipe
from dlreg_core.splitting import feature_types, usable_rows

MOST_ROWS = 2_000
FEWEST_ROWS = 80
_SCREENED_ROWS = 600
_SCREENING_TREES = 20
_MOST_LOOKED_AT = 16
_MEASURED = 4
"""Columns that are measured in full, of those that seem to matter most."""
_LEVEL = 0.95
_CLEAR = 1.1
"""By so much the error must be larger, beyond doubt, before a random split is called flattering."""
_NARROW = 1.25
"""Where it could be larger by more than this, nothing was found but nothing can be told."""
_SWAPS = 5
"""How often numbers are given to each other at random: once may happen to keep their order, or to spoil it."""
_MEASURING = 1.4
"""Numbers measure something where new ones are harder to predict by more than this when they are swapped. Of twelve
tables with 25 wells in no order it was 0.77 to 1.36, of five with an effect that rises with the number 3.3 to 3.8, and
1.85 for the age of concrete."""
_FOLDS = 5
_SHARE = 0.75
"""Part of the rows that each model by groups learns from; by time half of them, since the others come later."""
_WINDOWS, _BLOCKS = 5, 20
_STRETCH = 40
_OF_GROUP = 24
_TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True)
class SplitMeasure:
    """What a random split would hide of one column.

    Attributes
    ----------
    kind : {"time", "group"}
        Whether later rows were predicted from earlier ones, or rows of new groups from those of others.
    column : str
        What orders or groups the rows.
    random_error, honest_error : float
        Mean absolute error of the quick model on the same rows, in target units: from random other rows, and from as
        many rows that are earlier, or of other groups.
    times : float
        How many times larger the latter is.
    interval : Interval
        Its interval; all those of a table hold together at their level.
    rows : int
        Rows that judged.
    units : int
        Groups, or stretches of time, that they are of.
    quantity : bool
        Whether the groups are numbers that measure something, by which a model tells new ones too: hours, ages.
    """

    kind: Literal["time", "group"]
    column: str
    random_error: float
    honest_error: float
    times: float
    interval: Interval
    rows: int
    units: int
    quantity: bool = False

    @property
    def flatters(self) -> bool:
        """True where a random split makes models look clearly better than they are on such rows."""
        return self.interval.low > 1 and self.times >= _CLEAR and not self.quantity

    @property
    def unclear(self) -> bool:
        """True where it can't be told: the error could as well be much larger as it could be the same."""
        return not self.flatters and not self.quantity and self.interval.high > _NARROW


@dataclass(frozen=True)
class SplitMeasures:
    """What was measured of a table.

    Attributes
    ----------
    measures : tuple of SplitMeasure
        The columns that were measured in full, those that a random split flatters most first.
    passed : tuple of str
        Columns in which a quicker look saw less than in these.
    left_out : tuple of str
        Columns that nobody looked at, since there are so many.
    rows : int
        Rows with a target.
    """

    measures: tuple[SplitMeasure, ...] = ()
    passed: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    rows: int = 0

    def of(self, kind: str, column: str | None) -> SplitMeasure | None:
        """Return what was measured of a column; None where it wasn't."""
        return next((one for one in self.measures if (one.kind, one.column) == (kind, column)), None)


def measure_splits(dataset: Dataset, table: pd.DataFrame, recipe: Recipe) -> SplitMeasures:
    """Measure by how much a random split flatters, for each column by which rows may depend on each other.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows; about 2,400 of them are looked at for each column: whole stretches of time, and many rows of a group.
    recipe : Recipe
        Target, features and repairs; its split plays no part.

    Returns
    -------
    SplitMeasures
        Of fewer than 80 rows nothing is measured.

    Notes
    -----
    Cross-validation by groups, and forward in time (Bergmeir & Benítez 2012; Roberts et al. 2017, "Cross-validation
    strategies for data with temporal, spatial, hierarchical, or phylogenetic structure"), against a random one with as
    many training rows. Each row has an error of either, so that the ratio of the means compares the same rows. Its
    interval is Student's, of the logarithm of the ratio, over groups or stretches of time. All columns that were looked
    at share the 5 % (Bonferroni), so that a table in which no split matters is wrongly accused once in twenty at most,
    however many columns it has. Where there are more than four, those four are measured that a look at 800 rows finds
    most of; the others count among those looked at all the same.
    """
    sample, target = _known_rows(table, recipe)
    if len(sample) < FEWEST_ROWS:
        return SplitMeasures(rows=len(sample))
    types = feature_types(dataset, recipe)
    order = {name: dataset.column(name).day_first for name in types}

    def quick(rows: Integers) -> QuickTable:
        return QuickTable(sample.iloc[rows], target[rows], types, order)

    everything = candidates(dataset, sample, recipe.target)
    found = everything[:_MOST_LOOKED_AT]
    alone = 1 - (1 - _LEVEL) / max(1, len(found))
    chosen = found
    if len(found) > _MEASURED:
        looks = [_Look(one, quick, _SCREENED_ROWS, brief=True) for one in found]
        # What orders the rows first: it is the likeliest, and one of them has to be.
        first = max((look for look in looks if look.candidate.kind == "time"), key=lambda look: look.clarity)
        rest = sorted((look for look in looks if look is not first), key=lambda look: -look.clarity)
        chosen = tuple(look.candidate for look in (first, *rest[: _MEASURED - 1]))
    measures = [made for one in chosen if (made := _Look(one, quick, MOST_ROWS).measure(alone)) is not None]
    measures.sort(key=lambda one: (not one.flatters, -one.interval.low))
    names = {one.column for one in measures}
    passed = tuple(one.column for one in found if one.column not in names)
    left_out = tuple(one.column for one in everything[_MOST_LOOKED_AT:])
    return SplitMeasures(tuple(measures), passed, left_out, len(sample))


def measure_split(
    dataset: Dataset, table: pd.DataFrame, recipe: Recipe, kind: Literal["time", "group"], column: str
) -> SplitMeasure | None:
    """Measure one column that somebody chose; None where its rows can't be divided so. See `measure_splits`."""
    sample, target = _known_rows(table, recipe)
    types = feature_types(dataset, recipe)
    order = {name: dataset.column(name).day_first for name in types}
    if len(sample) < FEWEST_ROWS:
        return None
    candidate = _candidate_of(sample, kind, column)
    look = _Look(candidate, lambda rows: QuickTable(sample.iloc[rows], target[rows], types, order), MOST_ROWS)
    return look.measure(_LEVEL)


def _candidate_of(sample: pd.DataFrame, kind: Literal["time", "group"], column: str) -> Candidate:
    """Return any column as one to split by, also where nothing speaks for it."""
    if column == ROW_ORDER:
        return Candidate("time", column, np.arange(len(sample), dtype=np.float64))
    if kind == "time":
        return Candidate("time", column, days_or_numbers(sample[column]))
    codes = pd.factorize(sample[column])[0].astype(np.float64)
    return Candidate("group", column, np.where(codes < 0, np.nan, codes))


def _known_rows(table: pd.DataFrame, recipe: Recipe) -> tuple[pd.DataFrame, Floats]:
    """Return the rows that have a target, and no repeats of others where those are left out."""
    whole = repaired(table, recipe.cleaning)
    rows, _, _ = usable_rows(whole, recipe)
    sample = whole.iloc[rows].reset_index(drop=True)
    return sample, coerce_column(sample[recipe.target], ColumnType.NUMBER).to_numpy(dtype=np.float64)


class _Look:
    """One column, measured on some of the rows."""

    def __init__(
        self, candidate: Candidate, quick: Callable[[Integers], QuickTable], most: int, *, brief: bool = False
    ) -> None:
        self.candidate = candidate
        self._brief = brief
        rows = _drawn(candidate, most)
        self._table = quick(rows)
        self._keys = candidate.keys[rows]

    @cached_property
    def _folds(self) -> tuple[list[Fold], list[Fold]] | None:
        """The honest folds, and random ones with as many training rows that judge the same rows."""
        if len(self._keys) < FEWEST_ROWS:
            return None
        return (
            _by_time(self._keys, self._brief) if self.candidate.kind == "time" else _by_group(self._keys, self._brief)
        )

    @cached_property
    def _errors(self) -> tuple[Floats, Floats] | None:
        if self._folds is None:
            return None
        trees = _SCREENING_TREES if self._brief else ITERATIONS
        honest, random = (self._table.errors(folds, trees=trees) for folds in self._folds)
        return honest, random

    @cached_property
    def _ratio(self) -> tuple[float, float, int] | None:
        """The logarithm of the ratio, its standard error and the number of units."""
        if self._errors is None:
            return None
        honest, random = self._errors
        judged = np.isfinite(honest) & np.isfinite(random)
        return _log_ratio(honest[judged], random[judged], _units(self.candidate.kind, self._keys[judged]))

    @property
    def clarity(self) -> float:
        """How many standard errors the ratio is above 1."""
        if self._ratio is None:
            return -np.inf
        log_ratio, error, _ = self._ratio
        return log_ratio / max(error, _TINY)

    def measure(self, level: float) -> SplitMeasure | None:
        if self._ratio is None or self._errors is None:
            return None
        log_ratio, error, units = self._ratio
        reach = float(student.ppf(0.5 + level / 2, units - 1)) * error
        honest, random = self._errors
        judged = np.isfinite(honest) & np.isfinite(random)
        made = SplitMeasure(
            kind=self.candidate.kind,
            column=self.candidate.column,
            random_error=float(random[judged].mean()),
            honest_error=float(honest[judged].mean()),
            times=float(np.exp(log_ratio)),
            interval=Interval(
                low=float(np.exp(log_ratio - reach)), high=float(np.exp(log_ratio + reach)), level=_LEVEL
            ),
            rows=int(judged.sum()),
            units=units,
        )
        if made.flatters and self.candidate.counted and self._measures_something(honest):
            return replace(made, quantity=True)
        return made

    def _measures_something(self, honest: Floats) -> bool:
        """Tell whether numbers say something about rows of a number that was never seen: those near it are like it.

        Names that happen to be numbers could be given to each other, and nothing would be lost.
        """
        if self._folds is None:
            return False
        swaps = [self._table.errors(self._folds[0], shuffled=(self.candidate.column, seed)) for seed in range(_SWAPS)]
        judged = np.isfinite(honest)
        log_ratio, _, _ = _log_ratio(
            np.mean(swaps, axis=0)[judged], honest[judged], self._keys[judged].astype(np.int64)
        )
        return bool(log_ratio > np.log(_MEASURING))


def _drawn(candidate: Candidate, most: int) -> Integers:
    """Return rows that have a value: all, or stretches of time, or many rows of some groups."""
    keys = candidate.keys
    known = np.flatnonzero(np.isfinite(keys))
    if len(known) <= most:
        return known
    rng = np.random.default_rng(11)
    if candidate.kind == "time":
        # Neighbours stay together, since rows that are near each other in time may be alike.
        ordered = known[np.argsort(keys[known], kind="stable")]
        starts = np.linspace(0, len(ordered) - _STRETCH, most // _STRETCH).astype(np.int64)
        return np.sort(ordered[np.unique(starts[:, None] + np.arange(_STRETCH))])
    shuffled = rng.permutation(known)
    place = pd.Series(keys[shuffled]).groupby(keys[shuffled]).cumcount().to_numpy()
    each = max(2, _OF_GROUP, most // len(np.unique(keys[known])))
    kept = shuffled[place < each]
    groups = rng.permutation(np.unique(keys[known]))
    rank = np.empty(int(groups.max()) + 1)
    rank[groups.astype(np.int64)] = np.arange(len(groups))
    # Group after group, until there are enough rows.
    ranks = rank[keys[kept].astype(np.int64)]
    return np.sort(kept[np.argsort(ranks, kind="stable")][:most])


def _by_group(keys: Floats, brief: bool) -> tuple[list[Fold], list[Fold]] | None:
    """Return folds that keep groups together, and random ones."""
    rng = np.random.default_rng(12)
    count = 2 if brief else _FOLDS
    groups, place, sizes = np.unique(keys, return_inverse=True, return_counts=True)
    if len(groups) < 2 * count:
        return None
    fold_of, filled = np.empty(len(groups), dtype=np.int64), np.zeros(count)
    # The largest first, each to the fold that has fewest rows, so that all learn from about as many.
    for group in np.lexsort((rng.random(len(groups)), -sizes)):
        fold_of[group] = int(np.argmin(filled))
        filled[fold_of[group]] += sizes[group]
    size = min(int(_SHARE * len(keys)), len(keys) - int(filled.max()))
    if size < FEWEST_ROWS // 4:
        return None
    random = rng.permutation(len(keys)) % count
    return _folds(fold_of[place], size, rng), _folds(random, size, rng)


def _folds(fold_of: Integers, size: int, rng: np.random.Generator) -> list[Fold]:
    found = []
    for number in range(int(fold_of.max()) + 1):
        others = np.flatnonzero(fold_of != number)
        found.append(Fold(np.sort(rng.permutation(others)[:size]), np.flatnonzero(fold_of == number)))
    return found


def _by_time(keys: Floats, brief: bool) -> tuple[list[Fold], list[Fold]] | None:
    """Return folds that learn from earlier rows alone, and random ones that judge the same rows."""
    rng = np.random.default_rng(13)
    order = np.argsort(keys, kind="stable")
    moments = keys[order]
    # Rows of the same moment are on one side.
    starts = np.flatnonzero(np.concatenate([[True], np.diff(moments) > 0]))
    wanted = np.linspace(0.5, 1.0, (2 if brief else _WINDOWS) + 1)[:-1] * len(keys)
    cuts = sorted({int(starts[np.argmin(np.abs(starts - cut))]) for cut in wanted})
    size = min(len(keys) // 2, cuts[0])
    if size < FEWEST_ROWS // 4:
        return None
    honest = [
        Fold(order[max(0, cut - size) : cut], order[cut:end])
        for cut, end in zip(cuts, [*cuts[1:], len(keys)], strict=True)
    ]
    judged = np.sort(np.concatenate([fold.test for fold in honest]))
    random = []
    half = rng.permutation(len(judged)) % 2
    for number in range(2):
        test = judged[half == number]
        others = np.setdiff1d(np.arange(len(keys)), test, assume_unique=True)
        random.append(Fold(np.sort(rng.permutation(others)[:size]), test))
    return honest, random


def _units(kind: str, keys: Floats) -> Integers:
    """Return a number for each row: its group, or its stretch of time."""
    if kind == "group":
        return np.unique(keys, return_inverse=True)[1].astype(np.int64)
    places = np.argsort(np.argsort(keys, kind="stable"), kind="stable")
    return (places * min(_BLOCKS, max(2, len(keys) // 5)) // len(keys)).astype(np.int64)


def _log_ratio(honest: Floats, random: Floats, units: Integers) -> tuple[float, float, int]:
    """Return the logarithm of the ratio of the means, its standard error over units, and how many units there are."""
    _, names = np.unique(units, return_inverse=True)
    above, below = np.bincount(names, honest), np.bincount(names, random)
    count = len(above)
    top, bottom = max(float(above.sum()), _TINY), max(float(below.sum()), _TINY)
    # The ratio of two sums, linearised (Cochran 1977, Sampling Techniques, ch. 6).
    parts = above / top - below / bottom
    error = float(np.sqrt(count / max(1, count - 1) * np.sum((parts - parts.mean()) ** 2)))
    return float(np.log(top / bottom)), error, count
