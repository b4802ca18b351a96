"""Checking the pairs of numbers that all judgements start from."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from dlreg_core.array_types import Floats


def finite(values: ArrayLike, what: str) -> Floats:
    """Return `values` as a float array of one dimension.

    Parameters
    ----------
    values : array_like of shape (n,)
        Numbers.
    what : str
        What the values are, for the message.

    Raises
    ------
    ValueError
        If there are no values, or any is missing or infinite, or they have more than one dimension.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise ValueError(f"the {what} must have one dimension, not {array.ndim}")
    if array.size == 0:
        raise ValueError(f"there are no {what}")
    bad = int(np.count_nonzero(~np.isfinite(array)))
    if bad:
        raise ValueError(f"{bad} of {array.size} {what} are missing or infinite")
    return array


def pair(actual: ArrayLike, predicted: ArrayLike) -> tuple[Floats, Floats]:
    """Return actual and predicted values as float arrays of the same length.

    Raises
    ------
    ValueError
        If the lengths differ, or either is empty or holds missing or infinite values.
    """
    first = finite(actual, "actual values")
    second = finite(predicted, "predicted values")
    if first.size != second.size:
        raise ValueError(f"there are {first.size} actual but {second.size} predicted values")
    return first, second
