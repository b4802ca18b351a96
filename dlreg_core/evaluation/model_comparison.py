"""Whether one model is really better than another, or was lucky."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlreg_core.array_types import Floats
from dlreg_core.evaluation.arrays import pair
from dlreg_core.evaluation.bootstrap import percentiles, resampled_means
from dlreg_core.specs import Comparison, Interval

_LEVEL = 0.95


def compare(
    actual: ArrayLike, best: ArrayLike, baseline: ArrayLike, *, name: str, samples: int = 1000, seed: int = 0
) -> Comparison:
    """Compare a model with a baseline on the same rows.

    Parameters
    ----------
    actual : array_like of shape (n,)
        In units of the target.
    best, baseline : array_like of shape (n,)
        Predictions of the model and of the baseline.
    name : str
        The baseline's name.
    samples : int
        How many bootstrap samples are drawn.
    seed : int
        Seed of the draws.

    Returns
    -------
    Comparison
        ``improvement`` is 1 - MAE(best) / MAE(baseline), so negative when the baseline is better, and
        ``rmse_improvement`` the same of the RMSE. Their 95 % intervals are a paired percentile bootstrap (Efron &
        Tibshirani 1993, *An Introduction to the Bootstrap*, ch. 13): rows that are hard for both count for both, so
        that an interval is as narrow as the pairing allows.

    Raises
    ------
    ValueError
        If the lengths differ, or any array is empty or holds missing or infinite values.
    """
    truth, guess = pair(actual, best)
    _, other = pair(actual, baseline)
    errors = np.abs(np.column_stack([truth - guess, truth - other]))
    # A baseline without any error would make the ratio infinite; two exact models are equally good.
    floor = 1e-12 * max(1.0, float(np.mean(np.abs(truth))))
    losses = np.hstack([errors, errors**2])
    drawn = resampled_means(losses, samples=samples, seed=seed)
    seen = losses.mean(axis=0, keepdims=True)
    mae, rmse = (_improvement(seen[:, :2], floor), _improvement(np.sqrt(seen[:, 2:]), floor))
    return Comparison(
        baseline=name,
        improvement=float(mae[0]),
        interval=_interval(_improvement(drawn[:, :2], floor)),
        rmse_improvement=float(rmse[0]),
        rmse_interval=_interval(_improvement(np.sqrt(drawn[:, 2:]), floor)),
    )


def _interval(values: Floats) -> Interval:
    low, high = percentiles(values, _LEVEL)
    return Interval(low=low, high=high, level=_LEVEL)


def _improvement(errors: Floats, floor: float) -> Floats:
    floored = np.maximum(errors, floor)
    return np.asarray(1 - floored[:, 0] / floored[:, 1], dtype=np.float64)
