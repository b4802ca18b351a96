"""What each column of a table holds: its values in their type, the type itself, and why."""

from __future__ import annotations

import pyarrow as pa

from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.column_type import strays_note, words
from dlreg_core.ingest.inference.numbers.number_columns import StrayCounts
from dlreg_core.ingest.inference.times.durations import DURATION_WORDS
from dlreg_core.ingest.inference.times.native_timestamps import one_chunk, seconds_of, usable_moments
from dlreg_core.ingest.inference.unusable_types import unusable_type
from dlreg_core.specs import ColumnType, NumberForm

_TEXT_TYPES = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.BOOLEAN)
DATE_WORDS = frozenset({"date", "day", "dt", "datum", "fecha", "yyyymmdd"})
"""Words in the name of a column by which eight digits are a date, and what could be a version too."""


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


def measures_note(aside: StrayCounts, unit: str, form: NumberForm) -> tuple[str, str]:
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
