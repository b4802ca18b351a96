"""How a text table is laid out: its delimiter, whether it has a header, and where its rows break."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

from dlreg_core.errors import TableError
from dlreg_core.specs import Reading

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_SAMPLE_CHARACTERS = 262_144
_SAMPLE_RECORDS = 200
_SEPARATOR_LINE = re.compile(r'^"?sep=([,;|\t])"?\r?\n', re.IGNORECASE)
_NUMBER = re.compile(r"^[+-]?(\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?$")
_GUESS_ALL = Reading()
_LINE_END = re.compile(r"\r\n|\n|\r")
_MOST_NOTES = 30
_WHOLE = re.compile(r"^\d+$")


@dataclass(frozen=True)
class Layout:
    """Delimiter of a text table and its first record."""

    delimiter: str
    first: tuple[str, ...]
    has_header: bool
    skip: int = 0
    """Number of leading bytes that belong to no row."""
    skipped_lines: int = 0
    """Number of lines that these bytes hold."""


@dataclass(frozen=True)
class Text:
    """The text of a table from its first row on, to be read line by line and as often as needed."""

    open: Callable[[], TextIO]
    quotes: int
    """How many quotation marks it holds."""

    @classmethod
    def of(cls, content: bytes) -> Text:
        """Take UTF-8 text that is in memory."""
        return cls(lambda: io.TextIOWrapper(io.BytesIO(content), "utf-8", newline=""), content.count(b'"'))


def records(text: str | Text, delimiter: str, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield the line on which each record starts, counted from 1, and its fields; blank lines are left out."""
    with io.StringIO(text, newline="") if isinstance(text, str) else text.open() as file:
        yield from _records(file, delimiter, strict)


def _records(file: TextIO, delimiter: str, strict: bool) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(file, delimiter=delimiter, strict=strict)
    start = 1
    for fields in reader:
        if fields:
            yield start, fields
        start = reader.line_num + 1


def find_layout(content: bytes, reading: Reading = _GUESS_ALL) -> Layout:
    """Find delimiter and header of a text table.

    The delimiter is the one under which the most records are as wide as the first one of the table, and among equals
    the one that gives more columns. Titles and notes above the table are passed over.

    Parameters
    ----------
    content : bytes
        UTF-8 text.
    reading : Reading
        What a person said about it.

    Returns
    -------
    Layout

    Raises
    ------
    TableError
        If the file holds no record at all, or fewer lines than shall stand above the header.
    """
    sample = content[:_SAMPLE_CHARACTERS].decode("utf-8", errors="ignore")
    named = _SEPARATOR_LINE.match(sample)
    skip = len(named.group(0)) if named else 0
    choices = (named.group(1),) if named else DELIMITERS
    if reading.delimiter is not None:
        choices = (reading.delimiter,)
    sample = sample[skip:]
    delimiter = max(choices, key=lambda choice: _score(sample, choice))
    found = _sample_records(sample, delimiter)
    if not found:
        raise _long_field_error(1) if sample.strip() else _empty_error()
    named_lines = 1 if named else 0
    if isinstance(reading.header, int):
        start = _record_from_line(found, reading.header + 1 - named_lines)
    else:
        start = first_row_of_table([fields for _, fields in found])
    line, first = found[start]
    lines = line - 1 if start else 0
    above = _start_of_line(sample, lines)
    has_header = is_header(first) if reading.header is None else reading.header != "none"
    return Layout(delimiter, tuple(first), has_header, skip + len(sample[:above].encode()), lines + named_lines)


def _record_from_line(found: list[tuple[int, list[str]]], line: int) -> int:
    for index, (start, _) in enumerate(found):
        if start >= line:
            return index
    raise TableError(f"There is no header in line {line:,}: the file has fewer.", "Choose another line.")


def _start_of_line(text: str, lines: int) -> int:
    """Return where the text goes on after so many lines."""
    at = 0
    for _, end in zip(range(lines), _LINE_END.finditer(text), strict=False):
        at = end.end()
    return at


