"""Which columns a split can go by, and whether a random one would flatter the models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dlreg_core.ingest.row_order import FEWEST_GROUPS, is_date, names_things, row_order
from dlreg_core.specs import ColumnType, Dataset, RowCounts

_FEW_ROWS = 30


@dataclass(frozen=True)
class SplitAdvice:
    """Which kind of split suits a table, in a word and in a sentence."""

    kind: Literal["random", "time", "group"]
    column: str | None
    sentence: str


def split_advice(dataset: Dataset, target: str) -> SplitAdvice:
    """Say whether a random split is honest here."""
    order = row_order(dataset, target)
    if order is None:
        return SplitAdvice("random", None, "No date or repeating identifier found, so a random split is honest here.")
    name = order.column.name
    if order.kind == "time":
        sentence = (
            f"There is a date, {name}. If you will predict rows from later than these, split by time: "
            "a random split lets the models see the future and looks better than it is."
        )
        return SplitAdvice("time", name, sentence)
    sentence = (
        f"{name} repeats: each of its {order.column.distinct:,} values stands in about "
        f"{round(dataset.rows / order.column.distinct):,} rows. If you will predict rows of new ones, split by group, "
        "so that the models are judged on groups they have never seen."
    )
    return SplitAdvice("group", name, sentence)


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
    dates = [c.name for c in whole if is_date(c)]
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
        and FEWEST_GROUPS <= c.distinct <= dataset.rows // 2
        and (c.type is not ColumnType.NUMBER or c.integer)
    ]
    usable.sort(key=lambda c: not names_things(c, dataset.rows))
    return tuple(c.name for c in usable)
