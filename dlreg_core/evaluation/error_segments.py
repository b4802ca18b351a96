"""Where a model is wrong: groups of rows whose error differs from the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import ndtri

from dlreg_core.array_types import Floats
from dlreg_core.evaluation.arrays import pair
from dlreg_core.formatting import number_range

FEW_NUMBERS = 6
"""A column of whole numbers with at most so many values is read as levels: a season, a star rating."""
MOST_LEVELS = 50

_COLUMNS = ["where", "column", "rows", "mae", "ratio", "ratio_low", "ratio_high", "bias"]


def segments(
    features: pd.DataFrame, actual: ArrayLike, predicted: ArrayLike, at_least: int = 30, level: float = 0.95
) -> pd.DataFrame:
    """Compare the error of groups of rows with the error of all rows.

    Every column is cut into groups: the levels of a category, the quarters of a number or date, and the rows where it
    is missing.

    Parameters
    ----------
    features : DataFrame of shape (n, columns)
        Raw columns of the rows.
    actual, predicted : array_like of shape (n,)
        In units of the target.
    at_least : int
        Groups with fewer rows are left out, since their error says little.
    level : float
        Level of the intervals, for all groups together.

    Returns
    -------
    DataFrame
        A line a group, the worst first: ``where`` (such as "ocean_proximity = ISLAND" or "median_income is from 4.7
        to 15"), ``column``, ``rows``, ``mae`` (units of the target), ``ratio`` (to the error of all rows) with its
        interval ``ratio_low``, ``ratio_high``, and ``bias`` (mean of actual - predicted).

    Raises
    ------
    ValueError
        If the lengths differ, or a value is missing or infinite.

    Notes
    -----
    The interval linearises the ratio of two means, one of which contains the other (Särndal, Swensson & Wretman 1992,
    *Model Assisted Survey Sampling*, ch. 5). Who looks at many groups finds a bad one by luck: the intervals are
    widened so that all of them hold together (Bonferroni).
    """
    truth, guess = pair(actual, predicted)
    if len(features) != truth.size:
        raise ValueError(f"there are {truth.size} values but {len(features)} rows of features")
    residual = truth - guess
    parts = [_of_column(str(name), features[name], residual, at_least) for name in features.columns]
    found = pd.concat([part for part in parts if len(part)], ignore_index=True) if any(map(len, parts)) else None
    if found is None:
        return pd.DataFrame(columns=_COLUMNS)
    return _judged(found, np.abs(residual), level)


def _of_column(name: str, column: pd.Series, residual: Floats, at_least: int) -> pd.DataFrame:
    """Return rows, mean error, sum of squares about it and bias of the groups of one column."""
    labels = pd.Series(_labels(name, column.reset_index(drop=True)))
    table = pd.DataFrame({"where": labels, "error": np.abs(residual), "residual": residual})
    grouped = table.groupby("where", sort=False, observed=True)
    found = grouped.agg(
        rows=("error", "size"), mae=("error", "mean"), variance=("error", "var"), bias=("residual", "mean")
    ).reset_index()
    # A group of all rows (a constant column) is no segment.
    kept = found[(found["rows"] >= at_least) & (found["rows"] < len(table))]
    kept = kept.nlargest(MOST_LEVELS, "rows", keep="first")
    return kept.assign(column=name, squares=kept["variance"].fillna(0) * (kept["rows"] - 1))


def _labels(name: str, column: pd.Series) -> pd.Series:
    """Return what group each row belongs to, in words."""
    if _is_ordered(column):
        labels = _quarters(name, column)
    else:
        if pd.api.types.is_float_dtype(column):
            # Whole numbers with gaps are floats in pandas, but a season is 1, not 1.0.
            column = column.astype("Int64")
        labels = (f"{name} = " + column.astype("string")).astype(object)
    return labels.where(column.notna(), f"{name} is missing")


def _is_ordered(column: pd.Series) -> bool:
    if pd.api.types.is_datetime64_any_dtype(column):
        return True
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return False
    values = column.dropna().unique()
    return len(values) > FEW_NUMBERS or not all(float(value).is_integer() for value in values)


def _quarters(name: str, column: pd.Series) -> pd.Series:
    """Cut a number or date at its quartiles; equal values stay together."""
    present = column.dropna()
    ranks = present.rank(method="dense").to_numpy()
    edges = np.unique(np.quantile(ranks, [0, 0.25, 0.5, 0.75, 1], method="lower"))
    group = np.searchsorted(edges[1:-1], ranks, side="left")
    ends = present.groupby(group).agg(["min", "max"])
    words = [f"{name} is {_span(low, high)}" for low, high in zip(ends["min"], ends["max"], strict=True)]
    named = pd.Series(np.asarray(words, dtype=object)[np.searchsorted(ends.index, group)], index=present.index)
    return named.reindex(column.index)


def _span(low: object, high: object) -> str:
    if isinstance(low, pd.Timestamp) and isinstance(high, pd.Timestamp):
        return f"from {low.date()} to {high.date()}"
    return number_range(float(str(low)), float(str(high)), joiner=" to ", before="from ")


def _judged(found: pd.DataFrame, error: Floats, level: float) -> pd.DataFrame:
    """Add the ratio to the error of all rows and its interval; worst first."""
    rows, overall = error.size, float(error.mean())
    if overall == 0:
        return pd.DataFrame(columns=_COLUMNS)
    share = found["rows"] / rows
    ratio = found["mae"] / overall
    squares = found["squares"] * (1 / share**2 - 2 * ratio / share) + ratio**2 * float(((error - overall) ** 2).sum())
    spread = np.sqrt(squares.clip(lower=0)) / (rows * overall)
    reach = ndtri(1 - (1 - level) / 2 / len(found)) * spread
    judged = found.assign(ratio=ratio, ratio_low=(ratio - reach).clip(lower=0), ratio_high=ratio + reach)
    return judged.sort_values("ratio", ascending=False, kind="stable")[_COLUMNS].reset_index(drop=True)


def small_groups(features: pd.DataFrame, at_least: int = 30) -> pd.DataFrame:
    """Return the groups that `segments` doesn't look at, since they have too few rows to say anything.

    Returns
    -------
    DataFrame
        A line a column that has some: ``column``, ``groups`` (how many), ``rows`` (of all of them together) and
        ``largest`` (the largest of them, in words).
    """
    lines = []
    for name in features.columns:
        counts = pd.Series(_labels(str(name), features[name].reset_index(drop=True))).value_counts()
        few = counts[counts < at_least]
        if len(few) and len(counts) > 1:
            lines.append((str(name), len(few), int(few.sum()), str(few.index[0])))
    return pd.DataFrame(lines, columns=["column", "groups", "rows", "largest"])
