"""How a target's extreme values lie, by which a loss is chosen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_QUANTILES = (0.005, 0.25, 0.5, 0.75, 0.995)
_NORMAL_WEIGHT = 3.8190
"""Distance of the outer quantiles of a normal distribution, in distances of its quartiles."""

_HEAVY = 1.3
"""Tails are heavy from this multiple of a normal distribution's on."""

_LEANING = 0.3
"""A target leans to one side where its outer quantiles lie so unequally around the median; 1 is all above it."""


def heavy_on_both_sides(target: NDArray[np.float64]) -> bool:
    """Tell whether a target has extreme values on both sides, more than a normal distribution has.

    Parameters
    ----------
    target : ndarray of float64, shape (rows,)
        What is learned from.

    Notes
    -----
    Tail weight and asymmetry by quantiles (Hogg 1974, "Adaptive robust procedures"; Hinkley 1975), which a few extreme
    values don't move. With such tails Huber's loss learns the mean from noisy rows with less error than the squared
    error does. Where they lie on one side it would learn something else, nearer to the median.
    """
    low, quarter, middle, three_quarters, high = np.quantile(target, _QUANTILES)
    box = three_quarters - quarter
    if box <= 0:
        return False
    leaning = ((high - middle) - (middle - low)) / (high - low)
    return bool(high - low > _HEAVY * _NORMAL_WEIGHT * box and abs(leaning) < _LEANING)
