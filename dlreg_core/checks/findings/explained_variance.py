"""How much of a target's variance columns explain in rows that they weren't fitted on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.optimize import isotonic_regression

from dlreg_core.array_types import Floats, Integers

FEWEST_ROWS = 30
"""In fewer rows than this nothing is claimed."""
_FOLDS = 5
_TAIL = 0.01

Fit = Callable[[Floats, Floats, Floats], Floats]
"""From the features and targets of some rows and the features of others to a prediction for the others."""


def explained(y: Floats, predicted: Floats) -> float:
    """Return the share of a target's variance that predictions explain.

    Parameters
    ----------
    y, predicted : ndarray of float64, shape (rows,)
        The target and what was predicted.

    Returns
    -------
    float
        The coefficient of determination in all rows, or in those between the target's first and last hundredth where
        that is less: one extreme value could make up most of the variance, and then says little about the others.
    """
    low, high = np.quantile(y, [_TAIL, 1 - _TAIL])
    inner = (y >= low) & (y <= high)
    return min(_determination(y, predicted), _determination(y[inner], predicted[inner]))


def without_tails(y: Floats) -> Floats:
    """Return a target whose values beyond its first and last hundredth lie at these.

    A curve that only rises or falls still does, and has no steep ends where it can't be followed beyond known values.
    """
    low, high = np.quantile(y, [_TAIL, 1 - _TAIL])
    return np.clip(y, low, high)


def _determination(y: Floats, predicted: Floats) -> float:
    around = float(np.sum((y - y.mean()) ** 2))
    return 1 - float(np.sum((y - predicted) ** 2)) / around if around > 0 else 0.0


def out_of_fold(fit: Fit, x: Floats, y: Floats, least: float = 0.0) -> float:
    """Return how much `fit` explains of `y` in rows that it hasn't seen, in five folds.

    Parameters
    ----------
    fit : callable
        What learns and predicts.
    x : ndarray of float64, shape (rows,) or (rows, columns)
        Features, none missing.
    y : ndarray of float64, shape (rows,)
        The target, none missing.
    least : float
        What matters. Where less is explained even in the rows that were fitted, that is returned and no fold made.
    """
    fitted = explained(y, fit(x, y, x))
    if fitted < least:
        return fitted
    fold = np.random.default_rng(0).permutation(len(y)) % _FOLDS
    predicted = np.empty(len(y))
    for number in range(_FOLDS):
        held = fold == number
        predicted[held] = fit(x[~held], y[~held], x[held])
    return explained(y, predicted)


def linear(x: Floats, y: Floats, others: Floats) -> Floats:
    """Predict by least squares with an intercept."""
    coefficients = coefficients_of(x, y)
    found: Floats = np.column_stack([others, np.ones(len(others))]) @ coefficients
    return found


def coefficients_of(x: Floats, y: Floats) -> Floats:
    """Return the coefficients of a least-squares fit, the intercept last."""
    # In units of the columns' own spreads, since large and small numbers together lose digits.
    scales = np.append(np.maximum(np.abs(x).max(axis=0), np.finfo(np.float64).tiny), 1.0)
    design = np.column_stack([x, np.ones(len(x))]) / scales
    found: Floats = np.linalg.lstsq(design, y, rcond=None)[0] / scales
    return found


def monotone(x: Floats, y: Floats, others: Floats) -> Floats:
    """Predict by isotonic regression, rising or falling as the ranks do; between known values in straight lines."""
    values, places = np.unique(x, return_inverse=True)
    means, counts = _means(places, y, len(values))
    rising = float(np.corrcoef(np.arange(len(values))[places], y)[0, 1]) > 0
    fitted = isotonic_regression(means, weights=counts, increasing=rising).x
    found: Floats = np.interp(others, values, fitted)
    return found


def by_level(x: Floats, y: Floats, others: Floats) -> Floats:
    """Predict the mean of the level, and the mean of all for a level that hasn't been seen; levels are 0, 1, 2, ..."""
    levels, known = others.astype(np.int64), x.astype(np.int64)
    means, counts = _means(known, y, int(max(known.max(), levels.max())) + 1)
    found: Floats = np.where(counts > 0, means, y.mean())[levels]
    return found


def _means(places: Integers, y: Floats, size: int) -> tuple[Floats, Floats]:
    counts = np.bincount(places, minlength=size).astype(np.float64)
    sums = np.bincount(places, weights=y, minlength=size)
    return sums / np.maximum(counts, 1), counts
