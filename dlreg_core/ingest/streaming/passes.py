"""All batches of a table → a typed Parquet file."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.ingest.arrow import parquet
from dlreg_core.ingest.streaming.columns import ColumnReader
from dlreg_core.ingest.streaming.plans import Misfit, Plan
from dlreg_core.ingest.streaming.sources import Place, RowSource, is_empty

ROW_GROUP = 65_536
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(33)
_ENOUGH_EVIDENCE = 3
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass
class Pass:
    """What came of reading all rows once.

    ``evidence`` has, by column, the values that didn't fit its plan; None where only text is left. With any of it, the
    file isn't complete.
    """

    readers: dict[str, ColumnReader]
    rows: int = 0
    evidence: dict[str, list[pa.Array] | None] = field(default_factory=dict)
    hashes: list[NDArray[np.uint64]] = field(default_factory=list)

    @property
    def duplicates(self) -> int:
        """Rows that repeat an earlier one."""
        every = np.concatenate(self.hashes) if self.hashes else np.empty(0, np.uint64)
        self.hashes = []
        every.sort()
        return int((every[1:] == every[:-1]).sum())


class _Writing:
    """Writes batches while the next one is read."""

    def __init__(self, file: parquet.ParquetWriter) -> None:
        self._file = file
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writing")
        self._last: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.shutdown()
        if self._last is not None:
            self._last.result()

    def write(self, batch: pa.RecordBatch) -> None:
        # One is under way at most: the memory for more would be lost, and the order with it.
        if self._last is not None:
            self._last.result()
        self._last = self._thread.submit(self._file.write_batch, batch, row_group_size=ROW_GROUP)


def read_all(source: RowSource, plans: Sequence[Plan], target: Path, place: Place) -> Pass:
    """Read all rows and write them to `target`.

    Parameters
    ----------
    source : RowSource
        Where they come from.
    plans : sequence of Plan
        How to read each column.
    target : Path
        The Parquet file to write.
    place : callable
        Is told the share that has been read.

    Raises
    ------
    TableError
        If the rows can't be told apart.
    """
    schema = pa.schema([(plan.name, plan.arrow_type) for plan in plans])
    found = Pass({plan.name: ColumnReader(plan, source.dialect.decimal) for plan in plans})
    texts = [plan.name for plan in plans if pa.types.is_string(plan.arrow_type)]
    pending = 0
    with (
        parquet.ParquetWriter(target, schema, compression="zstd", compression_level=1, use_dictionary=texts) as file,
        _Writing(file) as writer,
    ):
        for batch in source.batches(place):
            filled = _filled(batch)
            if filled == 0:
                pending += batch.num_rows
                continue
            if pending:
                # Empty rows at the end are left out, those among others are rows.
                _take(_empty(batch.schema, pending), found, schema, writer)
            pending = batch.num_rows - filled
            _take(batch.slice(0, filled), found, schema, writer)
    for name, reader in found.readers.items():
        if name not in found.evidence:
            try:
                reader.check()
            except Misfit as misfit:
                found.evidence[name] = None if misfit.evidence is None else [misfit.evidence]
    return found


def _filled(batch: pa.RecordBatch) -> int:
    """Return how many rows there are up to the last one that isn't wholly empty."""
    rows: int = batch.num_rows
    if not rows or not all(pa.types.is_string(column.type) for column in batch.columns):
        return rows
    if any((column[-1].as_py() or "").strip() for column in batch.columns):
        return rows
    empty = np.ones(rows, dtype=np.bool_)
    for column in batch.columns:
        empty &= is_empty(column).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(~empty)
    return int(places[-1]) + 1 if len(places) else 0


def _empty(schema: pa.Schema, rows: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array([""] * rows, pa.string()) for _ in schema], names=schema.names)


def _take(batch: pa.RecordBatch, found: Pass, schema: pa.Schema, writer: _Writing) -> None:
    columns: list[pa.Array] = []
    rows = np.zeros(batch.num_rows, dtype=np.uint64)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        reader = found.readers[name]
        if len(found.evidence.get(name) or ()) >= _ENOUGH_EVIDENCE:
            continue
        try:
            values, hashes = reader.read(column)
        except Misfit as misfit:
            # All are read on: others may not fit either, and one more pass shall do for all.
            found.evidence[name] = [*(found.evidence.get(name) or ()), misfit.evidence]
            continue
        columns.append(values)
        _mix(rows, hashes)
    found.rows += batch.num_rows
    if not found.evidence:
        found.hashes.append(rows)
        writer.write(pa.RecordBatch.from_arrays(columns, schema=schema))


def _mix(rows: NDArray[np.uint64], hashes: NDArray[np.uint64]) -> None:
    """Let one column's hashes into those of the rows; the place of the column matters."""
    rows *= _STEP
    rows ^= hashes
    rows *= _MIX
    rows ^= rows >> _SHIFT
