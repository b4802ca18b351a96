"""What stands above the values of a table: titles and notes, names in one row or two, and rows of units."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from dlreg_core.ingest.inference.numbers.text_numbers import MISSING
from dlreg_core.ingest.inference.numbers.unit_registry import known_unit
from dlreg_core.names import clean_name

Row = Sequence[str]

ROW_NAMES = "row name"
"""What a column is called that has a name for each row and none for itself."""

_NUMBER = re.compile(r"^[+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?$")
_WHOLE = re.compile(r"^\d+$")
_VALUE = re.compile(r"^[=\"'(+\-−]*\s*(?:[A-Z]{0,3}[€$£¥₹₩₽₺₴₪฿₫] ?|Rs\.? ?)?[+\-−]?[.,]?\d")
_EMPTY = frozenset(MISSING)
_MOST_NOTES = 30
_MOST_ROWS_OF_WORDS = 2
_FEWEST_VALUES = 3
_FEWEST_OF_SCALE = 3
_LOGGERS = frozenset(("TOA5", "TOACI1"))
_KINDS = frozenset(
    ("float", "int", "integer", "string", "str", "text", "number", "numeric", "double", "real", "date", "datetime")
) | frozenset(("continuous", "discrete", "class", "meta", "avg", "smp", "min", "max", "std", "tot", "bool", "object"))
"""Words in a row between names and values that tell the kind of a column, and not its unit."""
_LONGEST_UNIT = 20
_BRACKETS = re.compile(r"^[\[(](.*)[\])]$")


@dataclass(frozen=True)
class TableStart:
    """Where a table begins.

    Attributes
    ----------
    start : int
        The row with the names, or the first row of values where there are none.
    body : int
        The first row of values.
    names : tuple of str, optional
        As wide as the rows of values; None where there are no names.
    units : tuple of str
        What stood in a row of units, beside each name; empty where there is no such row.
    """

    start: int
    body: int
    names: tuple[str, ...] | None
    units: tuple[str, ...] = ()


def find_table_start(rows: Sequence[Row], start: int | None = None, *, has_names: bool | None = None) -> TableStart:
    """Tell names and units from values.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first rows of a file, blank ones left out.
    start : int, optional
        The row at which the table begins, where that is known.
    has_names : bool, optional
        Whether that row holds names, where that is known.
    """
    first = first_row_of_table(rows) if start is None else start
    if not (is_header(rows[first], rows[first + 1 :]) if has_names is None else has_names):
        return TableStart(first, first, None)
    names, body = _as_wide(rows[first], rows[first + 1 :]), first + 1
    if first and _repeats(names) and _is_heading(rows[first - 1], len(names)):
        names = _joined(rows[first - 1], names)
    units: tuple[str, ...] = ()
    for _ in range(_MOST_ROWS_OF_WORDS):
        if body >= len(rows) or not is_row_of_words(rows[body], rows[body + 1 :], again=bool(units)):
            break
        if body == first + 1 and _goes_on(names, rows[body]):
            names = _joined(names, rows[body])
        elif not units:
            units = tuple(_unit(cell) for cell in rows[body])
        body += 1
    return TableStart(first, body, tuple(names), units)


def _as_wide(names: Row, below: Sequence[Row]) -> Row:
    """Return names for all fields of the rows below, where each of those has one more than there are names."""
    if not below or any(len(row) != len(names) + 1 for row in below):
        return names
    if not any(row[-1].strip() for row in below):
        # A delimiter stands at the end of each row.
        return (*names, "")
    # R's write.table gives rows names, and the column of these none.
    if len(names) > 1 and _are_row_names([row[0].strip() for row in below]):
        return (ROW_NAMES, *names)
    return names


def _are_row_names(cells: list[str]) -> bool:
    """Tell names of rows from a number that an unquoted decimal comma has cut in two: words, or counted upwards."""
    if len(cells) < _FEWEST_VALUES or not all(cells) or len(set(cells)) < len(cells):
        return False
    if not any(_NUMBER.match(cell) for cell in cells):
        return True
    return all(_WHOLE.match(cell) for cell in cells) and all(int(a) < int(b) for a, b in pairwise(cells))


def first_row_of_table(rows: Sequence[Row]) -> int:
    """Return the index of the first row that belongs to the table, below titles and notes.

    Parameters
    ----------
    rows : sequence of sequence of str
        The first rows of a file, blank ones left out.

    Returns
    -------
    int
        0 unless rows that are much emptier than those below stand above something that looks like a header.
    """
    widths = Counter(len(row) for row in rows)
    width = max(widths, key=lambda count: (widths[count], count))
    if width < 2 or widths[width] < 2:
        return 0
    for index, row in enumerate(rows[:_MOST_NOTES]):
        if len(row) == width and not _is_note(row, width):
            return index if is_header(row, rows[index + 1 :]) and not _only_numbers(row) else 0
        if not _is_note(row, width):
            return 0
    return 0


def _is_note(row: Row, width: int) -> bool:
    """Tell a title or a note from a row: hardly any of the table's fields are filled."""
    filled = sum(1 for field in row if field.strip())
    return filled <= max(1, width // 3) or (len(row) != width and (row[0].startswith("#") or row[0] in _LOGGERS))


def _only_numbers(row: Row) -> bool:
    return all(_NUMBER.match(field.strip()) for field in row if field.strip())


def is_header(fields: Row, below: Sequence[Row] = ()) -> bool:
    """Tell names from values.

    A row of numbers is a header only where it could be years or other distinct counts. Fractions are names, such as
    wavelengths, where they rise or fall, and a word among them stands above numbers.

    Parameters
    ----------
    fields : sequence of str
        The row.
    below : sequence of sequence of str
        The rows below it.
    """
    cells = [field.strip() for field in fields if field.strip()]
    numbers = [cell for cell in cells if _NUMBER.match(cell)]
    if len(cells) < 2 or 2 * len(numbers) < len(cells):
        return True
    fractions = sum(not _WHOLE.match(cell) for cell in numbers)
    if len(numbers) == len(cells):
        return fractions == 0 and len(set(cells)) == len(cells)
    return fractions == 0 or (
        len(numbers) >= _FEWEST_OF_SCALE and _is_scale(numbers) and _word_above_numbers(fields, below)
    )


def _is_scale(cells: list[str]) -> bool:
    values = [float(cell.replace(",", ".")) for cell in cells]
    steps = [after - before for before, after in pairwise(values)]
    return all(step > 0 for step in steps) or all(step < 0 for step in steps)


def _word_above_numbers(fields: Row, below: Sequence[Row]) -> bool:
    words = [place for place, cell in enumerate(fields) if _is_word(cell.strip())]
    return any(len(values := _known(below, place)) > 1 and all(map(_NUMBER.match, values)) for place in words)


def is_row_of_words(row: Row, below: Sequence[Row], *, again: bool = False) -> bool:
    """Tell a row of units or kinds from values: it has words where all rows below it have values.

    Parameters
    ----------
    row : sequence of str
        The row below the names.
    below : sequence of sequence of str
        The rows below it, of the same width.
    again : bool
        Whether such a row stands above it: then one word is enough.
    """
    rows = [other for other in below if len(other) == len(row)]
    if not any(_is_word(cell.strip()) for cell in row):
        return False
    if len(rows) < _FEWEST_VALUES:
        return False
    valued = [len(values := _known(rows, place)) > 1 and all(map(_VALUE.match, values)) for place in range(len(row))]
    cells = [cell.strip() for cell, holds in zip(row, valued, strict=True) if holds]
    words = [cell for cell in cells if _is_word(cell)]
    others = [place for place, holds in enumerate(valued) if not holds and row[place].strip()]
    if any(_VALUE.match(cell) for cell in cells) or any(row[at] in _known(rows, at) for at in others):
        return False
    if again and words:
        return True
    if len(words) == 1 and len(cells) == 1:
        # A single word may be a value that is missing; a unit is none.
        return known_unit(_unit(words[0])) is not None
    return len(words) > 1 and 2 * len(words) >= len(cells)


def _is_word(cell: str) -> bool:
    return bool(cell) and cell not in _EMPTY and not _VALUE.match(cell)


def _known(rows: Sequence[Row], place: int) -> list[str]:
    cells = (row[place].strip() for row in rows if place < len(row))
    return [cell for cell in cells if cell not in _EMPTY]


def _unit(cell: str) -> str:
    inner = clean_name(_BRACKETS.sub(r"\1", cell.strip()))
    fits = _is_word(inner) and len(inner) <= _LONGEST_UNIT and inner.casefold() not in _KINDS
    return inner if fits else ""


def _repeats(names: Row) -> bool:
    filled = [name.strip() for name in names if name.strip()]
    return len(set(filled)) < len(filled)


def _is_heading(row: Row, width: int) -> bool:
    """Tell headings that each stand above some of the names from a title."""
    return len(row) == width and sum(1 for field in row if field.strip()) > 1


def _goes_on(names: Row, row: Row) -> bool:
    """Tell whether names go on in the next row: merged cells leave some of them empty."""
    named = [bool(name.strip()) for name in names]
    return any(
        not filled and cell.strip() and any(named[:place])
        for place, (filled, cell) in enumerate(zip(named, row, strict=False))
    )


def _joined(headings: Row, names: Row) -> Row:
    """Put headings, each of which holds for the empty cells right of it, before the names below them."""
    found, current = [], ""
    for heading, name in zip(headings, names, strict=True):
        current = heading.strip() or (current if name.strip() else "")
        found.append(f"{current} {name.strip()}".strip())
    return tuple(found)
