"""What each column of a table holds: its values in their type, the type itself, and why."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.column_cells import Aside
from dlreg_core.ingest.dates import Dates, parse_dates
from dlreg_core.ingest.durations import DURATION_WORDS, UNIT, may_be_durations, parse_durations
from dlreg_core.ingest.judging import TypedColumn, judge_dates, judge_numbers, judge_text, strays_note, words
from dlreg_core.ingest.limits import unusable_type
from dlreg_core.ingest.moment_notes import (
    Note,
    Ways,
    cells_note,
    dates_note,
    durations_note,
    near_note,
    order_words,
    times_note,
)
from dlreg_core.ingest.typed_moments import one_chunk, seconds_of, usable_moments
from dlreg_core.ingest.units import Measures, SeveralUnits, parse_measures
from dlreg_core.ingest.values import Coded, encode, mark_of, parse_numbers
from dlreg_core.specs import Column, ColumnType, NumberForm

_TEXT_TYPES = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.BOOLEAN)
DATE_WORDS = frozenset({"date", "day", "dt", "datum", "fecha", "yyyymmdd"})
"""Words in the name of a column by which eight digits are a date, and what could be a version too."""


def type_column(
    name: str,
    raw: pa.ChunkedArray,
    decimal: str = ".",
    like: Column | None = None,
    day_first: bool | None = None,
    *,
    cells: bool = False,
) -> TypedColumn:
    """Decide what a column holds and bring its values into that type.

    Parameters
    ----------
    name : str
        Name of the column; some names tell an identifier.
    raw : pyarrow.ChunkedArray
        Text, or values of any flat type.
    decimal : str
        Decimal mark of the file.
    like : Column, optional
        Profile of the column that this one should be read like: text stays text, and dates keep their order.
    day_first : bool, optional
        The order of day and month where dates fit both, and `like` doesn't tell.
    cells : bool
        Whether the column is of a workbook, whose dates are in ISO 8601 where they stand among texts.

    Returns
    -------
    TypedColumn

    Raises
    ------
    TableError
        If the column holds lists, structures or bytes.
    """
    raw = flat(raw)
    if pa.types.is_string(raw.type):
        order = like.day_first if like is not None else day_first
        return _from_text(name, encode(raw), decimal, like, order, cells=cells)
    missing = pc.sum(pc.is_null(raw, nan_is_null=True)).as_py() or 0
    if is_dated(raw.type):
        moments = usable_moments(raw)
        note = dates_note(Ways(far=moments.far, far_example=moments.example))
        return judge_dates(TypedColumn(name, ColumnType.DATETIME, moments.values, note.text, note.code))
    typed = TypedColumn(name, ColumnType.NUMBER, plain_values(name, raw))
    if pa.types.is_duration(raw.type):
        note = durations_note("", minutes=False)
        typed = replace(typed, note=note.text, note_code=note.code, unit=UNIT)
    return judge_numbers(typed, missing)


def is_dated(kind: pa.DataType) -> bool:
    """Tell whether values of a type are moments."""
    return bool(pa.types.is_timestamp(kind) or pa.types.is_date(kind))


def says_dates(name: str) -> bool:
    """Tell whether a column's name says that it holds dates."""
    return bool(words(name) & DATE_WORDS)


def says_durations(name: str) -> bool:
    """Tell whether a column's name says that it holds durations."""
    return bool(words(name) & DURATION_WORDS)


