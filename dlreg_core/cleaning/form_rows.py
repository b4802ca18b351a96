"""What a form for one row needs to know of a finished run, without loading its models."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import pandas as pd

from dlreg_core.cleaning.cleaner import Cleaner
from dlreg_core.cleaning.schema import Schema, SchemaField, coerce_column
from dlreg_core.specs import ColumnType

Value = float | str | None
_FINE = 3
"""Decimal places finer than the size of a column's range to which a typical number is given."""


def form_fields(cleaner: Cleaner, order: Iterable[str] = ()) -> tuple[SchemaField, ...]:
    """Return the columns that a form asks for: those that the models see, the most important first.

    Parameters
    ----------
    cleaner : Cleaner
        The fitted cleaning.
    order : iterable of str
        Columns by their importance; those that it doesn't name follow in the table's order.
    """
    places = {name: place for place, name in enumerate(order)}
    return tuple(sorted(cleaner.schema_.fields, key=lambda field: places.get(field.name, len(places))))


def typical_row(schema: Schema) -> dict[str, Value]:
    """Return what a form starts from: the median of numbers, the most frequent level, the middle date."""
    return {field.name: _readable(field) for field in schema.fields}


def _readable(field: SchemaField) -> Value:
    """Return what is typical of a column; a number, which may be the mean of two, as finely as its range asks for."""
    if field.type is not ColumnType.NUMBER or not isinstance(field.typical, int | float):
        return field.typical
    width = float(field.maximum or 0) - float(field.minimum or 0)
    if not 0 < width < math.inf:
        return field.typical
    return round(float(field.typical), max(0, _FINE - math.floor(math.log10(width))))


def row_values(schema: Schema, raw: pd.DataFrame) -> dict[str, Value]:
    """Return the first of some raw rows as a form shows it: numbers, texts, dates as ISO 8601, None where missing."""
    found: dict[str, Value] = {}
    for field in schema.fields:
        value = coerce_column(
            raw[field.name].iloc[:1], field.type, field.day_first, time_of_day=field.time_of_day
        ).iloc[0]
        if pd.isna(value):
            found[field.name] = None
        elif field.type is ColumnType.DATETIME:
            found[field.name] = pd.Timestamp(value).isoformat()
        else:
            found[field.name] = float(value) if field.type is ColumnType.NUMBER else str(value)
    return found


def row_frame(schema: Schema, values: Mapping[str, Value]) -> pd.DataFrame:
    """Return one raw row with all of the schema's columns; those without a value are missing."""
    return pd.DataFrame({name: [values.get(name)] for name in schema.names})
