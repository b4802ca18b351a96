"""How far predictions are off, in numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlreg_core.evaluation.arrays import pair
from dlreg_core.evaluation.bootstrap import resampled_means
from dlreg_core.specs import Interval, Spec


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
    """Return a percentile bootstrap interval of the RMSE over the rows.

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
    Efron & Tibshirani (1993), *An Introduction to the Bootstrap*, ch. 13.
    """
    truth, guess = pair(actual, predicted)
    squared = (truth - guess) ** 2
    means = resampled_means(squared[:, None], samples=samples, seed=seed)[:, 0]
    low, high = percentiles(means, level)
    return Interval(low=float(np.sqrt(low)), high=float(np.sqrt(high)), level=level)


def percentiles(values: ArrayLike, level: float) -> tuple[float, float]:
    """Return the two percentiles that hold the middle `level` of `values`.

    Raises
    ------
    ValueError
        If `level` isn't between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not at {level}")
    low, high = np.quantile(np.asarray(values, dtype=np.float64), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
