"""The fitted cleaning: from raw rows to what the networks learn from, always in the same way."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from dlreg_core.cleaning.conform import forms_of
from dlreg_core.cleaning.lags.fitted_lags import Past
from dlreg_core.cleaning.lags.lag_columns import steps_ahead
from dlreg_core.cleaning.schema import Schema, schema_of
from dlreg_core.cleaning.steps.date_features import ExpandDates
from dlreg_core.cleaning.steps.imputation import fitted_fills
from dlreg_core.cleaning.steps.interactions import CombineColumns
from dlreg_core.cleaning.steps.ordinal_encoding import RankLevels
from dlreg_core.cleaning.steps.outlier_clipping import ClipOutliers
from dlreg_core.cleaning.steps.scaling import ScaleNumbers
from dlreg_core.cleaning.steps.step_types import Step
from dlreg_core.cleaning.steps.text_features import ExpandTexts
from dlreg_core.cleaning.steps.value_repairs import repaired
from dlreg_core.errors import RecipeError
from dlreg_core.specs import Cleaning, ColumnType, Spec, TableFormat

_LEVELLED = (ColumnType.CATEGORY, ColumnType.BOOLEAN)


class Cleaner(Spec):
    """Cleaning as it was fitted on the training rows; kept and loaded as JSON."""

    schema_: Schema
    dropped: dict[str, str] = Field(default_factory=dict)
    """Columns that are left out, and why, by `columns_to_drop`; new rows need not have them."""
    steps: tuple[Step, ...]
    level_columns: tuple[str, ...]
    """Columns that the networks get as categories."""
    past: Past | None = None
    """How columns of the schema are made of earlier rows, where a file doesn't have them."""

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns that new rows must have."""
        if self.past is None:
            return self.schema_.names
        made = {*self.past.made}
        own = (name for name in self.schema_.names if name not in made)
        return tuple(dict.fromkeys((*own, *self.past.needed)))

    def complete(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return raw rows with the columns that are made of earlier ones; see `Past.complete`."""
        if self.past is None:
            return frame
        units = {field.name: field.unit for field in self.schema_.fields if field.unit and field.name in frame.columns}
        forms = {name: form for name, form in forms_of(self.schema_.written).items() if name in frame.columns}
        if not units and not forms:
            return self.past.complete(frame)
        # What is made of a column is made of what it means; the column itself stays as it is written.
        mark = next((forms[name].form.decimal for name in units if name in forms), ".")
        read = repaired(self.schema_.as_stored(frame), Cleaning(units=units, decimal=mark))
        return self.past.complete(read).assign(**{name: frame[name] for name in (*units, *forms)})

    def warnings(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """Say where raw rows leave what the model has seen; see `Schema.warnings`."""
        complete = self.complete(frame)
        if self.past is None:
            return self.schema_.warnings(complete)
        told = self.past.warnings(complete)
        # What is further ahead than was learned is said once.
        return (*told, *self.schema_.warnings(self.past.within_reach(complete)))

    def too_far(self, frame: pd.DataFrame) -> NDArray[np.bool_]:
        """Tell which completed rows are further ahead than the models were made for; see `Past.too_far`."""
        return np.zeros(len(frame), dtype=bool) if self.past is None else self.past.too_far(frame)

    def steps_ahead(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Return how many whole steps ahead completed rows are; 1 where earlier targets aren't used."""
        ahead = None if self.past is None else self.past.ahead(frame)
        if self.past is None or ahead is None:
            return np.ones(len(frame))
        return steps_ahead(ahead, self.past.history.horizon)

    def wanted(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return of completed rows what predicting them needs."""
        ahead = self.past.ahead_column if self.past is not None else None
        more = [ahead] if ahead in frame.columns and ahead not in self.schema_.names else []
        return frame[[*self.schema_.names, *more]]

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
        cleaned = self.schema_.coerce(self.complete(frame))
        for step in self.steps:
            cleaned = step.transform(cleaned)
        return cleaned.astype(dict.fromkeys(self.level_columns, "category"))


def fit_cleaner(
    frame: pd.DataFrame,
    types: Mapping[str, ColumnType],
    cleaning: Cleaning,
    day_first: Mapping[str, bool | None] | None = None,
    written: TableFormat | None = None,
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
    written : TableFormat, optional
        How the whole table is written: new rows are read so.

    Raises
    ------
    RecipeError
        If no column is left to learn from.
    """
    everything = schema_of(frame, types, day_first, cleaning)
    dropped = columns_to_drop(everything.coerce(frame), types, cleaning)
    schema = Schema(fields=tuple(field for field in everything.fields if field.name not in dropped), written=written)
    if not schema.fields:
        raise RecipeError(
            "No column is left to predict from: all of them are constant or identifiers.",
            "Choose other columns, or keep identifiers.",
        )
    fitting = _Fitting(schema.coerce(frame))
    dates = [c for c in schema.names if types[c] is ColumnType.DATETIME]
    if dates:
        fitting.add(ExpandDates.fit(fitting.rows, dates))
    orders = _orders(fitting.rows, types, cleaning)
    if orders:
        fitting.add(RankLevels(orders=orders))
    texts = ExpandTexts.fit(fitting.rows, [c for c in fitting.rows.columns if types.get(c) is ColumnType.TEXT])
    if texts is not None:
        fitting.add(texts)
    # Kept or not, a column that never changes can't tell rows apart, and networks refuse to learn from none.
    if all(fitting.rows[c].nunique(dropna=False) < 2 for c in fitting.rows.columns):
        raise RecipeError(
            "No column is left to predict from: all of them are constant or identifiers.",
            "Choose other columns, or keep identifiers.",
        )
    numbers = [c for c in fitting.rows.columns if c not in types or types[c] is ColumnType.NUMBER or c in orders]
    levels = [c for c in fitting.rows.columns if types.get(c) in _LEVELLED and c not in orders]
    _fit_numbers(fitting, numbers, levels, cleaning)
    named = (*_LEVELLED, ColumnType.IDENTIFIER)
    as_levels = [c for c in fitting.rows.columns if types.get(c) in named and c not in orders]
    return Cleaner(schema_=schema, dropped=dropped, steps=tuple(fitting.steps), level_columns=tuple(as_levels))


class _Fitting:
    """Training rows on their way through the steps that are fitted on them."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self.rows = rows
        self.steps: list[Step] = []

    def add(self, step: Step) -> None:
        self.rows = step.transform(self.rows)
        self.steps.append(step)


def _fit_numbers(fitting: _Fitting, numbers: list[str], levels: list[str], cleaning: Cleaning) -> None:
    """Fit the steps that change values: outliers, combinations, gaps, scales, in this order.

    Outliers first, so that a mean that fills gaps isn't theirs; scales last, so that combinations are of values in
    their own unit.
    """
    clipped = {n: r for n, r in cleaning.outliers.items() if r.act == "clip" and n in numbers}
    if clipped:
        fitting.add(ClipOutliers.fit(fitting.rows, clipped))
    wanted = tuple(one for one in cleaning.combinations if {one.left, one.right} <= {*numbers})
    if wanted:
        before = set(fitting.rows.columns)
        fitting.add(CombineColumns.fit(fitting.rows, wanted))
        numbers = [*numbers, *(c for c in fitting.rows.columns if c not in before)]
    for step in fitted_fills(fitting.rows, numbers, levels, cleaning):
        fitting.add(step)
    scaled = {c: method for c, method in cleaning.scaling.items() if c in numbers}
    if scaled:
        fitting.add(ScaleNumbers.fit(fitting.rows, scaled))


def columns_to_drop(frame: pd.DataFrame, types: Mapping[str, ColumnType], cleaning: Cleaning) -> dict[str, str]:
    """Name the columns that the repairs leave out, each with why: "empty", "constant" or "identifier".

    A column without a single value is left out in any case: nothing can be learned from it.
    """
    found: dict[str, str] = {}
    for column in frame.columns:
        distinct = frame[column].nunique()
        if distinct == 0:
            found[column] = "empty"
        elif cleaning.drop_constant and distinct == 1 and not frame[column].isna().any():
            found[column] = "constant"
        elif cleaning.drop_identifiers and types[column] is ColumnType.IDENTIFIER:
            found[column] = "identifier"
    return found


def _orders(frame: pd.DataFrame, types: Mapping[str, ColumnType], cleaning: Cleaning) -> dict[str, tuple[str, ...]]:
    """Return the orders of those columns of which some row holds a level that is in it."""
    return {
        column: order
        for column, order in cleaning.orders.items()
        if types.get(column) is ColumnType.CATEGORY and column in frame.columns and frame[column].isin(order).any()
    }
