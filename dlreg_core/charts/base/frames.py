"""Tables that several displays need."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats

MOST_LEVELS = 20


def row_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the lines of a table as dictionaries by column name."""
    return [{str(key): value for key, value in line.items()} for line in table.to_dict("records")]


def is_there(value: object) -> bool:
    """Return True for a value of a table that isn't missing; it may be a list."""
    return isinstance(value, list | tuple) or not bool(pd.isna(value))  # type: ignore[call-overload]


def is_number(column: pd.Series) -> bool:
    """Return True where a column is drawn along an axis of numbers: not for categories, truth values or text."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def levels(column: pd.Series, at_most: int = MOST_LEVELS) -> pd.Series:
    """Return a column as text, with missing values and all but the most frequent levels each as one level."""
    text = column.astype("string").fillna("missing").astype(object)
    frequent = text.value_counts().index
    if len(frequent) <= at_most:
        return text
    kept = frequent[: at_most - 1]
    return text.where(text.isin(kept), f"{len(frequent) - len(kept):,} others")


def box_table(level: pd.Series, values: Floats) -> pd.DataFrame:
    """Return what a box plot draws, a line a level, the most frequent first.

    Parameters
    ----------
    level : Series of shape (n,)
        The level of each row.
    values : ndarray of shape (n,)
        What is drawn along the other axis.

    Returns
    -------
    DataFrame
        ``level``, ``rows``, ``mean``, the quartiles ``q1``, ``median``, ``q3`` and the fences ``low``, ``high``: the
        outermost values within 1.5 interquartile ranges of the box (Tukey 1977, *Exploratory Data Analysis*).
    """
    lines = []
    table = pd.DataFrame({"level": level.to_numpy(), "value": values})
    for name, group in table.groupby("level", sort=False)["value"]:
        q1, median, q3 = np.quantile(group, [0.25, 0.5, 0.75])
        reach = 1.5 * (q3 - q1)
        inside = group[(group >= q1 - reach) & (group <= q3 + reach)]
        lines.append(
            {"level": str(name), "rows": len(group), "mean": float(group.mean()), "q1": float(q1),
             "median": float(median), "q3": float(q3), "low": float(inside.min()), "high": float(inside.max())}
        )  # fmt: skip
    found = pd.DataFrame(lines, columns=["level", "rows", "mean", "q1", "median", "q3", "low", "high"])
    return found.sort_values("rows", ascending=False, kind="stable").reset_index(drop=True)
