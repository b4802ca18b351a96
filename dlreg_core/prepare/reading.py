"""Reading a file of raw rows for a model that exists."""

from __future__ import annotations

import pandas as pd

from dlreg_core.ingest import read_rows
from dlreg_core.ingest.reading import Source
from dlreg_core.prepare.schema import Schema
from dlreg_core.specs import ColumnType


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
    # Dates stay text here: the schema knows in which order their day and month are written.
    kinds = {
        field.name: ColumnType.TEXT if field.type is ColumnType.DATETIME else field.type for field in schema.fields
    }
    return read_rows(source, like=kinds)


def free_name(name: str, rows: pd.DataFrame) -> str:
    """Return `name`, with a number behind it where the rows have such a column already: theirs is kept."""
    number, free = 1, name
    while free in rows.columns:
        number += 1
        free = f"{name}_{number}"
    return free
