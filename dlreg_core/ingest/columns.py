"""What each column of a table holds: its values in their type, the type itself, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from dlreg_core.errors import TableError
from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.values import Coded, all_match, are_codes, encode, number_like, parse_dates, parse_numbers
from dlreg_core.specs import Column, ColumnType

_YES_NO = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})
_TEXT_TYPES = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.BOOLEAN)
_FEWEST_ROWS_OF_IDENTIFIER = 21
_LONG_TEXT = 100
_WORD = re.compile(r"[A-Z]+\d*(?![a-z])|[A-Z]?[a-z]+\d*")
_ID_WORDS = frozenset({"id", "ids", "key", "no", "nr", "instant", "index", "idx", "uuid", "guid", "rownum", "rowid"})
_TIME_WORDS = frozenset(
    {"year", "yr", "date", "day", "days", "hour", "hr", "minute", "second", "week", "month", "quarter", "time", "age"}
)
_UNIT = r"^[+-]?\d+([.,]\d+)?\s*(\p{L}|%|€|\$|£)\D*$|^[€$£]\s*\d[\d.,]*$"
_ONE_TOKEN = r"^[\p{L}\d_\-:./@+#]*\d[\p{L}\d_\-:./@+#]*$"
_UUID = r"(?i)^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"


@dataclass(frozen=True)
class TypedColumn:
    """A column in its type: ``int64``, ``float64``, ``timestamp[ns]`` (UTC, without a zone) or text."""

    name: str
    type: ColumnType
    values: pa.Array
    note: str = ""
    day_first: bool | None = None


def most_levels(rows: int) -> int:
    """Return how many different texts a column of `rows` rows may hold and still be a category."""
    return min(max(50, rows // 20), 1000)


def type_column(name: str, raw: pa.ChunkedArray, decimal: str = ".", like: Column | None = None) -> TypedColumn:
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

    Returns
    -------
    TypedColumn

    Raises
    ------
    TableError
        If the column holds lists, structures or bytes.
    """
    kind = raw.type
    if pa.types.is_dictionary(kind):
        raw = raw.cast(kind.value_type)
        kind = raw.type
    if _becomes_text(kind):
        raw = raw.cast(pa.string())
    if pa.types.is_string(raw.type):
        return _from_text(name, encode(raw), decimal, like)
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        return _judge_dates(TypedColumn(name, ColumnType.DATETIME, _as_moments(name, raw)))
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        missing = pc.sum(pc.is_null(raw, nan_is_null=True)).as_py() or 0
        return _judge_numbers(TypedColumn(name, ColumnType.NUMBER, _as_numbers(raw)), missing)
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


def _from_text(name: str, coded: Coded, decimal: str, like: Column | None) -> TypedColumn:
    levels = coded.levels
    if like is None or like.type not in _TEXT_TYPES:
        numbers = parse_numbers(levels, decimal, codes=like is not None and like.type is ColumnType.NUMBER)
        if numbers is not None and len(levels):
            typed = TypedColumn(name, ColumnType.NUMBER, coded.spread(numbers))
            return _judge_numbers(typed, coded.codes.null_count)
        dates = parse_dates(levels, like.day_first if like else None)
        if dates is not None:
            note = ""
            if dates.ambiguous:
                order = "day/month/year" if dates.day_first else "month/day/year"
                note = f"The dates fit day/month and month/day; they are read as {order}."
            typed = TypedColumn(name, ColumnType.DATETIME, coded.spread(dates.moments), note, dates.day_first)
            return _judge_dates(typed)
    return _judge_text(name, coded, decimal)


def _constant(typed: TypedColumn, distinct: int) -> TypedColumn:
    note = "Every row has the same value."
    if not distinct:
        note = "Every value is missing."
    elif typed.values.null_count:
        note = "Every value that is not missing is the same."
    return replace(typed, type=ColumnType.CONSTANT, note=note)


