"""A single column, read as a table of it alone would be."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from dlreg_core.ingest.batches.typed_table import TypedTable
from dlreg_core.ingest.formats.raw_table import RawTable
from dlreg_core.specs import Column, Dialect


def read_column(
    name: str,
    values: Sequence[str | None] | pa.Array,
    decimal: str = ".",
    like: Column | None = None,
    day_first: bool | None = None,
) -> tuple[Column, pa.ChunkedArray]:
    """Return the profile of a column, and its values in their type.

    Parameters
    ----------
    name : str
        What it is called.
    values : sequence of str, or pyarrow.Array
        Texts as in a CSV file, or values of any type as in a Parquet file.
    decimal : str
        Decimal mark of the file.
    like : Column, optional
        What it is to be read like.
    day_first : bool, optional
        The order of day and month, where it was told.
    """
    array = values if isinstance(values, pa.Array) else pa.array(values, pa.string())
    raw = RawTable(pa.table({name: array}), Dialect(decimal=decimal))
    typed = TypedTable(raw, None if like is None else {name: like}, day_first)
    return typed.columns[0], typed.table.column(name)
