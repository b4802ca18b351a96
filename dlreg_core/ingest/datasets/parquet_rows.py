"""Reading a stored table: whole, some of its rows, or piece by piece."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import parquet
from dlreg_core.ingest.batches.typed_table import to_frame


def all_rows(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return all rows of some columns, in the order of the table and of `columns`."""
    with parquet.ParquetFile(path) as file:
        return to_frame(file.read(columns=columns).select(columns))


def chosen_rows(path: Path, columns: Sequence[str], places: NDArray[np.int64]) -> pd.DataFrame:
    """Return the rows at `places`, counted from 0 and in that order, without holding the others in memory."""
    order = np.argsort(places, kind="stable")
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    ordered, found, at = places[order], [], 0
    with parquet.ParquetFile(path) as file:
        kind = file.schema_arrow
        for group in range(file.num_row_groups):
            end = at + file.metadata.row_group(group).num_rows
            low, high = np.searchsorted(ordered, [at, end])
            if low < high:
                some = file.read_row_group(group, columns=columns)
                found.append(some.select(columns).take(pa.array(ordered[low:high] - at)))
            at = end
    table = pa.concat_tables(found) if found else kind.empty_table().select(columns)
    return to_frame(table.take(pa.array(back)))


def top_rows(path: Path, columns: Sequence[str], count: int) -> pd.DataFrame:
    """Return the first `count` rows, without reading the others."""
    with parquet.ParquetFile(path) as file:
        first = next(file.iter_batches(batch_size=count, columns=columns), None)
        table = file.schema_arrow.empty_table() if first is None else pa.Table.from_batches([first])
        return to_frame(table.select(columns))


def missing_values(path: Path, columns: Sequence[str]) -> Iterator[NDArray[np.bool_]]:
    """Yield, piece by piece, what is missing in all rows: an array of shape (some rows, columns)."""
    with parquet.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            table = file.read_row_group(group, columns=columns)
            missing = [table.column(name).is_null().to_numpy() for name in columns]
            yield np.column_stack(missing) if missing else np.zeros((len(table), 0), dtype=np.bool_)
