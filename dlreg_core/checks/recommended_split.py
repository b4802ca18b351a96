"""Which split to start with, from what was measured, and which columns a split can go by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pandas as pd

from dlreg_core.checks.dependence import MOST_MISSING
from dlreg_core.checks.order_and_groups import FEWEST_GROUPS, is_date, names_things
from dlreg_core.checks.split_optimism import SplitMeasure, SplitMeasures, measure_splits
from dlreg_core.specs import ROW_ORDER, ColumnType, Dataset, Recipe, RowCounts

_FEW_ROWS = 30


@dataclass(frozen=True)
class SplitAdvice:
    """The split to start with, and what was measured.

    Attributes
    ----------
    kind : {"random", "time", "group"}
    column : str or None
        What it goes by.
    measures : SplitMeasures
        Of all columns that were looked at.
    needed : bool
        Whether it has to be by time whatever was measured, since earlier values of the target are used.
    """

    kind: Literal["random", "time", "group"] = "random"
    column: str | None = None
    measures: SplitMeasures = field(default_factory=SplitMeasures)
    needed: bool = False

    @property
    def reason(self) -> SplitMeasure | None:
        """What speaks for another split than a random one; None where nothing does."""
        return self.measures.of(self.kind, self.column)


def split_advice(dataset: Dataset, table: pd.DataFrame, recipe: Recipe) -> SplitAdvice:
    """Measure which split is honest, and say which to start with. Pages and command line ask this.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows, or those that stand for all.
    recipe : Recipe
        Target, features, repairs and what is made of earlier rows; its split plays no part.

    Returns
    -------
    SplitAdvice
        By the column for which a random split flatters most beyond doubt. Of the order in which the rows stand it is
        only told that it matters: it may be that of a sort, and new rows have no place in it.
    """
    measures, history = measure_splits(dataset, table, recipe), recipe.history
    if history is not None and any(made.column == recipe.target for made in history.columns):
        return SplitAdvice("time", history.order, measures, needed=True)
    for one in measures.measures:
        if one.flatters and one.column != ROW_ORDER:
            return SplitAdvice(one.kind, one.column, measures)
    return SplitAdvice(measures=measures)


def few_rows_warning(counts: RowCounts) -> str:
    """Say that too few rows choose or judge to tell models apart; empty where there are enough."""
    choosing = counts.train if counts.folds else counts.validation
    for rows, verb in ((counts.test, "judge the models"), (choosing, "choose between the models")):
        if rows < _FEW_ROWS:
            only = "Only 1 row would" if rows == 1 else f"Only {rows} rows would"
            return f"{only} {verb}: too few to tell them apart. Choose other shares, another split, or add rows."
    return ""


def time_columns(dataset: Dataset, target: str) -> tuple[str, ...]:
    """Return the columns that rows can be ordered by: dates first, then numbers, then the order of the rows.

    Columns with many gaps aren't among them: rows without a value can't be judged.
    """
    whole = [c for c in dataset.columns if c.name != target and c.missing <= MOST_MISSING * dataset.rows]
    dates = [c.name for c in whole if is_date(c)]
    numbers = [
        c.name for c in whole if c.type is ColumnType.NUMBER or (c.type is ColumnType.IDENTIFIER and c.histogram)
    ]
    return (*dates, *numbers, ROW_ORDER)


def group_columns(dataset: Dataset, target: str) -> tuple[str, ...]:
    """Return the columns that rows can be grouped by: those that name things first; none with many gaps."""
    kinds = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.NUMBER, ColumnType.DATETIME, ColumnType.IDENTIFIER)
    usable = [
        c
        for c in dataset.columns
        if c.name != target
        and c.missing <= MOST_MISSING * dataset.rows
        and c.type in kinds
        and FEWEST_GROUPS <= c.distinct <= dataset.rows // 2
        and (c.type is not ColumnType.NUMBER or c.integer)
    ]
    usable.sort(key=lambda c: not names_things(c, dataset.rows))
    return tuple(c.name for c in usable)
