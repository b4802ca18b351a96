"""How far predictions are off, in numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlreg_core.evaluation.arrays import pair
from dlreg_core.specs import Spec


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