def _judge_dates(typed: TypedColumn) -> TypedColumn:
    distinct = pc.count_distinct(typed.values, mode="only_valid").as_py()
    return _constant(typed, distinct) if distinct < 2 else typed


def _judge_numbers(typed: TypedColumn, missing_before: int) -> TypedColumn:
    values = typed.values
    distinct = pc.count_distinct(values, mode="only_valid").as_py()
    if distinct < 2:
        return _constant(typed, distinct)
    if distinct == len(values) >= _FEWEST_ROWS_OF_IDENTIFIER and not values.null_count:
        note = _identifier_note(typed.name, values.to_numpy(zero_copy_only=False))
        if note:
            return replace(typed, type=ColumnType.IDENTIFIER, note=note)
    if pa.types.is_floating(values.type):
        infinite = values.null_count - missing_before
        if infinite > 0:
            return replace(typed, note=f"{infinite:,} values are not finite and count as missing.")
    return typed


def _identifier_note(name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    if values.dtype.kind == "f" and np.any(values != np.floor(values)):
        return ""
    words = {word.lower() for word in _WORD.findall(name)}
    if words & _ID_WORDS:
        return "All values differ and the name says that they only tell rows apart."
    steps = np.diff(values)
    if not words & _TIME_WORDS and (np.all(steps == 1) or np.all(steps == -1)):
        return "The values count the rows one by one, so they only tell rows apart."
    return ""


def _judge_text(name: str, coded: Coded, decimal: str) -> TypedColumn:
    levels, rows, distinct = coded.levels, len(coded.codes), len(coded.levels)
    known = rows - coded.codes.null_count
    typed = TypedColumn(name, ColumnType.CATEGORY, coded.spread(levels))
    if distinct < 2:
        return _constant(typed, distinct)
    if distinct == 2 and {level.lower() for level in levels.to_pylist()} in _YES_NO:
        return replace(typed, type=ColumnType.BOOLEAN)
    all_differ = distinct == known >= _FEWEST_ROWS_OF_IDENTIFIER
    if all_differ and known == rows and _looks_like_identifier(name, levels):
        note = "All values differ and look like codes that only tell rows apart."
        return replace(typed, type=ColumnType.IDENTIFIER, note=note)
    note = _near_number_note(coded, decimal)
    mean_length = pc.mean(pc.utf8_length(levels)).as_py()
    if all_differ or distinct > most_levels(rows) or mean_length > _LONG_TEXT:
        note = note or f"{distinct:,} different texts are too many for a category."
        return replace(typed, type=ColumnType.TEXT, note=note)
    return replace(typed, note=note)


def _looks_like_identifier(name: str, levels: pa.StringArray) -> bool:
    words = {word.lower() for word in _WORD.findall(name)}
    return bool(words & _ID_WORDS) or all_match(levels, _UUID) or all_match(levels, _ONE_TOKEN)


def _near_number_note(coded: Coded, decimal: str) -> str:
    """Say what keeps a column that is nearly made of numbers from being one."""
    levels = coded.levels
    if are_codes(levels):
        return "The values have leading zeros, so they are codes and not numbers."
    numbers = np.asarray(number_like(levels, decimal).to_numpy(zero_copy_only=False), dtype=np.bool_)
    counts = np.bincount(coded.codes.drop_null().to_numpy(), minlength=len(levels))
    known = int(counts.sum())
    others = int(counts[~numbers].sum())
    if 0 < others <= known // 2:
        example = levels[int(np.argmax(~numbers))].as_py()[:40]
        return f'{others:,} of {known:,} values are no numbers, such as "{example}", so the column is read as text.'
    units = np.asarray(pc.match_substring_regex(levels, _UNIT).to_numpy(zero_copy_only=False), dtype=np.bool_)
    if int(counts[units].sum()) >= 0.95 * known:
        example = levels[int(np.argmax(units))].as_py()[:40]
        return f'The values are numbers with a unit, such as "{example}", and are read as text.'
    return ""
