"""Which columns a split can go by, and whether a random one would flatter the models."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from dlreg_core.specs import Column, ColumnType, Dataset, RowCounts

_GROUP_WORDS = re.compile(
    r"(^|[^a-z])(id|ids|code|key|name|group|subject|patient|person|user|customer|client|store|shop|station|site|"
    r"ticker|symbol|machine|device|sensor|household|school|player|team)($|[^a-z])",
    re.IGNORECASE,
)
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FEWEST_GROUPS = 3
_FEW_ROWS = 30


@dataclass(frozen=True)
class SplitAdvice:
    """Which kind of split suits a table, in a word and in a sentence."""

    kind: Literal["random", "time", "group"]
    column: str | None
    sentence: str


def split_advice(dataset: Dataset, target: str) -> SplitAdvice:
    """Say whether a random split is honest here."""
    dates = [c for c in dataset.columns if _is_date(c) and c.name != target and not c.missing]
    if dates:
        name = max(dates, key=lambda c: c.distinct).name
        sentence = (
            f"There is a date, {name}. If you will predict rows from later than these, split by time: "
            "a random split lets the models see the future and looks better than it is."
        )
        return SplitAdvice("time", name, sentence)
    repeating = [c for c in dataset.columns if c.name != target and _names_things(c, dataset.rows)]
    if repeating:
        column = max(repeating, key=lambda c: c.distinct)
        sentence = (
            f"{column.name} repeats: each of its {column.distinct:,} values stands in about "
            f"{round(dataset.rows / column.distinct):,} rows. If you will predict rows of new ones, split by group, "
            "so that the models are judged on groups they have never seen."
        )
        return SplitAdvice("group", column.name, sentence)
    return SplitAdvice("random", None, "No date or repeating identifier found, so a random split is honest here.")


def few_rows_warning(counts: RowCounts) -> str:
    """Say that too few rows choose or judge to tell models apart; empty where there are enough."""
    choosing = counts.train if counts.folds else counts.validation
    for rows, verb in ((counts.test, "judge the models"), (choosing, "choose between the models")):
        if rows < _FEW_ROWS:
            only = "Only 1 row would" if rows == 1 else f"Only {rows} rows would"
            return f"{only} {verb}: too few to tell them apart. Choose other shares, another split, or add rows."
    return ""


def time_columns(dataset: Dataset, target: str) -> tuple[str, ...]:
    """Return the columns that rows can be ordered by: dates first, then numbers; none with gaps."""
    whole = [c for c in dataset.columns if c.name != target and not c.missing]
    dates = [c.name for c in whole if _is_date(c)]
    numbers = [
        c.name for c in whole if c.type is ColumnType.NUMBER or (c.type is ColumnType.IDENTIFIER and c.histogram)
    ]
    return (*dates, *numbers)


def group_columns(dataset: Dataset, target: str) -> tuple[str, ...]:
    """Return the columns that rows can be grouped by: those that name things first; none with gaps."""
    kinds = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.NUMBER, ColumnType.DATETIME)
    usable = [
        c
        for c in dataset.columns
        if c.name != target
        and not c.missing
        and c.type in kinds
        and _FEWEST_GROUPS <= c.distinct <= dataset.rows // 2
        and (c.type is not ColumnType.NUMBER or c.integer)
    ]
    usable.sort(key=lambda c: not _names_things(c, dataset.rows))
    return tuple(c.name for c in usable)


def _is_date(column: Column) -> bool:
    """Tell a date, which orders rows, from a time of day, which comes back every day."""
    return column.type is ColumnType.DATETIME and not column.time_of_day


def _names_things(column: Column, rows: int) -> bool:
    """Tell whether a column seems to say which person, shop or machine a row is about."""
    kinds = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.NUMBER)
    if column.type not in kinds or column.missing or (column.type is ColumnType.NUMBER and not column.integer):
        return False
    words = _CAMEL.sub(" ", column.name).replace("_", " ")
    return bool(_GROUP_WORDS.search(words)) and _FEWEST_GROUPS <= column.distinct <= rows // 2
