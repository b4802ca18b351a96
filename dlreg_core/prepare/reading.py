"""Reading a file of raw rows for a model that exists."""

from __future__ import annotations

import pandas as pd

from dlreg_core.ingest.reading import Source, read_bytes, read_table
from dlreg_core.ingest.tables import arrow_table, to_frame, type_columns
from dlreg_core.prepare.schema import UNITS, Schema
from dlreg_core.specs import ColumnType

_OTHER_MARKS = str.maketrans(".,", ",.")


def read_raw_rows(source: Source, schema: Schema) -> pd.DataFrame:
    """Read a table file so that its columns arrive as the model's schema expects them.

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
    # Dates stay text here: the schema knows in which order their day and month are written. So do numbers with a unit,
    # which need not be the one that the model learned from.
    kinds = {
        field.name: ColumnType.TEXT if field.unit or field.type is ColumnType.DATETIME else field.type
        for field in schema.fields
    }
    raw = read_table(read_bytes(source), single_column=True)
    columns = type_columns(raw, kinds)
    rows = to_frame(arrow_table(columns))
    unnamed = {field.name for field in schema.fields if field.type is ColumnType.NUMBER and not field.unit}
    # Whoever checks the rows can tell that the model learned from numbers without a unit.
    rows.attrs[UNITS] = {column.name: column.unit for column in columns if column.unit and column.name in unnamed}
    measured = [f.name for f in schema.fields if f.unit and f.name in rows and rows[f.name].dtype == object]
    if raw.dialect.decimal == ",":
        rows = rows.assign(**{name: rows[name].map(_with_point, na_action="ignore") for name in measured})
    return rows


def _with_point(text: str) -> str:
    """Write a number with a decimal point and commas between thousands."""
    return text.translate(_OTHER_MARKS)


def free_name(name: str, rows: pd.DataFrame) -> str:
    """Return `name`, with a number behind it where the rows have such a column already: theirs is kept."""
    number, free = 1, name
    while free in rows.columns:
        number += 1
        free = f"{name}_{number}"
    return free
