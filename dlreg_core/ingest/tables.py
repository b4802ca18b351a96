"""A table file → typed columns, and typed columns → a data frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pandas as pd
import pyarrow as pa

from dlreg_core.ingest.boundary import said_plainly
from dlreg_core.ingest.columns import type_column
from dlreg_core.ingest.judging import TypedColumn, with_unit
from dlreg_core.ingest.reading import RawTable, Source, read_bytes, read_table
from dlreg_core.specs import Column, ColumnType

Like = Mapping[str, Column | ColumnType]
"""What is known about the columns of the table that the new one should be read like."""


def type_columns(raw: RawTable, like: Like | None = None, day_first: bool | None = None) -> tuple[TypedColumn, ...]:
    """Type every column of a table.

    Parameters
    ----------
    raw : RawTable
        The table as it stands in the file.
    like : mapping of str to Column or ColumnType, optional
        Profiles, or types only, of columns that are known already.
    day_first : bool, optional
        The order of dates that fit both.

    Returns
    -------
    tuple of TypedColumn
        In the order of the file.

    Raises
    ------
    TableError
        If a column holds what no table of numbers, texts and dates can.
    """
    known = {name: _as_column(name, column) for name, column in (like or {}).items()}
    names, cells = raw.table.column_names, raw.dialect.file == "workbook"
    return tuple(
        _completed(type_column(name, column, raw.dialect.decimal, known.get(name), day_first, cells=cells), raw)
        for name, column in zip(names, raw.table.columns, strict=True)
    )


def _completed(typed: TypedColumn, raw: RawTable) -> TypedColumn:
    """Return a column with what the file tells of it elsewhere than beside its values."""
    note = raw.notes.get(typed.name, "")
    noted = replace(typed, note=note, note_code="no-results") if note else typed
    return with_unit(noted, raw.units.get(typed.name, ""))


def arrow_table(columns: Sequence[TypedColumn]) -> pa.Table:
    """Put typed columns side by side."""
    return pa.table([column.values for column in columns], names=[column.name for column in columns])


def to_frame(table: pa.Table) -> pd.DataFrame:
    """Return a typed table as a data frame.

    Numbers become ``int64``, or ``float64`` where there are fractions or missing values; dates ``datetime64[ns]`` in
    UTC without a zone; everything else, booleans too, text as ``object`` with None where it is missing.
    """
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True)
    return frame


@said_plainly()
def read_rows(source: Source, *, like: Like | None = None) -> pd.DataFrame:
    """Read the rows of a table file without storing or profiling them, such as rows to predict.

    Parameters
    ----------
    source : Path, str, bytes or binary file object
        A CSV or Parquet file, or its content; it may have a single column.
    like : mapping of str to Column or ColumnType, optional
        The columns of the table that a model was trained on: what was text there stays text here, and dates are read
        in the same order of day and month (that needs the `Column`). Values that don't fit are left as text, so that
        whoever checks the rows can name them.

    Returns
    -------
    pandas.DataFrame
        Rows and columns in the order of the file, in the types of `DatasetStore.table`.

    Raises
    ------
    TableError
        If the file is no readable table.
    """
    raw = read_table(read_bytes(source), single_column=True)
    return to_frame(arrow_table(type_columns(raw, like)))


def _as_column(name: str, known: Column | ColumnType) -> Column:
    return known if isinstance(known, Column) else Column(name=name, type=known, missing=0, distinct=0)
