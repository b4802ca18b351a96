"""Whether the rows of a table come in an order or in groups, by the types and names of its columns."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from dlreg_core.specs import Column, ColumnType, Dataset

FEWEST_GROUPS = 3
_GROUP_WORDS = re.compile(
    r"(^|[^a-z])(id|ids|code|key|name|group|subject|patient|person|user|customer|client|store|shop|station|site|"
    r"ticker|symbol|machine|device|sensor|household|school|player|team)($|[^a-z])",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True)
class RowOrder:
    """What makes the rows of a table depend on each other: a date that they have, or a thing that they repeat."""

    kind: Literal["time", "group"]
    column: Column


def row_order(dataset: Dataset, target: str | None = None) -> RowOrder | None:
    """Find the date or the repeating thing that a table should be split by.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    target : str, optional
        The column to predict, which rows are never split by.

    Returns
    -------
    RowOrder or None
        The date with the most different values, else the thing with the most; None where there is neither.
    """
    others = [c for c in dataset.columns if c.name != target and not c.missing]
    dates = [c for c in others if is_date(c)]
    if dates:
        return RowOrder("time", max(dates, key=lambda c: c.distinct))
    repeating = [c for c in others if names_things(c, dataset.rows)]
    if repeating:
        return RowOrder("group", max(repeating, key=lambda c: c.distinct))
    return None


def is_date(column: Column) -> bool:
    """Tell a date, which orders rows, from a time of day, which comes back every day."""
    return column.type is ColumnType.DATETIME and not column.time_of_day


def names_things(column: Column, rows: int) -> bool:
    """Tell whether a column seems to say which person, shop or machine a row is about."""
    kinds = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.NUMBER)
    if column.type not in kinds or column.missing or (column.type is ColumnType.NUMBER and not column.integer):
        return False
    words = _CAMEL.sub(" ", column.name).replace("_", " ")
    return bool(_GROUP_WORDS.search(words)) and FEWEST_GROUPS <= column.distinct <= rows // 2
