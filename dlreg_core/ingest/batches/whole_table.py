"""A large table file → a typed Parquet file, its profile, and some of its rows."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from dlreg_core.arrow import parquet
from dlreg_core.errors import TableError
from dlreg_core.ingest.batches.column_plan import ColumnPlan, KnownColumns, ReaderKind, plan_by_levels, plan_for
from dlreg_core.ingest.batches.column_profile import column_of, pieces
from dlreg_core.ingest.batches.file_scan import Scan
from dlreg_core.ingest.batches.row_sampling import sampled_rows
from dlreg_core.ingest.batches.row_sources import RowSource, open_parquet, open_text
from dlreg_core.ingest.batches.typing_pass import ROW_GROUP, Sink, TypingResult, into_file, read_all
from dlreg_core.ingest.formats.raw_table import check_shape
from dlreg_core.ingest.inference.column_values import flat
from dlreg_core.specs import Column, Dialect, Reading

ReadingProgress = Callable[[str, float], None]
"""Is told what is done, and the share of it that is finished."""

_MOST_PASSES = 7


@dataclass(frozen=True)
class StreamedTable:
    """What a large file holds; ``data`` is the typed Parquet file, ``sample`` some of its rows where there are many."""

    data: Path
    sample: Path | None
    rows: int
    columns: tuple[Column, ...]
    duplicate_rows: int
    dialect: Dialect


def stream_table(path: Path, scan: Scan, reading: Reading, workplace: Path, progress: ReadingProgress) -> StreamedTable:
    """Read a large table.

    Parameters
    ----------
    path : Path
        A text table or a Parquet file.
    scan : Scan
        What its bytes tell.
    reading : Reading
        What a person said about how to read it.
    workplace : Path
        The folder to write to.
    progress : callable
        Is told how far it has come.

    Returns
    -------
    StreamedTable

    Raises
    ------
    TableError
        If the file is no readable table; the message says what is wrong and on which line.
    """
    with path.open("rb") as file:
        is_parquet = file.read(4) == b"PAR1"
    source: RowSource = open_parquet(path) if is_parquet else open_text(path, scan, reading, workplace)
    data = workplace / "data.parquet"
    known = KnownColumns(source.dialect.decimal, reading.day_first)
    found = typed_rows(source, into_file(data), known, lambda share: progress("Reading the rows", share))
    names = tuple(name for name in source.names if not (name in source.unnamed and _is_empty(found, name)))
    check_shape(names, found.rows)
    duplicates = found.duplicates
    chosen = sampled_rows(found.rows, len(names))
    described: dict[str, Column] = {}
    picked: dict[str, pa.Array] = {}

    def describe(name: str) -> None:
        described[name], values = column_of(partial(pieces, data, name), found, source, name, chosen)
        if values is not None:
            picked[name] = values
        progress("Looking at the columns", len(described) / len(names))

    with ThreadPoolExecutor(max_workers=2, thread_name_prefix="profile") as threads:
        list(threads.map(describe, names))
    sample = None
    if chosen is not None:
        sample = workplace / "sample.parquet"
        table = pa.table([picked[name] for name in names], names=list(names))
        parquet.write_table(table, sample, compression="zstd", row_group_size=ROW_GROUP)
    return StreamedTable(data, sample, found.rows, tuple(described[name] for name in names), duplicates, source.dialect)


def typed_rows(
    source: RowSource, sink: Sink, known: KnownColumns, place: Callable[[float], None] = lambda _: None
) -> TypingResult:
    """Read all rows, more than once where a column turns out to be something else than its sample said.

    Parameters
    ----------
    source : RowSource
        Where they come from.
    sink : callable
        Where they go, in their types.
    known : KnownColumns
        What is known of the table.
    place : callable
        Is told the share that has been read.

    Raises
    ------
    TableError
        If the rows can't be told apart, or a column holds what no table of numbers, texts and dates can.
    """
    sample = source.sample()
    unfit: dict[str, list[pa.Array]] = {name: [] for name in source.names}

    def planned(name: str) -> ColumnPlan:
        values = flat(sample.column(name))
        plan = plan_for(name, pa.chunked_array([*values.chunks, *unfit[name]], values.type), known)
        return plan if source.sampled else replace(plan, sure=True)

    plans = {name: planned(name) for name in source.names}
    tried = {name: {plan} for name, plan in plans.items()}
    for _ in range(_MOST_PASSES):
        found = read_all(source, tuple(plans.values()), sink, place)
        better: dict[str, ColumnPlan] = {}
        for name, evidence in found.evidence.items():
            unfit[name] += evidence or []
            text = known.text(name)
            again = planned(name) if evidence is not None else text
            if again in tried[name] and again.kind is not ReaderKind.TEXT:
                # What didn't fit has been seen and changes nothing: it is among the few that need not.
                again = replace(again, sure=True)
            # As a text it is counted, and read as what all of its values tell; once.
            better[name] = again if again not in tried[name] else known.text(name, final=text in tried[name])
        for name, plan in (_other_than_text(found, known, plans) if source.sampled else {}).items():
            better[name] = plan if plan not in tried[name] else known.text(name, final=True)
        if not better:
            return found
        plans |= better
        for name, plan in better.items():
            tried[name].add(plan)
    raise TableError("The columns of the file can't be made out.", "Leave out those that hold values of several kinds.")


def _other_than_text(found: TypingResult, known: KnownColumns, plans: dict[str, ColumnPlan]) -> dict[str, ColumnPlan]:
    """Return better plans for columns that were taken for text by their sample but are numbers or dates as a whole."""
    better = {}
    for name, reader in found.readers.items():
        # What was read as something else before and didn't fit is text.
        if reader.tally is None or reader.tally.many or name in found.evidence or plans[name].final:
            continue
        plan = plan_by_levels(name, reader.tally.tally(), known)
        if plan.kind is not ReaderKind.TEXT and reader.missing < found.rows:
            better[name] = plan
    return better


def _is_empty(found: TypingResult, name: str) -> bool:
    reader = found.readers[name]
    return reader.missing == found.rows and reader.only_empty