def first_row_of_table(rows: list[list[str]]) -> int:
    """Return the index of the first row that belongs to the table, below titles and notes.

    Parameters
    ----------
    rows : list of list of str
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
            return index if is_header(row) and not _only_numbers(row) else 0
        if not _is_note(row, width):
            return 0
    return 0


def _is_note(row: list[str], width: int) -> bool:
    """Tell a title or a note from a row: hardly any of the table's fields are filled."""
    filled = sum(1 for field in row if field.strip())
    return filled <= max(1, width // 3) or (row[0].startswith("#") and len(row) != width)


def _only_numbers(row: list[str]) -> bool:
    return all(_NUMBER.match(field.strip()) for field in row if field.strip())


def _sample_records(sample: str, delimiter: str) -> list[tuple[int, list[str]]]:
    found: list[tuple[int, list[str]]] = []
    try:
        for line, fields in records(sample, delimiter):
            found.append((line, fields))
            if len(found) == _SAMPLE_RECORDS:
                return found
    except csv.Error:
        # A field without end: what was read before it is still a sound sample.
        return found
    # A full sample is cut off somewhere within its last record.
    return found[:-1] if len(sample) >= _SAMPLE_CHARACTERS // 4 and len(found) > 1 else found


def _score(sample: str, delimiter: str) -> tuple[float, int, int]:
    found = [fields for _, fields in _sample_records(sample, delimiter)]
    start = first_row_of_table(found) if found else 0
    table = found[start:]
    width = len(table[0]) if table else 0
    if width < 2:
        return (0.0, 0, 0)
    # Among equals, the one that takes nothing for a note: "a;b" above "1,5;2" is a header.
    return (sum(len(fields) == width for fields in table) / len(table), width, -start)


def is_header(fields: list[str]) -> bool:
    """Tell names from values: a row of numbers is a header only where it could be years or other distinct counts."""
    cells = [field.strip() for field in fields if field.strip()]
    numbers = [cell for cell in cells if _NUMBER.match(cell)]
    if len(cells) < 2 or 2 * len(numbers) < len(cells):
        return True
    fractions = sum(not _WHOLE.match(cell) for cell in numbers)
    if len(numbers) == len(cells):
        return fractions == 0 and len(set(cells)) == len(cells)
    return fractions == 0


def column_names(layout: Layout) -> tuple[str, ...]:
    """Return the names of the columns; columns without one are called after their position.

    Parameters
    ----------
    layout : Layout
        As `find_layout` found it.

    Returns
    -------
    tuple of str

    Raises
    ------
    TableError
        If two columns have the same name.
    """
    if not layout.has_header:
        return tuple(f"column_{i}" for i in range(1, len(layout.first) + 1))
    return name_columns(layout.first)


def name_columns(header: tuple[str, ...]) -> tuple[str, ...]:
    """Tidy the names of a header: white space is collapsed, empty names are filled in, repeated ones refused."""
    names = [" ".join(name.split()) for name in header]
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(names, start=1):
        if name:
            positions.setdefault(name, []).append(position)
    repeated = {name: where for name, where in positions.items() if len(where) > 1}
    if repeated:
        listed = "; ".join(
            f'"{name}" in columns {", ".join(map(str, where))}' for name, where in list(repeated.items())[:5]
        )
        raise TableError(f"Several columns have the same name: {listed}.", "Give every column a name of its own.")
    taken = set(names)
    for index, name in enumerate(names):
        if not name:
            candidate = f"column_{index + 1}"
            while candidate in taken:
                candidate += "_"
            names[index] = candidate
            taken.add(candidate)
    return tuple(names)


def first_bad_record(text: Text, layout: Layout) -> TableError | None:
    """Find the first record that is not as wide as the first one, or a quotation that is never closed.

    This reads the text line by line and is slow, so it is asked only after the fast reader gave up.
    """
    width, line = len(layout.first), 1
    lines_before = layout.skipped_lines
    found = width
    try:
        for start, fields in records(text, layout.delimiter):
            line, found = start + lines_before, len(fields)
            if found != width:
                break
    except csv.Error as exc:
        long = "limit" in str(exc) and not unclosed_quote(text, layout.delimiter)
        error = _long_field_error(line + 1) if long else _quotation_error(line + 1)
        error.__cause__ = exc
        return error
    if unclosed_quote(text, layout.delimiter) and _is_last(text, layout.delimiter, line - lines_before):
        return _quotation_error(line)
    return None if found == width else _width_error(line, found, layout)


def unclosed_quote(text: Text, delimiter: str) -> bool:
    """Tell whether the text ends within a quotation, which would swallow every row from there on."""
    if text.quotes % 2 == 0:
        return False
    try:
        for _ in records(text, delimiter, strict=True):
            pass
    except csv.Error as exc:
        return "unexpected end of data" in str(exc) or "limit" in str(exc)
    return False


def _is_last(text: Text, delimiter: str, line: int) -> bool:
    return all(start <= line for start, _ in records(text, delimiter))


def _empty_error() -> TableError:
    return TableError("The file is empty.", "Choose a file that holds a header line and rows.")


def _long_field_error(line: int) -> TableError:
    return TableError(
        f"A field on line {line:,} is longer than {csv.field_size_limit():,} characters, which no table needs.",
        "Shorten it, or check what separates the columns and the lines.",
    )


def _quotation_error(line: int) -> TableError:
    return TableError(
        f"A quotation mark on line {line:,} is never closed.", "Close it, or remove it if it is no quotation."
    )


def _width_error(line: int, found: int, layout: Layout) -> TableError:
    name = _NAMES.get(layout.delimiter, "delimiter")
    first = f"line {layout.skipped_lines + 1:,}" if layout.skipped_lines > 1 else "the first line"
    return TableError(
        f"Line {line:,} has {_count(found)}, but {first} has {_count(len(layout.first))}.",
        f"Correct that line, or put quotation marks around text that holds a {name}; titles and notes above the header "
        "must go.",
    )


def _count(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields:,} fields"
