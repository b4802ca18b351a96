"""A column in its type → its profile, from all rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import compute as pc
from dlreg_core.arrow import parquet
from dlreg_core.ingest.batches.column_plan import ReaderKind
from dlreg_core.ingest.batches.column_reader import ColumnReader
from dlreg_core.ingest.batches.level_counts import LevelCounter
from dlreg_core.ingest.batches.row_sources import RowSource
from dlreg_core.ingest.batches.typing_pass import TypingResult
from dlreg_core.ingest.inference.column_type import (
    FEWEST_ROWS_OF_IDENTIFIER,
    IDENTIFIER_NOTE,
    constant_note,
    identifier_note,
    infinite_note,
    judge_levels,
    many_texts_note,
)
from dlreg_core.ingest.inference.column_values import measures_note
from dlreg_core.ingest.inference.numbers.quantity_columns import Measures, SeveralUnits, parse_measures
from dlreg_core.ingest.inference.summary_statistics import are_whole, number_figures, text_figures
from dlreg_core.ingest.inference.times.date_notes import near_note
from dlreg_core.specs import Column, ColumnType

_PIECE = 1024**2


Pieces = Callable[[], Iterator[pa.ChunkedArray]]
"""Yields the typed values of a column, piece by piece."""


def pieces(path: Path, name: str) -> Iterator[pa.ChunkedArray]:
    """Yield a column of a Parquet file, piece by piece."""
    with parquet.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            yield file.read_row_group(group, columns=[name], use_threads=False).column(0)


def column_of(
    values: Pieces, found: TypingResult, source: RowSource, name: str, chosen: NDArray[np.int64] | None = None
) -> tuple[Column, pa.Array | None]:
    """Describe a column, and pick some of its values.

    Parameters
    ----------
    values : callable
        Its typed values.
    found : TypingResult
        What read the table.
    source : RowSource
        Where it came from.
    name : str
        Which column.
    chosen : ndarray of int64, optional
        The places of the values to return.

    Returns
    -------
    tuple of (Column, pyarrow.Array or None)
    """
    reader, rows = found.readers[name], found.rows
    if reader.tally is not None:
        picked = None if chosen is None else _read(values, chosen, lambda _: None)
        return _noted(_texts(reader, reader.tally, rows), source), picked
    dated = reader.plan.kind is ReaderKind.DATE
    known = _Known(rows, np.dtype(np.int64 if dated or pa.types.is_integer(reader.plan.arrow_type) else np.float64))
    picked = _read(values, chosen, known.add)
    column = _dates(reader, known, rows) if dated else _numbers(reader, known, rows)
    return _noted(column, source), picked


def _noted(column: Column, source: RowSource) -> Column:
    """Return a column with what the file tells of it elsewhere than beside its values."""
    told: dict[str, str] = {}
    note, unit = source.notes.get(column.name, ""), source.units.get(column.name, "")
    if note:
        told |= {"note": note, "note_code": "no-results"}
    if unit and column.type is ColumnType.NUMBER and not column.unit:
        told["unit"] = unit
    return column.model_copy(update=told) if told else column


class _Known:
    """The known values of a column, gathered in one array, and whether they count one by one."""

    def __init__(self, rows: int, kind: np.dtype[Any]) -> None:
        self._values = np.empty(rows, dtype=kind)
        self._count = 0
        self._steps: set[float] = set()

    def add(self, column: pa.ChunkedArray) -> None:
        values = column.drop_null()
        if pa.types.is_timestamp(values.type):
            values = values.cast(pa.int64())
        numbers = values.to_numpy()
        before = self._values[max(0, self._count - 1) : self._count]
        self._values[self._count : self._count + len(numbers)] = numbers
        self._count += len(numbers)
        if len(self._steps) < 2 and len(numbers):
            # Two numbers may be further apart than any number is large.
            with np.errstate(over="ignore"):
                steps = np.diff(np.concatenate([before, numbers]))
            self._steps |= set(steps[[0, -1]].tolist()) if len(steps) else set()
            if len(self._steps) == 1 and not np.all(steps == steps[0]):
                self._steps.add(np.nan)

    @property
    def one_by_one(self) -> bool:
        return self._steps in ({1}, {-1})

    @property
    def mean(self) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            return float(np.mean(self._values[: self._count])) if self._count else 0.0

    def ordered(self) -> NDArray[Any]:
        """Return the values in ascending order; their own order is lost."""
        values = self._values[: self._count]
        values.sort()
        return values


def _read(values: Pieces, chosen: NDArray[np.int64] | None, take: Callable[[pa.ChunkedArray], None]) -> pa.Array | None:
    """Hand over a column piece by piece; return the values at some places."""
    picked: list[pa.Array] = []
    at = 0
    for column in values():
        take(column)
        if chosen is not None:
            low, high = np.searchsorted(chosen, [at, at + len(column)])
            picked += column.take(pa.array(chosen[low:high] - at)).chunks
        at += len(column)
    return pa.concat_arrays(picked) if picked else None


def _numbers(reader: ColumnReader, known: _Known, rows: int) -> Column:
    plan, mean = reader.plan, known.mean
    ordered = known.ordered()
    distinct = distinct_of(ordered)
    measured = plan.kind is ReaderKind.MEASURE
    unit = reader.measures.unit if measured else plan.unit
    note, code = measures_note(reader.measures.aside, unit, plan.form) if measured else ("", "")
    if plan.kind is ReaderKind.DURATION:
        note, code, _ = reader.moments.note()
    kind = ColumnType.NUMBER
    if distinct < 2:
        kind, note, code = ColumnType.CONSTANT, constant_note(distinct, rows - len(ordered)), "constant"
    else:
        note, code = infinite_note(reader.infinite, note, code)
        if distinct == rows >= FEWEST_ROWS_OF_IDENTIFIER and are_whole(ordered):
            told = identifier_note(plan.name, one_by_one=known.one_by_one)
            kind, note, code = (ColumnType.IDENTIFIER, told, "identifier") if told else (kind, note, code)
    # Columns of a Parquet file are numbers already, and empty ones are written in no way.
    written = reader.of_texts and distinct and kind is not ColumnType.CONSTANT
    return Column(
        name=plan.name,
        type=kind,
        missing=rows - len(ordered),
        distinct=distinct,
        note=note,
        note_code=code,
        unit=unit,
        form=plan.form if written else None,
        **(number_figures(ordered, mean) if distinct else {}),
    )


def distinct_of(ordered: NDArray[Any]) -> int:
    """Count the different values of a sorted array."""
    if not len(ordered):
        return 0
    # In pieces, since a comparison of all takes as much memory again.
    ends = range(0, len(ordered) - 1, _PIECE)
    return 1 + sum(int((ordered[at + 1 : at + 1 + _PIECE] != ordered[at:-1][:_PIECE]).sum()) for at in ends)


def _dates(reader: ColumnReader, known: _Known, rows: int) -> Column:
    plan, moments = reader.plan, known.ordered()
    distinct = distinct_of(moments)
    kind, missing = ColumnType.DATETIME, rows - len(moments)
    note, code, _ = reader.moments.note()
    if distinct < 2:
        # That others are out of range is still said.
        more = f" {note}" if code == "open-dates" else ""
        kind, note, code = ColumnType.CONSTANT, f"{constant_note(distinct, missing)}{more}", "constant"
    ends = pc.cast(pa.array(moments[[0, -1]]), pa.timestamp("ns")).to_pylist() if distinct else []
    figures = {"minimum": ends[0].isoformat(), "maximum": ends[1].isoformat()} if ends else {}
    return Column(
        name=plan.name,
        type=kind,
        missing=missing,
        distinct=distinct,
        note=note,
        note_code=code,
        day_first=plan.day_first,
        year_first=plan.year_first,
        time_of_day=plan.time_of_day,
        **figures,
    )


def _texts(reader: ColumnReader, tally: LevelCounter, rows: int) -> Column:
    plan, kept, day_first = reader.plan, tally.tally(), None
    if tally.many:
        kind, note, code = ColumnType.TEXT, many_texts_note(tally.distinct), "many-texts"
        all_differ = tally.distinct == rows >= FEWEST_ROWS_OF_IDENTIFIER
        if all_differ and tally.like_identifiers:
            kind, note, code = ColumnType.IDENTIFIER, IDENTIFIER_NOTE, "identifier"
    else:
        units = parse_measures(kept, reader.decimal, plan.name)
        near = None
        if not isinstance(units, SeveralUnits):
            near = near_note(kept, dated=plan.dated, lasting=plan.lasting, day_first=plan.said)
        kind, note, code = judge_levels(plan.name, kept, None if isinstance(units, Measures) else units, near)
        # With its order, the dates among the texts can be read if somebody wants it.
        day_first = near.day_first if near is not None and code == near.code else None
    return Column(
        name=plan.name,
        type=kind,
        missing=reader.missing,
        distinct=tally.distinct,
        note=note,
        note_code=code,
        day_first=day_first,
        **(text_figures(kind, kept.levels, pa.array(kept.counts)) if len(kept.levels) else {}),
    )
