"""A column of a typed file → its profile, from all rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.arrow import parquet
from dlreg_core.ingest.columns import measures_note, says_dates, says_durations
from dlreg_core.ingest.judging import (
    FEWEST_ROWS_OF_IDENTIFIER,
    IDENTIFIER_NOTE,
    TypedColumn,
    constant_dates,
    constant_note,
    identifier_note,
    infinite_note,
    judge_levels,
    many_texts_note,
    with_unit,
)
from dlreg_core.ingest.moment_notes import near_note
from dlreg_core.ingest.profile import are_whole, describe, number_figures, text_figures
from dlreg_core.ingest.streaming.columns import ColumnReader
from dlreg_core.ingest.streaming.plans import Kind
from dlreg_core.ingest.streaming.tallies import TextTally
from dlreg_core.ingest.units import Measures, SeveralUnits, parse_measures
from dlreg_core.specs import Column, ColumnType

_NOTHING = pa.array([], pa.string())
_PIECE = 1024**2


def column_of(
    path: Path, reader: ColumnReader, rows: int, chosen: NDArray[np.int64] | None, unit: str = ""
) -> tuple[Column, pa.Array | None]:
    """Describe a column, and pick some of its values.

    Parameters
    ----------
    path : Path
        The typed Parquet file.
    reader : ColumnReader
        What read the column.
    rows : int
        How many rows there are.
    chosen : ndarray of int64, optional
        The places of the values to return.
    unit : str
        What stood for it in a row of units.

    Returns
    -------
    tuple of (Column, pyarrow.Array or None)
    """
    if reader.tally is not None:
        picked = None if chosen is None else _read(path, reader.plan.name, chosen, lambda _: None)
        return _texts(reader, reader.tally, rows), picked
    dated = reader.plan.kind is Kind.DATE
    known = _Known(rows, np.dtype(np.int64 if dated or pa.types.is_integer(reader.plan.arrow_type) else np.float64))
    picked = _read(path, reader.plan.name, chosen, known.add)
    return _dates(reader, known, rows) if dated else _numbers(reader, known, rows, unit), picked


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


def _read(
    path: Path, name: str, chosen: NDArray[np.int64] | None, take: Callable[[pa.ChunkedArray], None]
) -> pa.Array | None:
    """Hand over a column piece by piece; return the values at some places."""
    picked: list[pa.Array] = []
    at = 0
    with parquet.ParquetFile(path) as file:
        for group in range(file.num_row_groups):
            column = file.read_row_group(group, columns=[name], use_threads=False).column(0)
            take(column)
            if chosen is not None:
                low, high = np.searchsorted(chosen, [at, at + len(column)])
                picked += column.take(pa.array(chosen[low:high] - at)).chunks
            at += len(column)
    return pa.concat_arrays(picked) if picked else None


def _numbers(reader: ColumnReader, known: _Known, rows: int, from_row: str) -> Column:
    plan, mean = reader.plan, known.mean
    ordered = known.ordered()
    distinct = distinct_of(ordered)
    measured = plan.kind is Kind.MEASURE
    unit = reader.measures.unit if measured else plan.unit
    note, code = measures_note(reader.measures.aside, unit, plan.form) if measured else ("", "")
    if plan.kind is Kind.DURATION:
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
    form = plan.form if reader.of_texts and distinct else None
    typed = with_unit(TypedColumn(plan.name, kind, _NOTHING, note, code, unit=unit, form=form), from_row)
    return describe(typed, distinct, rows - len(ordered), number_figures(ordered, mean) if distinct else {})


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
    note, code, _ = reader.moments.note()
    typed = TypedColumn(
        plan.name,
        ColumnType.DATETIME,
        _NOTHING,
        note,
        code,
        plan.day_first,
        year_first=plan.year_first,
        time_of_day=plan.time_of_day,
    )
    if distinct < 2:
        typed = constant_dates(typed, constant_note(distinct, rows - len(moments)))
    ends = pc.cast(pa.array(moments[[0, -1]]), pa.timestamp("ns")).to_pylist() if distinct else []
    figures = {"minimum": ends[0].isoformat(), "maximum": ends[1].isoformat()} if ends else {}
    return describe(typed, distinct, rows - len(moments), figures)


def _texts(reader: ColumnReader, tally: TextTally, rows: int) -> Column:
    name, kept, day_first = reader.plan.name, tally.tally(), None
    if tally.many:
        kind, note, code = ColumnType.TEXT, many_texts_note(tally.distinct), "many-texts"
        all_differ = tally.distinct == rows >= FEWEST_ROWS_OF_IDENTIFIER
        if all_differ and tally.like_identifiers:
            kind, note, code = ColumnType.IDENTIFIER, IDENTIFIER_NOTE, "identifier"
    else:
        units = parse_measures(kept, reader.decimal, name)
        near = None
        if not isinstance(units, SeveralUnits):
            dated, lasting = says_dates(name), says_durations(name)
            near = near_note(kept, dated=dated, lasting=lasting, day_first=reader.plan.said)
        kind, note, code = judge_levels(name, kept, None if isinstance(units, Measures) else units, near)
        day_first = near.day_first if near is not None and code == near.code else None
    typed = TypedColumn(name, kind, _NOTHING, note, code, day_first)
    figures = text_figures(kind, kept.levels, pa.array(kept.counts)) if len(kept.levels) else {}
    return describe(typed, tally.distinct, reader.missing, figures)
