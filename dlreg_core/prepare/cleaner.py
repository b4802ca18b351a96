"""The fitted cleaning: from raw rows to what the networks learn from, always in the same way."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from pydantic import Field

from dlreg_core.errors import RecipeError
from dlreg_core.prepare.ranking import RankLevels
from dlreg_core.prepare.schema import Schema, schema_of
from dlreg_core.prepare.steps import MISSING_LEVEL, ExpandDates, FillLevels, FillNumbers, Step
from dlreg_core.prepare.text_figures import ExpandTexts
from dlreg_core.specs import Cleaning, ColumnType, Spec

_LEVELLED = (ColumnType.CATEGORY, ColumnType.BOOLEAN)


class Cleaner(Spec):
    """Cleaning as it was fitted on the training rows; kept and loaded as JSON."""

    schema_: Schema
    dropped: dict[str, str] = Field(default_factory=dict)
    """Columns that are left out, with the reason; new rows need not have them."""
    steps: tuple[Step, ...]
    level_columns: tuple[str, ...]
    """Columns that the networks get as categories."""

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Clean raw rows.

        Parameters
        ----------
        frame : pandas.DataFrame
            Raw rows with at least the schema's columns.

        Returns
        -------
        pandas.DataFrame
            The same number of rows in the same order: numbers as float64, categories as ``category``, text as object.

        Raises
        ------
        RowsError
            If a column is missing.
        """
        cleaned = self.schema_.coerce(frame)
        for step in self.steps:
            cleaned = step.transform(cleaned)
        return cleaned.astype(dict.fromkeys(self.level_columns, "category"))


def fit_cleaner(
    frame: pd.DataFrame,
    types: Mapping[str, ColumnType],
    cleaning: Cleaning,
    day_first: Mapping[str, bool | None] | None = None,
) -> Cleaner:
    """Fit the cleaning on raw training rows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Raw training rows, the features only.
    types : mapping of str to ColumnType
        The type of every column.
    cleaning : Cleaning
        Which repairs are wanted.
    day_first : mapping of str to bool, optional
        How the dates of a column are written.

    Raises
    ------
    RecipeError
        If no column is left to learn from.
    """
    everything = schema_of(frame, types, day_first, cleaning)
    dropped = columns_to_drop(everything.coerce(frame), types, cleaning)
    schema = Schema(fields=tuple(field for field in everything.fields if field.name not in dropped))
    if not schema.fields:
        raise RecipeError(
            "No column is left to predict from: all of them are constant or identifiers.",
            "Choose other columns, or keep identifiers.",
        )
    current = schema.coerce(frame)
    steps: list[Step] = []

    def add(step: Step) -> None:
        nonlocal current
        current = step.transform(current)
        steps.append(step)

    dates = [c for c in current.columns if types[c] is ColumnType.DATETIME]
    if dates:
        add(ExpandDates.fit(current, dates))
    orders = _orders(current, types, cleaning)
    if orders:
        add(RankLevels(orders=orders))
    texts = ExpandTexts.fit(current, [c for c in current.columns if types.get(c) is ColumnType.TEXT])
    if texts is not None:
        add(texts)
    # Kept or not, a column that never changes can't tell rows apart, and networks refuse to learn from none.
    if all(current[c].nunique(dropna=False) < 2 for c in current.columns):
        raise RecipeError(
            "No column is left to predict from: all of them are constant or identifiers.",
            "Choose other columns, or keep identifiers.",
        )
    numbers = [c for c in current.columns if c not in types or types[c] is ColumnType.NUMBER or c in orders]
    levels = [c for c in current.columns if types.get(c) in _LEVELLED and c not in orders]
    for step in _fills(current, numbers, levels, cleaning):
        add(step)
    named = (*_LEVELLED, ColumnType.IDENTIFIER)
    as_levels = [c for c in current.columns if types.get(c) in named and c not in orders]
    return Cleaner(schema_=schema, dropped=dropped, steps=tuple(steps), level_columns=tuple(as_levels))


def columns_to_drop(frame: pd.DataFrame, types: Mapping[str, ColumnType], cleaning: Cleaning) -> dict[str, str]:
    """Name the columns that the repairs leave out, with the reason.

    A column without a single value is left out in any case: nothing can be learned from it.
    """
    found: dict[str, str] = {}
    for column in frame.columns:
        distinct = frame[column].nunique()
        if distinct == 0:
            found[column] = "no value at all"
        elif cleaning.drop_constant and distinct == 1 and not frame[column].isna().any():
            found[column] = "the same value in every row"
        elif cleaning.drop_identifiers and types[column] is ColumnType.IDENTIFIER:
            found[column] = "an identifier: it names rows and says nothing about new ones"
    return found


def _orders(frame: pd.DataFrame, types: Mapping[str, ColumnType], cleaning: Cleaning) -> dict[str, tuple[str, ...]]:
    """Return the orders of those columns of which some row holds a level that is in it."""
    return {
        column: order
        for column, order in cleaning.orders.items()
        if types.get(column) is ColumnType.CATEGORY and column in frame.columns and frame[column].isin(order).any()
    }


def _fills(frame: pd.DataFrame, numbers: list[str], levels: list[str], cleaning: Cleaning) -> list[Step]:
    """Fit the steps that fill what is missing.

    Every column gets a value, also one without a gap in the training rows: new rows may have one.
    """
    steps: list[Step] = []
    if numbers and cleaning.impute_numbers != "keep":
        centre = {"median": frame[numbers].median(), "mean": frame[numbers].mean(), "zero": frame[numbers].mean() * 0}
        values = {c: float(v) for c, v in centre[cleaning.impute_numbers].items()}
        flagged = tuple(c for c in numbers if frame[c].isna().any()) if cleaning.missing_flags else ()
        steps.append(FillNumbers(values=values, flags=flagged))
    if levels and cleaning.impute_categories != "keep":
        most = {c: str(frame[c].mode().iloc[0]) for c in levels}
        own = dict.fromkeys(levels, MISSING_LEVEL)
        steps.append(FillLevels(values=most if cleaning.impute_categories == "most_frequent" else own))
    return steps
