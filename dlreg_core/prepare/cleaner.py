"""The fitted cleaning: from raw rows to what the networks learn from, always in the same way."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from pydantic import Field

from dlreg_core.errors import RecipeError
from dlreg_core.prepare.filling import FillByNeighbours, FillByRegression
from dlreg_core.prepare.outliers import ClipOutliers
from dlreg_core.prepare.schema import Schema, schema_of
from dlreg_core.prepare.steps import MISSING_LEVEL, ExpandDates, FillLevels, FillNumbers, Step
from dlreg_core.specs import Cleaning, ColumnType, NumberFill, Spec

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
    # Kept or not, a column that never changes can't tell rows apart, and networks refuse to learn from none.
    if all(current[c].nunique(dropna=False) < 2 for c in current.columns):
        raise RecipeError(
            "No column is left to predict from: all of them are constant or identifiers.",
            "Choose other columns, or keep identifiers.",
        )
    numbers = [c for c in current.columns if c not in types or types[c] is ColumnType.NUMBER]
    levels = [c for c in current.columns if types.get(c) in _LEVELLED]
    clipped = {n: r for n, r in cleaning.outliers.items() if r.act == "clip" and n in numbers}
    if clipped:
        # Before anything else looks at the values: a mean of gaps must not be that of the outliers.
        add(ClipOutliers.fit(current, clipped))
    for step in _fills(current, numbers, levels, cleaning):
        add(step)
    as_levels = [c for c in current.columns if types.get(c) in (*_LEVELLED, ColumnType.IDENTIFIER)]
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


def _fills(frame: pd.DataFrame, numbers: list[str], levels: list[str], cleaning: Cleaning) -> list[Step]:
    """Fit the steps that fill what is missing.

    Every column gets a value, also one without a gap in the training rows: new rows may have one.
    """
    steps: list[Step] = []
    common = NumberFill(method=cleaning.impute_numbers, constant=cleaning.impute_constant, flag=cleaning.missing_flags)
    fills = {c: cleaning.fills.get(c, common) for c in numbers}
    flagged = [c for c in numbers if fills[c].flag and fills[c].method != "keep" and frame[c].isna().any()]
    # These first: they look at other columns, whose gaps must not have been filled with something else.
    for method, kind in (("knn", FillByNeighbours), ("iterative", FillByRegression)):
        own = tuple(c for c in numbers if fills[c].method == method)
        if own:
            steps.append(kind.fit(frame, numbers, own, tuple(c for c in flagged if c in own)))
    fixed = {c: _fixed(frame[c], fill) for c, fill in fills.items() if fill.method not in ("knn", "iterative", "keep")}
    if fixed:
        steps.append(FillNumbers(values=fixed, flags=tuple(c for c in flagged if c in fixed)))
    if levels and cleaning.impute_categories != "keep":
        most = {c: str(frame[c].mode().iloc[0]) for c in levels}
        own_level = dict.fromkeys(levels, MISSING_LEVEL)
        steps.append(FillLevels(values=most if cleaning.impute_categories == "most_frequent" else own_level))
    return steps


def _fixed(values: pd.Series, fill: NumberFill) -> float:
    if fill.method == "median":
        return float(values.median())
    if fill.method == "mean":
        return float(values.mean())
    if fill.method == "most_frequent":
        return float(values.mode().iloc[0])
    return fill.constant if fill.method == "constant" else 0.0
