"""Reading a file of raw rows for a model that exists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from dlreg_core.cleaning.schema import UNITS, Schema
from dlreg_core.ingest.batches import TypedTable, to_frame
from dlreg_core.ingest.formats import RawTable, Source, names_as_known, read_bytes, read_table, said_plainly, unpacked
from dlreg_core.ingest.formats.text import reading_like
from dlreg_core.ingest.inference import flat, plain_values, read_known
from dlreg_core.ingest.inference.numbers import encode
from dlreg_core.specs import ColumnFormat, ColumnType, Dialect, NumberForm, TableFormat

_OTHER_MARKS = str.maketrans(".,", ",.")
_MOST_EXACT = 2.0**53
_OWN_FILE = Dialect(delimiter=",", encoding="utf-8")


@said_plainly()
def read_raw_rows(source: Source, schema: Schema) -> pd.DataFrame:
    """Read a table file so that its columns arrive as the model's schema expects them.

    Cells mean what they mean in the table that was learned from, whatever else the file holds. Where some are written
    in another way, the column stays as it is written: the schema reads it then, and knows what to say of it.

    Parameters
    ----------
    source : Path, str, bytes or binary file object
        A CSV or Parquet file, or its content.
    schema : Schema
        The columns that the model needs; the file may have others.

    Raises
    ------
    TableError
        If it is no readable table.
    """
    content = read_bytes(source)
    if schema.written is None:
        return _guessed(content, schema)
    written, content = schema.written, unpacked(content)
    levels = {level for field in schema.fields for level in field.levels}
    reading = reading_like(content, written.dialect, (*schema.names, *written.columns), levels)
    table = _as_known(read_table(content, reading, single_column=True), (*schema.names, *written.columns)).table
    return pd.DataFrame(
        {
            name: _column(name, column, written.columns.get(name))
            for name, column in zip(table.column_names, table.columns, strict=True)
        }
    )


def read_own_rows(source: Source, schema: Schema) -> pd.DataFrame:
    """Read a file of raw rows that this program wrote as CSV: with decimal points, without units, with ISO dates."""
    if schema.written is None:
        return read_raw_rows(source, schema)
    measured = {field.name for field in schema.fields if field.unit}
    columns = {
        # What was converted into one unit stands there as numbers.
        name: form.model_copy(
            update={"form": NumberForm(), "unit": "", "kind": "number" if name in measured else form.kind}
        )
        for name, form in schema.written.columns.items()
    }
    plain = TableFormat(dialect=_OWN_FILE, columns=columns)
    return read_raw_rows(source, schema.model_copy(update={"written": plain}))


def _as_known(raw: RawTable, known: Sequence[str]) -> RawTable:
    """Return a table whose columns have the names by which the model knows them."""
    others = names_as_known(raw.written, raw.table.column_names, frozenset(known))
    if not others:
        return raw
    names = [others.get(name, name) for name in raw.table.column_names]
    units = {others.get(name, name): unit for name, unit in raw.units.items()}
    notes = {others.get(name, name): note for name, note in raw.notes.items()}
    return replace(raw, table=raw.table.rename_columns(names), units=units, notes=notes)


def _column(name: str, raw: pa.ChunkedArray, form: ColumnFormat | None) -> pd.Series:
    raw = flat(raw)
    if not pa.types.is_string(raw.type):
        # Infinite numbers are kept: that they can't be used is told.
        kept = raw if pa.types.is_floating(raw.type) else plain_values(name, raw)
        values: pd.Series = kept.to_pandas()
        return values
    if form is None:
        texts: pd.Series = raw.to_pandas().astype(object)
        return texts.where(texts.notna() & (texts != ""), None)
    coded = encode(raw)
    if form.kind == "number":
        cells = read_known(coded.levels.to_pylist(), form)
        if set(cells.how) <= {"as-known"}:
            numbers = pd.Series(coded.spread(pa.array(cells.values, pa.float64())).to_pandas())
            return numbers.astype("int64") if _are_whole(numbers) else numbers
    return pd.Series(coded.spread(coded.levels).to_pandas(), dtype=object)


def _are_whole(numbers: pd.Series) -> bool:
    return bool(len(numbers) and (numbers == np.round(numbers)).all() and (numbers.abs() < _MOST_EXACT).all())


def _guessed(content: bytes, schema: Schema) -> pd.DataFrame:
    """Read a file for a model that doesn't know how its table was written."""
    # Dates stay text here: the schema knows in which order their day and month are written. So do numbers with a unit,
    # which need not be the one that the model learned from.
    kinds = {
        field.name: ColumnType.TEXT if field.unit or field.type is ColumnType.DATETIME else field.type
        for field in schema.fields
    }
    raw = _as_known(read_table(content, single_column=True), schema.names)
    typed = TypedTable(raw, kinds)
    rows = to_frame(typed.table)
    unnamed = {field.name for field in schema.fields if field.type is ColumnType.NUMBER and not field.unit}
    # Whoever checks the rows can tell that the model learned from numbers without a unit.
    rows.attrs[UNITS] = {column.name: column.unit for column in typed.columns if column.unit and column.name in unnamed}
    measured = [f.name for f in schema.fields if f.unit and f.name in rows and rows[f.name].dtype == object]
    if raw.dialect.decimal == ",":
        rows = rows.assign(**{name: rows[name].map(_with_point, na_action="ignore") for name in measured})
    return rows


def _with_point(text: str) -> str:
    """Write a number with a decimal point and commas between thousands."""
    return text.translate(_OTHER_MARKS)


def numbered_name(name: str, rows: pd.DataFrame) -> str:
    """Return `name`, with a number behind it where the rows have such a column already: theirs is kept."""
    number, free = 1, name
    while free in rows.columns:
        number += 1
        free = f"{name}_{number}"
    return free
