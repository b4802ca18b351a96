"""What the columns of the raw table must look like, and how a raw table is brought into that shape."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field as PydanticField

from dlreg_core.arrow import compute as pc
from dlreg_core.cleaning.conform import as_stored, forms_of, unexpected_cells
from dlreg_core.cleaning.row_warnings import odd_words
from dlreg_core.cleaning.steps.value_repairs import merged, repaired, without_codes
from dlreg_core.errors import RowsError
from dlreg_core.ingest.inference import convertible, in_unit, other_units, seconds_since_midnight
from dlreg_core.ingest.inference.times import FIRST_YEAR, LAST_YEAR, date_order_of, parse_dates, read_moments
from dlreg_core.specs import Cleaning, ColumnFormat, ColumnType, Spec, TableFormat

_YES_NO = dict.fromkeys(("true", "yes", "y", "t", "1", "1.0"), "yes") | dict.fromkeys(
    ("false", "no", "n", "f", "0", "0.0"), "no"
)
_ZEROS_AFTER_POINT = re.compile(r"([+-]?\d+)(?:\.0+|(\.\d*?[1-9])0+)")
_YEAR = re.compile(r"\d{4}")
_MOST_EXACT = 2.0**53
LARGEST = float(np.finfo(np.float32).max)
"""The largest number that models compute with, about 3.4 × 10³⁸."""
_MOST_LEVELS = 1000
_NO_REPAIRS = Cleaning()
_EPOCH = pd.Timestamp(0)
UNITS = "units"
"""Where raw rows keep the units of columns that were learned from without one: ``frame.attrs[UNITS]``."""


class SchemaField(Spec):
    """One column that the model needs: its type, and the range or the levels seen in the training rows."""

    name: str
    type: ColumnType
    integer: bool = False
    numeric_levels: bool = False
    """For categories: whether the levels are numbers, so that 1 and 1.0 are the same level."""
    day_first: bool | None = None
    """For dates: whether text such as 03/04/2024 means the third of April."""
    time_of_day: bool = False
    """For dates: whether they are times without a day, kept on 1 January 1970."""
    unit: str = ""
    """For numbers: what they are measured in, where the training file said so; other units are converted into it."""
    missing_codes: tuple[float, ...] = ()
    """For numbers: those that stand for a missing value."""
    merged_labels: dict[str, str] = PydanticField(default_factory=dict)
    """For categories: labels that are written in another way, each with the label that takes its place."""
    order: tuple[str, ...] = ()
    """For categories: their levels from the lowest to the highest, where they have an order; others are missing."""
    minimum: float | str | None = None
    maximum: float | str | None = None
    typical: float | str | None = None
    """Median of a number, most frequent level of a category, middle date: what a form starts from."""
    levels: tuple[str, ...] = ()
    complete: bool | None = None
    """Whether every training row had a value; None in models of earlier versions, which don't tell."""


