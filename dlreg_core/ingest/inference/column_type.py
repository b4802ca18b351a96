"""What the values of a column make it: a category, an identifier, a constant and so on, and why."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pyarrow as pa

from dlreg_core.arrow import bools
from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.numbers.quantity_columns import NearNumbers, SeveralUnits
from dlreg_core.ingest.inference.numbers.text_numbers import ValueCounts, all_match, are_codes, number_like
from dlreg_core.ingest.inference.times.date_notes import DateNote
from dlreg_core.specs import ColumnType

_NAMED = 3
_YES_NO = ({"true", "false"}, {"yes", "no"}, {"t", "f"}, {"y", "n"})
FEWEST_ROWS_OF_IDENTIFIER = 21
LONG_TEXT = 100
"""Characters that the levels of a category have on average at most."""
IDENTIFIER_NOTE = "All values differ and look like codes that only tell rows apart."
_WORD = re.compile(r"[A-Z]+\d*(?![a-z])|[A-Z]?[a-z]+\d*")
_ID_WORDS = frozenset({"id", "ids", "key", "no", "nr", "instant", "index", "idx", "uuid", "guid", "rownum", "rowid"})
_TIME_WORDS = frozenset(
    {"year", "yr", "date", "day", "days", "hour", "hr", "minute", "second", "week", "month", "quarter", "time", "age"}
)
_ONE_TOKEN = r"^[\p{L}\d_\-:./@+#]*\d[\p{L}\d_\-:./@+#]*$"
_UUID = r"(?i)^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$"


def most_levels(rows: int) -> int:
    """Return how many different texts a column of `rows` rows may hold and still be a category."""
    return min(max(50, rows // 20), 1000)


def constant_note(distinct: int, missing: int) -> str:
    """Say why a column is constant."""
    if not distinct:
        return "Every value is missing."
    return "Every value that is not missing is the same." if missing else "Every row has the same value."


def infinite_note(infinite: int, note: str, code: str) -> tuple[str, str]:
    """Add to a note, and its code, how many numbers aren't finite."""
    if infinite <= 0:
        return note, code
    return f"{note} {infinite:,} values are not finite and count as missing.".strip(), "not-finite"


def identifier_note(name: str, *, one_by_one: bool) -> str:
    """Say why whole numbers of which none repeats only tell rows apart; empty where they may well not."""
    found = words(name)
    if found & _ID_WORDS:
        return "All values differ and the name says that they only tell rows apart."
    if one_by_one and not found & _TIME_WORDS:
        return "The values count the rows one by one, so they only tell rows apart."
    return ""


def judge_levels(
    name: str, tally: ValueCounts, units: SeveralUnits | NearNumbers | None = None, near: DateNote | None = None
) -> tuple[ColumnType, str, str]:
    """Tell categories, texts, yes/no and identifiers apart by their distinct values.

    Returns
    -------
    tuple of (ColumnType, str, str)
        What the column is, a note on it, and the code of the note.
    """
    levels, rows, distinct, known = tally.levels, tally.rows, len(tally.levels), tally.known
    if distinct < 2:
        return ColumnType.CONSTANT, constant_note(distinct, rows - known), "constant"
    if distinct == 2 and {level.lower() for level in levels.to_pylist()} in _YES_NO:
        return ColumnType.BOOLEAN, "", ""
    all_differ = distinct == known >= FEWEST_ROWS_OF_IDENTIFIER
    several = isinstance(units, SeveralUnits)
    if all_differ and known == rows and not several and near is None and looks_like_identifier(name, levels):
        return ColumnType.IDENTIFIER, IDENTIFIER_NOTE, "identifier"
    if near is not None:
        note, code = near.text, near.code
    else:
        note, code = _units_note(units) if isinstance(units, SeveralUnits) else _near_number_note(tally, units)
    mean_length = pc.mean(pc.utf8_length(levels)).as_py()
    if all_differ or distinct > most_levels(rows) or mean_length > LONG_TEXT:
        return ColumnType.TEXT, note or many_texts_note(distinct), code if note else "many-texts"
    return ColumnType.CATEGORY, note, code


def many_texts_note(distinct: int) -> str:
    """Say why a column is no category."""
    return f"{distinct:,} different texts are too many for a category."


def words(name: str) -> set[str]:
    """Return the words in a column's name, in lower case: customerId has customer and id."""
    return {word.lower() for word in _WORD.findall(name)}


def looks_like_identifier(name: str, levels: pa.StringArray) -> bool:
    """Tell whether texts of which none repeats are names or numbers of things, going by their look."""
    return bool(words(name) & _ID_WORDS) or all_match(levels, _UUID) or all_match(levels, _ONE_TOKEN)


def _units_note(units: SeveralUnits) -> tuple[str, str]:
    listed = " and ".join(f"{unit} ({rows:,} {'row' if rows == 1 else 'rows'})" for unit, rows in units.rows[:3])
    return f"The numbers have several units, {listed}, so the column is read as text.", "mixed-units"


def strays_note(strays: Sequence[tuple[str, int]], known: int, *, text: bool) -> str:
    """Say which values of a column of numbers are none, and what becomes of them: `text` where the column is text."""
    rows = sum(count for _, count in strays)
    named = [f'"{value[:40]}"' + (f" ({count:,} times)" if count > 1 else "") for value, count in strays[:_NAMED]]
    listed = named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}"
    examples = listed if len(strays) <= _NAMED else f"such as {listed}"
    are = "is no number" if rows == 1 else "are no numbers"
    so = "so the column is read as text" if text else f"and {'counts' if rows == 1 else 'count'} as missing"
    return f"{rows:,} of {known:,} values {are}: {examples}, {so}."


def _near_number_note(tally: ValueCounts, near: NearNumbers | None) -> tuple[str, str]:
    """Say what keeps a column that is nearly made of numbers from being one; and the code of the note."""
    levels = tally.levels
    numbers = bools(number_like(levels))
    if numbers.any() and are_codes(levels.filter(pa.array(numbers))):
        return "The values have leading zeros, so they are codes and not numbers.", "leading-zeros"
    if near is not None:
        return strays_note(near.aside.strays, tally.known, text=True), "not-numbers"
    return "", ""
