"""How far predictions are off, in numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlreg_core.evaluation.arrays import FloatArray, pair
from dlreg_core.evaluation.bootstrap import resampled_means
from dlreg_core.specs import Interval, Spec

_LEVEL_WORDS = "the level of an interval lies between 0 and 1, not at {}"
_FEWEST = 10
"""With fewer rows most draws hold some row so often that their own standard error says nothing."""
_TINY = 1e-9
"""No standard error is smaller: it would be that of a draw of equal values."""


class Metrics(Spec):
    """Errors of predictions: `rmse`, `mae` and `median_ae` in units of the target, `mse` in their square."""

    rmse: float
    mae: float
    mse: float
    r2: float
    """Share of the target's variance that is explained; negative when the mean would do better."""
    median_ae: float


def regression_metrics(actual: ArrayLike, predicted: ArrayLike) -> Metrics:
    """Judge predictions.

    Parameters
    ----------
    actual, predicted : array_like of shape (n,)
        In units of the target.

    Returns
    -------
    Metrics
        Where all actual values are the same, R² has no variance to explain: it is 1 for exact predictions, else 0.

    Raises
    ------
    ValueError
        If the lengths differ, or either is empty or holds missing or infinite values.
    """
    truth, guess = pair(actual, predicted)
    residual = truth - guess
    absolute = np.abs(residual)
    mse = float(np.mean(residual**2))
    return Metrics(
        rmse=float(np.sqrt(mse)),
        mae=float(np.mean(absolute)),
        mse=mse,
        r2=_r2(mse, float(np.ptp(truth)), float(np.var(truth))),
        median_ae=float(np.median(absolute)),
    )


def _r2(mse: float, spread: float, variance: float) -> float:
    # The spread, since the variance of equal numbers may come out as a tiny number instead of 0.
    if spread == 0 or variance == 0:
        return 1.0 if mse == 0 else 0.0
    return 1 - mse / variance


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


def _studentised(values: FloatArray, drawn: FloatArray, level: float) -> FloatArray:
    """Return the bootstrap-t interval of a mean, on its logarithm; `drawn` are means of values and of their squares."""
    mean, rows = float(values.mean()), values.size

    def errors(means: FloatArray, of_squares: FloatArray) -> FloatArray:
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