class Schema(Spec):
    """The columns that the model needs, in order."""

    fields: tuple[SchemaField, ...]
    written: TableFormat | None = None
    """How the table that was learned from is written: new rows are read as its own were. None in models of earlier
    versions, for which each file is guessed by itself."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(field.name for field in self.fields)

    def field(self, name: str) -> SchemaField:
        """Return the field called `name`; ``KeyError`` if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    def coerce(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Bring raw rows into the schema's columns and types.

        Parameters
        ----------
        frame : pandas.DataFrame
            Raw rows; other columns are ignored, what can't be read as its type becomes missing.

        Returns
        -------
        pandas.DataFrame
            Numbers as float64, dates as datetime64, everything else as text or None; the index is kept.

        Raises
        ------
        RowsError
            If a column is missing; the message names all that are.
        """
        absent = [name for name in self.names if name not in frame.columns]
        if absent:
            listed = ", ".join(absent[:10]) + (f" and {len(absent) - 10} more" if len(absent) > 10 else "")
            raise RowsError(
                f"The table has no column {listed}.",
                "Give it the columns that the model was trained on; their names must match exactly.",
            )
        forms = forms_of(self.written)
        return pd.DataFrame(
            {f.name: _coerce_field(frame[f.name], f, forms.get(f.name)) for f in self.fields}, index=frame.index
        )

    def lacking(self, frame: pd.DataFrame) -> dict[str, NDArray[np.bool_]]:
        """Tell which raw rows lack a column that no training row lacked, as far as that is known.

        Returns
        -------
        dict of str to ndarray of bool, shape (rows,)
            By column, those only that some row lacks.
        """
        coerced = self.coerce(frame)
        lacks = {f.name: coerced[f.name].isna().to_numpy() for f in self.fields if f.complete is not False}
        return {name: rows for name, rows in lacks.items() if rows.any()}

    def as_stored(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return raw rows with those columns as the table that was learned from would hold them that stood in it."""
        forms = {name: form for name, form in forms_of(self.written).items() if name in frame.columns}
        return frame.assign(**{name: as_stored(frame[name], form) for name, form in forms.items()})

    def warnings(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """Say, a sentence a column, where raw rows leave what the model has seen.

        Parameters
        ----------
        frame : pandas.DataFrame
            Raw rows with the schema's columns.
        """
        coerced = self.coerce(frame)
        found: list[str] = []
        units = frame.attrs.get(UNITS, {})
        forms = forms_of(self.written)
        for field in self.fields:
            found += _warnings_of(field, frame[field.name], coerced[field.name], forms.get(field.name))
            if field.name in units:
                found.append(
                    f"{field.name}: the numbers have a unit, {units[field.name]}, and those learned from had none: "
                    "they are taken as they are."
                )
        return tuple(found)


def coerce_column(
    values: pd.Series, kind: ColumnType, day_first: bool | None = None, *, time_of_day: bool = False
) -> pd.Series:
    """Read a raw column as `kind`; what can't be read becomes missing."""
    if kind is ColumnType.NUMBER:
        if values.dtype.kind == "M":
            # A time of day as a number is its seconds since midnight, as is a duration that was read as one.
            return seconds_since_midnight(values)
        numbers = pd.to_numeric(values, errors="coerce").astype("float64")
        return numbers.where(np.isfinite(numbers))
    if kind is ColumnType.DATETIME:
        moments = _moments(values, day_first, time_of_day=time_of_day)
        return _EPOCH + (moments - moments.dt.normalize()) if time_of_day else moments
    text = as_text(values)
    if kind is ColumnType.BOOLEAN:
        return text.map(lambda v: None if v is None else _YES_NO.get(v.strip().lower())).astype(object)
    return text


def _moments(values: pd.Series, day_first: bool | None, *, time_of_day: bool) -> pd.Series:
    if values.dtype.kind == "M":
        moments = pd.to_datetime(values, utc=True).dt.tz_localize(None)
        return moments.where(moments.dt.year.between(FIRST_YEAR, LAST_YEAR)).dt.as_unit("ns")
    # A year or 20240131 that stands as a number would be taken for nanoseconds since 1970.
    values = as_text(values) if pd.api.types.is_numeric_dtype(values.dtype) else values
    written = values.map(_written, na_action="ignore").astype(object)
    levels = pa.array(pd.unique(written.dropna()).tolist(), pa.string())
    if not len(levels):
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[ns]")
    moments = _of_levels(levels, day_first, time_of_day=time_of_day).to_pandas()
    return written.map(dict(zip(levels.to_pylist(), moments, strict=True))).astype("datetime64[ns]")


def _of_levels(levels: pa.StringArray, day_first: bool | None, *, time_of_day: bool) -> pa.TimestampArray:
    """Read texts in the order that is known; without one as a column of a table, or else each on its own."""
    whole = parse_dates(levels, digits=True, named=True) if day_first is None else None
    if whole is not None:
        return whole.moments
    dates = read_moments(levels, date_order_of(day_first))
    if dates.read.any() and not time_of_day:
        return dates.values
    # A form gives times of day on the day on which they are kept.
    times = read_moments(levels, None, time_of_day=True).values
    return pc.coalesce(times, dates.values)


def _written(value: object) -> str:
    """Return a date as a text in which a table could hold it; a year is its first day."""
    text = value.isoformat() if isinstance(value, date) else str(value).strip()
    return f"{text}-01-01" if _YEAR.fullmatch(text) else text


def _coerce_field(values: pd.Series, field: SchemaField, form: ColumnFormat | None) -> pd.Series:
    if form is not None:
        values = as_stored(values, form)
    if field.unit and values.dtype == object:
        values = in_unit(values, field.unit, form.form.decimal if form is not None else ".")
    values = without_codes(values, field.missing_codes)
    found = coerce_column(values, field.type, field.day_first, time_of_day=field.time_of_day)
    if field.type is ColumnType.NUMBER:
        found = computable(found)
    if field.numeric_levels:
        found = found.map(_plain_number).astype(object)
    return merged(found, field.merged_labels)


def computable(numbers: pd.Series) -> pd.Series:
    """Return numbers with those as missing that no model could compute with: they compute in four bytes a number."""
    return numbers.where(~(numbers.abs() > LARGEST))


def as_text(values: pd.Series) -> pd.Series:
    """Return a column as text; whole numbers without a decimal point, missing as None."""
    if pd.api.types.is_float_dtype(values.dtype):
        whole = values.notna() & (values.abs() < _MOST_EXACT) & (values == values.round())
        text = values.astype(str).where(~whole, values.where(whole, 0).astype("int64").astype(str))
    else:
        text = values.astype(str)
    return text.astype(object).where(values.notna(), None)


def _plain_number(text: str | None) -> str | None:
    """Write a number as `as_text` does, so that 2.50 in a file of new rows is the level 2.5 of a column of numbers."""
    found = _ZEROS_AFTER_POINT.fullmatch(text) if text else None
    return found[1] + (found[2] or "") if found else text


def schema_of(
    frame: pd.DataFrame,
    types: Mapping[str, ColumnType],
    day_first: Mapping[str, bool | None] | None = None,
    cleaning: Cleaning = _NO_REPAIRS,
) -> Schema:
    """Describe the columns of raw training rows.

    Parameters
    ----------
    frame : pandas.DataFrame
        Raw training rows, the features only.
    types : mapping of str to ColumnType
        The type of every column.
    day_first : mapping of str to bool, optional
        How the dates of a column are written.
    cleaning : Cleaning
        Its repairs of single values are part of the schema: new rows get them too.
    """
    written = day_first or {}
    rows = repaired(frame, cleaning)
    fields = [_field(str(name), rows[name], types[name], written.get(name)) for name in rows.columns]
    schema = Schema(fields=tuple(field.model_copy(update=_repairs(field, cleaning)) for field in fields))
    whole = schema.coerce(rows).notna().all()
    return Schema(fields=tuple(f.model_copy(update={"complete": bool(whole[f.name])}) for f in schema.fields))


def _repairs(field: SchemaField, cleaning: Cleaning) -> dict[str, Any]:
    """Return what the cleaning says of single values of a column."""
    found: dict[str, Any] = {
        "missing_codes": cleaning.missing_codes.get(field.name, ()),
        "merged_labels": cleaning.merged_labels.get(field.name, {}),
    }
    if field.type is ColumnType.NUMBER:
        found["unit"] = cleaning.units.get(field.name, "")
    order = cleaning.orders.get(field.name, ()) if field.type is ColumnType.CATEGORY else ()
    if order:
        seen = set(field.levels)
        others = tuple(level for level in field.levels if level not in order)
        # A form shows the levels in this order too.
        found |= {"order": order, "levels": (*(level for level in order if level in seen), *others)}
    return found


def _field(name: str, raw: pd.Series, kind: ColumnType, day_first: bool | None) -> SchemaField:
    values = coerce_column(raw, kind, day_first)
    values = (computable(values) if kind is ColumnType.NUMBER else values).dropna()
    if values.empty:
        return SchemaField(name=name, type=kind)
    if kind is ColumnType.NUMBER:
        return SchemaField(
            name=name,
            type=kind,
            integer=bool((values == values.round()).all()),
            minimum=float(values.min()),
            maximum=float(values.max()),
            typical=float(values.median()),
        )
    if kind is ColumnType.DATETIME:
        low, high, middle = values.min(), values.max(), values.sort_values().iloc[len(values) // 2]
        return SchemaField(
            name=name,
            type=kind,
            day_first=day_first,
            time_of_day=bool(low.normalize() == high.normalize() == _EPOCH),
            minimum=low.isoformat(),
            maximum=high.isoformat(),
            typical=middle.isoformat(),
        )
    counts = values.value_counts()
    levels = tuple(str(v) for v in counts.index[:_MOST_LEVELS]) if kind is not ColumnType.TEXT else ()
    numeric = kind is ColumnType.CATEGORY and pd.api.types.is_numeric_dtype(raw.dtype)
    return SchemaField(name=name, type=kind, numeric_levels=numeric, typical=str(counts.index[0]), levels=levels)


def _warnings_of(field: SchemaField, raw: pd.Series, read: pd.Series, form: ColumnFormat | None) -> list[str]:
    found: list[str] = []
    strange = 0
    if form is not None:
        found = [odd_words(field.name, field.type.value, seen, form) for seen in unexpected_cells(raw, form)]
        raw = as_stored(raw, form)
    if field.unit and raw.dtype == object:
        told, strange = _unit_warnings(field, raw)
        found += told
    unread = int((read.isna() & raw.notna() & ~raw.isin(field.missing_codes)).sum()) - strange
    if unread > 0:
        values, count = ("value", "counts") if unread == 1 else ("values", "count")
        found.append(f"{field.name}: {unread:,} {values} can't be read as {field.type.value} and {count} as missing.")
    if field.type is ColumnType.NUMBER and field.minimum is not None:
        beyond = int(((read < float(field.minimum)) | (read > float(field.maximum or 0))).sum())
        if beyond:
            low, high = f"{field.minimum:.10g}", f"{field.maximum:.10g}"
            values = f"{beyond:,} {'value lies' if beyond == 1 else 'values lie'}"
            if len(read) == 1:
                # Of a single row it is known which one.
                values = f"{float(read.iloc[0]):.10g} lies"
            found.append(f"{field.name}: {values} outside {low} to {high}, the range learned from.")
    elif field.type is ColumnType.DATETIME and field.minimum is not None and not field.time_of_day:
        found += _far_dates(field, read)
    elif field.order:
        unknown = sorted(set(read.dropna()) - set(field.order))
        if unknown:
            levels = "level has" if len(unknown) == 1 else "levels have"
            count = "counts" if len(unknown) == 1 else "count"
            found.append(
                f"{field.name}: {len(unknown):,} {levels} no place in the order {field.order[0]} to {field.order[-1]} "
                f"and {count} as missing ({_few(unknown)})."
            )
    elif field.type in (ColumnType.CATEGORY, ColumnType.BOOLEAN) and field.levels:
        new = sorted(set(read.dropna()) - set(field.levels))
        if new and len(field.levels) < _MOST_LEVELS:
            levels = "level was" if len(new) == 1 else "levels were"
            found.append(f"{field.name}: {len(new):,} {levels} never seen in training ({_few(new)}).")
    return found


def _far_dates(field: SchemaField, read: pd.Series) -> list[str]:
    """Say which dates are further from those learned from than these are from each other: later ones are usual."""
    low, high = (np.datetime64(str(end), "s") for end in (field.minimum, field.maximum))
    moments = read.dropna().to_numpy().astype("datetime64[s]")
    far = int(((moments < low - (high - low)) | (moments > high + (high - low))).sum())
    lies = "value lies" if far == 1 else "values lie"
    ends = f"{str(field.minimum)[:10]} to {str(field.maximum)[:10]}"
    return [f"{field.name}: {far:,} {lies} far outside {ends}, the range learned from."] if far else []


def _unit_warnings(field: SchemaField, raw: pd.Series) -> tuple[list[str], int]:
    """Say which other units rows have, and count those that can't be converted."""
    found, strange = [], 0
    for unit, rows in other_units(raw, field.unit).items():
        values, are, count = ("value", "is", "counts") if rows == 1 else ("values", "are", "count")
        if convertible(unit, field.unit):
            found.append(f"{field.name}: {rows:,} {values} in {unit} {are} converted into {field.unit}.")
            continue
        strange += rows
        found.append(
            f"{field.name}: {rows:,} {values} in {unit} can't be converted into {field.unit}, the unit learned from, "
            f"and {count} as missing."
        )
    return found, strange


def _few(levels: list[str]) -> str:
    return ", ".join(levels[:3]) + ("…" if len(levels) > 3 else "")
