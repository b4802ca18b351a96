"""Intervals by the bootstrap: of the RMSE, and means of draws, fast enough for hundreds of thousands of rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlreg_core.array_types import Floats
from dlreg_core.evaluation.arrays import pair
from dlreg_core.specs import Interval

_LEVEL_WORDS = "the level of an interval lies between 0 and 1, not at {}"
_FEWEST = 10
"""With fewer rows most draws hold some row so often that their own standard error says nothing."""
_TINY = 1e-9
"""No standard error is smaller: it would be that of a draw of equal values."""
MOST_GROUPS = 10_000
_DRAWS_AT_ONCE = 2_000_000


def resampled_means(columns: Floats, *, samples: int, seed: int) -> Floats:
    """Draw rows with replacement and return the mean of each column, again and again.

    The columns of one draw come from the same rows, so that their means can be compared as pairs.

    Parameters
    ----------
    columns : ndarray of shape (n, k)
        A line a row of the sample.
    samples : int
        How many times to draw.
    seed : int
        Seed of the draws.

    Returns
    -------
    ndarray of shape (samples, k)

    Notes
    -----
    The nonparametric bootstrap of Efron & Tibshirani (1993), *An Introduction to the Bootstrap*. Above `MOST_GROUPS`
    rows it draws groups of rows that chance put together (random groups: Wolter 2007, *Introduction to Variance
    Estimation*, ch. 2). The mean of such a draw has the same variance and skewness in expectation, at a cost that no
    longer grows with the rows; 10,000 groups know the width of an interval to about 1 %.
    """
    if samples < 1:
        raise ValueError("the bootstrap needs at least one sample")
    rng = np.random.default_rng(seed)
    sums, sizes = _grouped(columns, rng)
    groups = len(sizes)
    means = np.empty((samples, columns.shape[1]))
    step = max(1, _DRAWS_AT_ONCE // groups)
    for start in range(0, samples, step):
        drawn = rng.integers(0, groups, size=(min(step, samples - start), groups))
        rows = sizes[drawn].sum(axis=1)
        for k in range(columns.shape[1]):
            means[start : start + step, k] = sums[:, k][drawn].sum(axis=1) / rows
    return means


def _grouped(columns: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Return the sums and the sizes of the groups that are drawn: single rows where there are few."""
    rows = len(columns)
    if rows <= MOST_GROUPS:
        return columns, np.ones(rows)
    # Neighbouring rows may be alike (a table sorted by time): groups by chance keep them apart.
    shuffled = columns[rng.permutation(rows)]
    starts = np.linspace(0, rows, MOST_GROUPS, endpoint=False).astype(np.intp)
    return np.add.reduceat(shuffled, starts, axis=0), np.diff(np.append(starts, rows)).astype(np.float64)


def bootstrap_rmse(
    actual: ArrayLike, predicted: ArrayLike, *, samples: int = 1000, level: float = 0.95, seed: int = 0
) -> Interval:
    """Return a bootstrap interval of the RMSE over the rows.

    Parameters
    ----------
    actual, predicted : array_like of shape (n,)
        In units of the target.
    samples : int
        How many bootstrap samples are drawn.
    level : float
        Coverage of the interval, between 0 and 1.
    seed : int
        Seed of the draws.

    Returns
    -------
    Interval
        In units of the target.

    Raises
    ------
    ValueError
        If the lengths differ, or either is empty or holds missing or infinite values, or `level` is out of range.

    Notes
    -----
    The bootstrap-t (Efron & Tibshirani 1993, *An Introduction to the Bootstrap*, ch. 12.5) of the logarithm of the mean
    squared error. The rows that are drawn tell too little of the largest errors there are, and percentiles of their
    means lie too low where errors have heavy tails; dividing each by its own standard error makes up for part of that.
    ``benchmarks/errors.py`` measures how often both hold. No end lies above the largest error that was seen: it would
    rest on draws that left that one out.
    """
    truth, guess = pair(actual, predicted)
    if not 0 < level < 1:
        raise ValueError(_LEVEL_WORDS.format(level))
    error = np.abs(truth - guess)
    largest = float(error.max())
    if largest == 0:
        return Interval(low=0.0, high=0.0, level=level)
    # Relative to the largest: the fourth power of a large error may be more than a float can be.
    squared = (error / largest) ** 2
    drawn = resampled_means(np.column_stack([squared, squared**2]), samples=samples, seed=seed)
    few = squared.size < _FEWEST
    ends = np.array(percentiles(drawn[:, 0], level)) if few else _studentised(squared, drawn, level)
    below, above = largest * np.sqrt(np.minimum(ends, 1.0))
    return Interval(low=float(below), high=float(above), level=level)


def _studentised(values: Floats, drawn: Floats, level: float) -> Floats:
    """Return the bootstrap-t interval of a mean, on its logarithm; `drawn` are means of values and of their squares."""
    mean, rows = float(values.mean()), values.size

    def errors(means: Floats, of_squares: Floats) -> Floats:
        return np.asarray(np.sqrt(np.maximum(of_squares - means**2, 0.0) / rows) / means)

    own = errors(np.array([mean]), np.array([np.mean(values**2)]))
    # A draw may hold nothing but rows without error, or rows that are off by the same: it says that there is no end.
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        apart = np.log(drawn[:, 0] / mean) / np.maximum(errors(drawn[:, 0], drawn[:, 1]), _TINY)
        low, high = percentiles(np.where(drawn[:, 0] > 0, apart, -1 / _TINY), level)
        return np.asarray(mean * np.exp(-own * np.array([high, low])))


def percentiles(values: ArrayLike, level: float) -> tuple[float, float]:
    """Return the two percentiles that hold the middle `level` of `values`.

    Raises
    ------
    ValueError
        If `level` isn't between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(_LEVEL_WORDS.format(level))
    low, high = np.quantile(np.asarray(values, dtype=np.float64), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
