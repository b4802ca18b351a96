"""What each column of a table holds: its values in their type, the type itself, and why."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa

from dlreg_core.errors import TableError
from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.dates import parse_dates
from dlreg_core.ingest.judging import TypedColumn, judge_dates, judge_numbers, judge_text, strays_note, words
from dlreg_core.ingest.units import Aside, Measures, parse_measures
from dlreg_core.ingest.values import Coded, encode, mark_of, parse_numbers
from dlreg_core.specs import Column, ColumnType, NumberForm

_TEXT_TYPES = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.BOOLEAN)
DATE_WORDS = frozenset({"date", "day", "dt", "datum", "fecha", "yyyymmdd"})
"""Words in the name of a column by which eight digits are a date."""


def type_column(
    name: str,
    raw: pa.ChunkedArray,
    decimal: str = ".",
    like: Column | None = None,
    day_first: bool | None = None,
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
        return _from_text(name, encode(raw), decimal, like, order)
    values = plain_values(name, raw)
    if pa.types.is_timestamp(values.type):
        return judge_dates(TypedColumn(name, ColumnType.DATETIME, values))
    missing = pc.sum(pc.is_null(raw, nan_is_null=True)).as_py() or 0
    return judge_numbers(TypedColumn(name, ColumnType.NUMBER, values), missing)


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
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _as_moments(name, raw)
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _as_numbers(raw)
    raise TableError(
        f'Column "{name}" holds values of the type {kind}, which can\'t be used.',
        "Leave the column out, or write it as numbers, text or dates.",
    )


def _becomes_text(kind: pa.DataType) -> bool:
    types = pa.types
    tests = (types.is_null, types.is_boolean, types.is_time, types.is_large_string, types.is_string_view)
    return any(test(kind) for test in tests)


def _as_moments(name: str, raw: pa.ChunkedArray) -> pa.Array:
    try:
        # With a zone, Arrow's values are UTC already; the cast leaves the zone away.
        return _one_chunk(raw.cast(pa.timestamp("ns")))
    except pa.ArrowException as exc:
        raise TableError(
            f'Column "{name}" holds dates before 1678 or after 2261.', "Leave the column or these rows out."
        ) from exc


def _as_numbers(raw: pa.ChunkedArray) -> pa.Array:
    try:
        numbers = raw.cast(pa.int64() if pa.types.is_integer(raw.type) else pa.float64())
    except pa.ArrowException:
        # Unsigned integers can be larger than int64 holds.
        numbers = raw.cast(pa.float64(), safe=False)
    if pa.types.is_floating(numbers.type):
        numbers = pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))
    return _one_chunk(numbers)


def _one_chunk(values: pa.ChunkedArray) -> pa.Array:
    found = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def _from_text(name: str, coded: Coded, decimal: str, like: Column | None, day_first: bool | None) -> TypedColumn:
    if like is not None and like.type in _TEXT_TYPES:
        return judge_text(name, coded)
    dated = like.type is ColumnType.DATETIME if like is not None else bool(words(name) & DATE_WORDS)
    found = _as_dates(name, coded, day_first, digits=True) if dated else None
    found = found or _as_plain_numbers(name, coded, decimal, like) or _as_dates(name, coded, day_first)
    if found is not None:
        return found
    measured = parse_measures(coded.tally, decimal, name)
    if isinstance(measured, Measures):
        return _as_measures(name, coded, measured)
    judged = judge_text(name, coded, measured)
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


def _as_dates(name: str, coded: Coded, day_first: bool | None, *, digits: bool = False) -> TypedColumn | None:
    dates = parse_dates(coded.levels, day_first, digits=digits)
    if dates is None:
        return None
    # Where a person has said which it is, there is nothing left to say.
    note, code = dates_note(day_first=bool(dates.day_first)) if dates.ambiguous and day_first is None else ("", "")
    values = coded.spread(dates.moments)
    return judge_dates(
        TypedColumn(name, ColumnType.DATETIME, values, note, code, dates.day_first, time_of_day=dates.time_of_day)
    )


def dates_note(*, day_first: bool) -> tuple[str, str]:
    """Return the note, and its code, on dates that fit both orders."""
    order = "day/month/year" if day_first else "month/day/year"
    return f"The dates fit day/month and month/day; they are read as {order}.", "ambiguous-dates"


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
