"""All batches of a table → the same rows in their types."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import parquet
from dlreg_core.ingest.batches.column_plan import ColumnPlan, Misfit
from dlreg_core.ingest.batches.column_reader import ColumnReader
from dlreg_core.ingest.batches.row_sources import RowSource
from dlreg_core.ingest.formats.text.csv_rows import ShareReporter

ROW_GROUP = 65_536
_MIX = np.uint64(0xFF51AFD7ED558CCD)
_SHIFT = np.uint64(33)
_ENOUGH_EVIDENCE = 3
_STEP = np.uint64(0x9E3779B97F4A7C15)


@dataclass
class TypingResult:
    """What came of reading all rows once.

    ``evidence`` has, by column, the values that didn't fit its plan; None where only text is left. With any of it, what
    was handed on isn't complete.
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


Sink = Callable[[pa.Schema], AbstractContextManager[Callable[[pa.RecordBatch], None]]]
"""Where typed rows go: told their types, it begins anew and takes batches until the block ends."""


@contextmanager
def _file_of(schema: pa.Schema, target: Path) -> Iterator[Callable[[pa.RecordBatch], None]]:
    texts = [field.name for field in schema if pa.types.is_string(field.type)]
    options = {"compression": "zstd", "compression_level": 1, "use_dictionary": texts}
    with (
        parquet.ParquetWriter(target, schema, **options) as file,
        ThreadPoolExecutor(max_workers=1, thread_name_prefix="writing") as thread,
    ):
        last: Future[None] | None = None

        def write(batch: pa.RecordBatch) -> None:
            nonlocal last
            # One is under way at most: the memory for more would be lost, and the order with it.
            if last is not None:
                last.result()
            last = thread.submit(file.write_batch, batch, row_group_size=ROW_GROUP)

        yield write
        if last is not None:
            last.result()


def into_file(target: Path) -> Sink:
    """Return a sink that writes a Parquet file, each batch while the next one is read."""
    return partial(_file_of, target=target)


class MemorySink:
    """A sink that keeps the rows in memory."""

    def __init__(self) -> None:
        self._schema = pa.schema([])
        self._batches: list[pa.RecordBatch] = []

    @contextmanager
    def __call__(self, schema: pa.Schema) -> Iterator[Callable[[pa.RecordBatch], None]]:
        """Begin anew; return what takes the batches."""
        self._schema, self._batches = schema, []
        yield self._batches.append

    @property
    def table(self) -> pa.Table:
        """The rows."""
        return pa.Table.from_batches(self._batches, self._schema)


def read_all(source: RowSource, plans: Sequence[ColumnPlan], sink: Sink, place: ShareReporter) -> TypingResult:
    """Read all rows and hand them on in their types.

    Parameters
    ----------
    source : RowSource
        Where they come from.
    plans : sequence of ColumnPlan
        How to read each column.
    sink : callable
        Where they go.
    place : callable
        Is told the share that has been read.

    Raises
    ------
    TableError
        If the rows can't be told apart.
    """
    schema = pa.schema([(plan.name, plan.arrow_type) for plan in plans])
    found = TypingResult({plan.name: ColumnReader(plan, source.dialect.decimal) for plan in plans})
    with sink(schema) as write:
        for batch in source.batches(place):
            _take(batch, found, schema, write)
    for name, reader in found.readers.items():
        if name not in found.evidence:
            try:
                reader.check()
            except Misfit as misfit:
                found.evidence[name] = None if misfit.evidence is None else [misfit.evidence]
    return found


def _take(
    batch: pa.RecordBatch, found: TypingResult, schema: pa.Schema, write: Callable[[pa.RecordBatch], None]
) -> None:
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
        write(pa.RecordBatch.from_arrays(columns, schema=schema))


def _mix(rows: NDArray[np.uint64], hashes: NDArray[np.uint64]) -> None:
    """Let one column's hashes into those of the rows; the place of the column matters."""
    rows *= _STEP
    rows ^= hashes
    rows *= _MIX
    rows ^= rows >> _SHIFT
