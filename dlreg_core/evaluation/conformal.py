"""Prediction intervals for any model, from its errors on rows that it wasn't trained on."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from dlreg_core.evaluation.arrays import finite, pair


def half_width(residuals: ArrayLike, level: float = 0.9) -> float:
    """Return half the width of a prediction interval, by split conformal prediction.

    Parameters
    ----------
    residuals : array_like of shape (n,)
        actual - predicted on calibration rows: rows that the model wasn't fitted on, and no test rows.
    level : float
        Share of new rows that the interval is to hold, between 0 and 1.

    Returns
    -------
    float
        The ceil((n + 1) * level)-th smallest absolute residual, in units of the target. With fewer than
        level / (1 - level) rows the promise would need an infinite interval; the largest residual is returned then,
        which holds n / (n + 1) of new rows on average.

    Raises
    ------
    ValueError
        If there are no residuals, or any is missing or infinite, or `level` is out of range.

    Notes
    -----
    Vovk, Gammerman & Shafer (2005), *Algorithmic Learning in a Random World*; Lei, G'Sell, Rinaldo, Tibshirani &
    Wasserman (2018), "Distribution-free predictive inference for regression", JASA 113. New rows that come from
    where the calibration rows came from are covered with at least the probability `level`.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not at {level}")
    absolute = np.abs(finite(residuals, "residuals"))
    # Without the small step back, 30 * 0.9 = 27.000000000000004 would ask for the 28th.
    rank = math.ceil((absolute.size + 1) * level - 1e-9)
    position = min(rank, absolute.size) - 1
    return float(np.partition(absolute, position)[position])


def coverage(actual: ArrayLike, predicted: ArrayLike, half_width: float) -> float:
    """Return the share of rows that lie inside predicted ± `half_width`, ends included.

    Raises
    ------
    ValueError
        If the lengths differ, or either is empty or holds missing or infinite values.
    """
    truth, guess = pair(actual, predicted)
    return float(np.mean(np.abs(truth - guess) <= half_width))
