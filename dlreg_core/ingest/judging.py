"""What a typed column turns out to be: a number, a category, an identifier and so on, and why."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.units import SeveralUnits
from dlreg_core.ingest.values import Coded, all_match, are_codes, number_like
from dlreg_core.specs import ColumnType

_YES_NO = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})
_FEWEST_ROWS_OF_IDENTIFIER = 21
_LONG_TEXT = 100
_WORD = re.compile(r"[A-Z]+\d*(?![a-z])|[A-Z]?[a-z]+\d*")
_ID_WORDS = frozenset({"id", "ids", "key", "no", "nr", "instant", "index", "idx", "uuid", "guid", "rownum", "rowid"})
_TIME_WORDS = frozenset(
    {"year", "yr", "date", "day", "days", "hour", "hr", "minute", "second", "week", "month", "quarter", "time", "age"}
)
_ONE_TOKEN = r"^[\p{L}\d_\-:./@+#]*\d[\p{L}\d_\-:./@+#]*$"
_UUID = r"(?i)^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"


@dataclass(frozen=True)
class TypedColumn:
    """A column in its type: ``int64``, ``float64``, ``timestamp[ns]`` (UTC, without a zone) or text."""

    name: str
    type: ColumnType
    values: pa.Array
    note: str = ""
    note_code: str = ""
    day_first: bool | None = None
    time_of_day: bool = False
    unit: str = ""


def most_levels(rows: int) -> int:
    """Return how many different texts a column of `rows` rows may hold and still be a category."""
    return min(max(50, rows // 20), 1000)


def _constant(typed: TypedColumn, distinct: int) -> TypedColumn:
    note = "Every row has the same value."
    if not distinct:
        note = "Every value is missing."
    elif typed.values.null_count:
        note = "Every value that is not missing is the same."
    return replace(typed, type=ColumnType.CONSTANT, note=note, note_code="constant")


def judge_dates(typed: TypedColumn) -> TypedColumn:
    """Tell dates from a constant."""
    distinct = pc.count_distinct(typed.values, mode="only_valid").as_py()
    return _constant(typed, distinct) if distinct < 2 else typed


def judge_numbers(typed: TypedColumn, missing_before: int) -> TypedColumn:
    """Tell numbers from identifiers and constants; `missing_before` is how many had no value in the file."""
    values = typed.values
    distinct = pc.count_distinct(values, mode="only_valid").as_py()
    if distinct < 2:
        return _constant(typed, distinct)
    if distinct == len(values) >= _FEWEST_ROWS_OF_IDENTIFIER and not values.null_count:
        note = _identifier_note(typed.name, values.to_numpy(zero_copy_only=False))
        if note:
            return replace(typed, type=ColumnType.IDENTIFIER, note=note, note_code="identifier")
    if pa.types.is_floating(values.type):
        infinite = values.null_count - missing_before
        if infinite > 0:
            note = f"{infinite:,} values are not finite and count as missing."
            return replace(typed, note=f"{typed.note} {note}".strip(), note_code="not-finite")
    return typed


def _identifier_note(name: str, values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> str:
    if values.dtype.kind == "f" and np.any(values != np.floor(values)):
        return ""
    found = words(name)
    if found & _ID_WORDS:
        return "All values differ and the name says that they only tell rows apart."
    steps = np.diff(values)
    if not found & _TIME_WORDS and (np.all(steps == 1) or np.all(steps == -1)):
        return "The values count the rows one by one, so they only tell rows apart."
    return ""


def judge_text(name: str, coded: Coded, units: SeveralUnits | None = None) -> TypedColumn:
    """Tell categories, texts, yes/no and identifiers apart; `units` are those that keep it from being numbers."""
    levels, rows, distinct = coded.levels, len(coded.codes), len(coded.levels)
    known = rows - coded.codes.null_count
    typed = TypedColumn(name, ColumnType.CATEGORY, coded.spread(levels))
    if distinct < 2:
        return _constant(typed, distinct)
    if distinct == 2 and {level.lower() for level in levels.to_pylist()} in _YES_NO:
        return replace(typed, type=ColumnType.BOOLEAN)
    all_differ = distinct == known >= _FEWEST_ROWS_OF_IDENTIFIER
    if all_differ and known == rows and units is None and _looks_like_identifier(name, levels):
        note = "All values differ and look like codes that only tell rows apart."
        return replace(typed, type=ColumnType.IDENTIFIER, note=note, note_code="identifier")
    note, code = _units_note(units) if units is not None else _near_number_note(coded)
    typed = replace(typed, note=note, note_code=code)
    mean_length = pc.mean(pc.utf8_length(levels)).as_py()
    if all_differ or distinct > most_levels(rows) or mean_length > _LONG_TEXT:
        typed = replace(typed, type=ColumnType.TEXT)
        if not note:
            note = f"{distinct:,} different texts are too many for a category."
            typed = replace(typed, note=note, note_code="many-texts")
    return typed


def words(name: str) -> set[str]:
    """Return the words in a column's name, in lower case: customerId has customer and id."""
    return {word.lower() for word in _WORD.findall(name)}


def _looks_like_identifier(name: str, levels: pa.StringArray) -> bool:
    return bool(words(name) & _ID_WORDS) or all_match(levels, _UUID) or all_match(levels, _ONE_TOKEN)


def _units_note(units: SeveralUnits) -> tuple[str, str]:
    listed = " and ".join(f"{unit} ({rows:,} {'row' if rows == 1 else 'rows'})" for unit, rows in units.rows[:3])
    return f"The numbers have several units, {listed}, so the column is read as text.", "mixed-units"


def _near_number_note(coded: Coded) -> tuple[str, str]:
    """Say what keeps a column that is nearly made of numbers from being one; and the code of the note."""
    levels = coded.levels
    if are_codes(levels):
        return "The values have leading zeros, so they are codes and not numbers.", "leading-zeros"
    numbers = np.asarray(number_like(levels).to_numpy(zero_copy_only=False), dtype=np.bool_)
    counts = np.bincount(coded.codes.drop_null().to_numpy(), minlength=len(levels))
    known = int(counts.sum())
    others = int(counts[~numbers].sum())
    if 0 < others <= known // 2:
        example = levels[int(np.argmax(~numbers))].as_py()[:40]
        note = f'{others:,} of {known:,} values are no numbers, such as "{example}", so the column is read as text.'
        return note, "not-numbers"
    return "", ""
