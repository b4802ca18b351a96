"""Tables of residuals: what the diagnostic pictures are drawn from.

A residual is actual - predicted: positive means that the prediction was too low.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from dlreg_core.evaluation.arrays import finite, pair

NORMAL_95 = 1.959963984540054
"""The 97.5 % quantile of the normal distribution."""


def residual_table(
    actual: ArrayLike, predicted: ArrayLike, rows: Sequence[int] | ArrayLike | None = None
) -> pd.DataFrame:
    """Return one line a row, in the order given.

    Parameters
    ----------
    actual, predicted : array_like of shape (n,)
        In units of the target.
    rows : array_like of shape (n,), optional
        Numbers of the rows in the table that they came from; 0, 1, 2 ... if left out.

    Returns
    -------
    DataFrame
        ``row``, and in units of the target ``actual``, ``predicted``, ``residual`` (actual - predicted) and
        ``abs_error``.

    Raises
    ------
    ValueError
        If the lengths differ, or a value is missing or infinite.
    """
    truth, guess = pair(actual, predicted)
    numbers = np.arange(truth.size) if rows is None else np.asarray(rows)
    if numbers.shape != truth.shape:
        raise ValueError(f"there are {truth.size} values but {numbers.size} row numbers")
    residual = truth - guess
    return pd.DataFrame(
        {"row": numbers, "actual": truth, "predicted": guess, "residual": residual, "abs_error": np.abs(residual)}
    )


def worst_rows(table: pd.DataFrame, at_most: int = 20) -> pd.DataFrame:
    """Return the lines of a `residual_table` that are off most, the worst first."""
    return table.nlargest(at_most, "abs_error", keep="first").reset_index(drop=True)


def qq_points(residuals: ArrayLike, at_most: int = 500) -> pd.DataFrame:
    """Compare residuals with a normal distribution, quantile by quantile.

    Parameters
    ----------
    residuals : array_like of shape (n,)
        actual - predicted.
    at_most : int
        How many points are kept at most: half of them evenly by rank, half evenly along the normal axis, so that the
        middle and the tails both keep their shape. The smallest and the largest residual are always kept.

    Returns
    -------
    DataFrame
        ``normal`` (quantile of the standard normal), ``residual`` (sorted) and ``expected`` (the residual that a
        normal distribution with the same quartiles has there).

    Notes
    -----
    Plotting positions (i - 3/8) / (n + 1/4) of Blom (1958); the line through the quartiles is Tukey's, as in R's
    ``qqline``.
    """
    ordered = np.sort(finite(residuals, "residuals"))
    count = ordered.size
    normal = ndtri((np.arange(1, count + 1) - 0.375) / (count + 0.25))
    low, high = np.quantile(ordered, [0.25, 0.75])
    scale = (high - low) / (2 * ndtri(0.75))
    table = pd.DataFrame({"normal": normal, "residual": ordered, "expected": (low + high) / 2 + scale * normal})
    if count <= at_most:
        return table
    by_rank = np.linspace(0, count - 1, max(2, at_most // 2)).round().astype(np.intp)
    along = np.searchsorted(normal, np.linspace(normal[0], normal[-1], at_most - len(by_rank)))
    return table.iloc[np.unique(np.concatenate([by_rank, along.clip(0, count - 1)]))].reset_index(drop=True)


def error_by_quantile(actual: ArrayLike, predicted: ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Return the error for small, middle and large predictions.

    Groups by the actual value would show what every model that isn't perfect has: of rows whose target is large, many
    are large by what nobody could foresee, so that they are predicted too low (regression to the mean).

    Parameters
    ----------
    actual, predicted : array_like of shape (n,)
        In units of the target.
    bins : int
        Groups of about equal size. Equal predictions stay together: there are fewer groups where one is frequent.

    Returns
    -------
    DataFrame
        A line a group, lowest first: ``quantile`` (1, 2 ...), ``low`` and ``high`` (smallest and largest
        prediction), ``rows``, ``mae`` with its normal 95 % interval ``mae_low``, ``mae_high`` (missing for a single
        row), and ``bias`` (mean of actual - predicted: positive where predictions are too low).

    Raises
    ------
    ValueError
        If the lengths differ, a value is missing or infinite, or `bins` is less than 1.
    """
    if bins < 1:
        raise ValueError("at least one group is needed")
    table = residual_table(actual, predicted)
    edges = np.unique(np.quantile(table["predicted"], np.linspace(0, 1, bins + 1)))
    group = np.searchsorted(edges[1:-1], table["predicted"], side="left")
    grouped = table.groupby(group)
    found = grouped.agg(
        low=("predicted", "min"),
        high=("predicted", "max"),
        rows=("actual", "size"),
        mae=("abs_error", "mean"),
        spread=("abs_error", "std"),
        bias=("residual", "mean"),
    ).reset_index(drop=True)
    reach = NORMAL_95 * found["spread"] / np.sqrt(found["rows"])
    found["mae_low"] = (found["mae"] - reach).clip(lower=0)
    found["mae_high"] = found["mae"] + reach
    found.insert(0, "quantile", np.arange(1, len(found) + 1))
    return found[["quantile", "low", "high", "rows", "mae", "mae_low", "mae_high", "bias"]]