def flat(raw: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without a dictionary, and as text where its type is to be read like text."""
    kind = raw.type
    if pa.types.is_dictionary(kind):
        raw = raw.cast(kind.value_type)
        kind = raw.type
    return raw.cast(pa.string()) if _becomes_text(kind) else raw


def plain_values(name: str, raw: pa.ChunkedArray) -> pa.Array:
    """Return the values of a column that has a type other than text, as moments, whole numbers or fractions.

    Raises
    ------
    TableError
        If they are none of these.
    """
    kind = raw.type
    if is_dated(kind):
        return usable_moments(raw).values
    if pa.types.is_duration(kind):
        return seconds_of(raw)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _as_numbers(raw)
    raise unusable_type(name, kind)


def _becomes_text(kind: pa.DataType) -> bool:
    types = pa.types
    tests = (types.is_null, types.is_boolean, types.is_time, types.is_large_string, types.is_string_view)
    return any(test(kind) for test in tests)


def _as_numbers(raw: pa.ChunkedArray) -> pa.Array:
    try:
        numbers = raw.cast(pa.int64() if pa.types.is_integer(raw.type) else pa.float64())
    except pa.ArrowException:
        # Unsigned integers can be larger than int64 holds.
        numbers = raw.cast(pa.float64(), safe=False)
    if pa.types.is_floating(numbers.type):
        numbers = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    return one_chunk(numbers)


def _from_text(
    name: str, coded: Coded, decimal: str, like: Column | None, day_first: bool | None, *, cells: bool
) -> TypedColumn:
    if like is not None and like.type in _TEXT_TYPES:
        return judge_text(name, coded)
    dated = like.type is ColumnType.DATETIME if like is not None else says_dates(name)
    lasting = like.unit == UNIT if like is not None else says_durations(name)
    found = _as_dates(name, coded, day_first, digits=True, named=True, cells=cells) if dated else None
    found = found or _as_plain_numbers(name, coded, decimal, like)
    if found is None and (like is None or like.type is not ColumnType.DATETIME):
        found = _as_durations(name, coded, named=lasting)
    found = found or _as_dates(name, coded, day_first, named=dated, cells=cells)
    if found is not None:
        return found
    measured = parse_measures(coded.tally, decimal, name)
    if isinstance(measured, Measures):
        return _as_measures(name, coded, measured)
    near = None
    if not isinstance(measured, SeveralUnits):
        near = near_note(coded.tally, dated=dated, lasting=lasting, day_first=day_first)
    judged = judge_text(name, coded, measured, near)
    if like is None and not len(coded.levels):
        # Nothing tells what they would be; whoever reads a large file piece by piece has begun with numbers.
        return replace(judged, values=pa.nulls(len(judged.values), pa.int64()))
    return judged


def _as_plain_numbers(name: str, coded: Coded, decimal: str, like: Column | None) -> TypedColumn | None:
    known_number = like is not None and like.type is ColumnType.NUMBER
    numbers = parse_numbers(coded.levels, decimal, codes=known_number) if len(coded.levels) else None
    if numbers is None:
        return None
    form = NumberForm(decimal="," if mark_of(coded.levels, decimal) == "," else ".")
    typed = TypedColumn(name, ColumnType.NUMBER, coded.spread(numbers), form=form)
    return judge_numbers(typed, coded.codes.null_count)


def _as_dates(
    name: str, coded: Coded, day_first: bool | None, *, digits: bool = False, named: bool = False, cells: bool = False
) -> TypedColumn | None:
    dates = parse_dates(coded.levels, day_first, digits=digits, named=named)
    if dates is None:
        return None
    found = cells_note(coded.levels, coded.tally.counts, dates.moments) if cells and not dates.time_of_day else None
    note = found or _note_on(dates, coded)
    return judge_dates(
        TypedColumn(
            name,
            ColumnType.DATETIME,
            coded.spread(dates.moments),
            note.text,
            note.code,
            dates.day_first,
            year_first=dates.year_first,
            time_of_day=dates.time_of_day,
        )
    )


def _note_on(dates: Dates, coded: Coded) -> Note:
    if dates.time_of_day:
        return times_note(coded.levels[0].as_py()) if may_be_durations(coded.levels) else Note("", "")
    ways = Ways()
    ways.add(coded.levels, dates.forms, dates.far, coded.tally.counts)
    return dates_note(ways, order_words(dates.day_first) if dates.ambiguous else "")


def _as_durations(name: str, coded: Coded, *, named: bool) -> TypedColumn | None:
    found = parse_durations(coded.levels, named=named)
    if found is None:
        return None
    note = durations_note(coded.levels[0].as_py(), minutes=found.minutes)
    values = coded.spread(found.seconds)
    typed = TypedColumn(name, ColumnType.NUMBER, values, note.text, note.code, unit=UNIT, form=NumberForm())
    return judge_numbers(typed, coded.codes.null_count)


def measures_note(aside: Aside, unit: str, form: NumberForm) -> tuple[str, str]:
    """Return the note, and its code, on what stands beside the numbers of a column, and on how they are written."""
    notes, code = [], ""
    if form.scaled:
        notes, code = ["K, M and B behind the numbers are read as thousand, million and billion."], "magnitudes"
    if form.minus:
        notes.append(f"Amounts with {form.minus.upper()} are read as negative.")
        code = "sign-words"
    alone, bare = aside.alone, aside.bare
    if alone:
        notes.append(f"{alone:,} {'value is' if alone == 1 else 'values are'} the unit alone and missing.")
    if bare:
        have = "value has" if bare == 1 else "values have"
        notes.append(f"{bare:,} {have} no unit and {'is' if bare == 1 else 'are'} taken as {unit}.")
    code = "unit-missing" if alone or bare else code
    if aside.strays:
        notes.append(strays_note(aside.strays, aside.known, text=False))
        code = "not-numbers"
    return " ".join(notes), code


def _as_measures(name: str, coded: Coded, found: Measures) -> TypedColumn:
    values = coded.spread(found.numbers)
    note, code = measures_note(found.aside, found.unit, found.form)
    typed = TypedColumn(name, ColumnType.NUMBER, values, note, code, unit=found.unit, form=found.form)
    return judge_numbers(typed, coded.codes.null_count + found.aside.alone + found.aside.stray_rows)
