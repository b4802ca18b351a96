"""A table file → typed columns, and typed columns → a data frame."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import pandas as pd
import pyarrow as pa

from dlreg_core.ingest.batches.column_plan import KnownColumns
from dlreg_core.ingest.batches.column_profile import column_of
from dlreg_core.ingest.batches.row_sources import HeldRows
from dlreg_core.ingest.batches.typing_pass import MemorySink
from dlreg_core.ingest.batches.whole_table import typed_rows
from dlreg_core.ingest.formats.library_errors import said_plainly
from dlreg_core.ingest.formats.raw_table import RawTable, Source, read_bytes, read_table
from dlreg_core.specs import Column, ColumnType

Like = Mapping[str, Column | ColumnType]
"""What is known about the columns of the table that the new one should be read like."""


class TypedTable:
    """A table in memory, its columns in their types.

    Parameters
    ----------
    raw : RawTable
        The table as it stands in the file.
    like : mapping of str to Column or ColumnType, optional
        Profiles, or types only, of columns that are known already.
    day_first : bool, optional
        The order of dates that fit both.

    Attributes
    ----------
    table : pyarrow.Table
        ``int64``, ``float64``, ``timestamp[ns]`` (UTC, without a zone) or text; columns in the order of the file.

    Raises
    ------
    TableError
        If a column holds what no table of numbers, texts and dates can.
    """

    def __init__(self, raw: RawTable, like: Like | None = None, day_first: bool | None = None) -> None:
        known = {name: _as_column(name, column) for name, column in (like or {}).items()}
        held = MemorySink()
        self._source = HeldRows(raw)
        told = KnownColumns(raw.dialect.decimal, day_first, raw.dialect.file == "workbook", known)
        self._found = typed_rows(self._source, held, told)
        self.table = held.table

    @property
    def columns(self) -> tuple[Column, ...]:
        """The profile of each column."""
        return tuple(self._column(name) for name in self._source.names)

    def _column(self, name: str) -> Column:
        values = self.table.column(name)
        return column_of(lambda: iter([values]), self._found, self._source, name)[0]

    @cached_property
    def duplicates(self) -> int:
        """How many rows repeat an earlier one."""
        return self._found.duplicates


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
    return to_frame(TypedTable(raw, like).table)


def _as_column(name: str, known: Column | ColumnType) -> Column:
    return known if isinstance(known, Column) else Column(name=name, type=known, missing=0, distinct=0)
