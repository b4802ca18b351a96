"""How a text table is laid out: its delimiter, whether it has a header, and where its rows break."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TextIO

from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.column_names import ColumnNames, names_of
from dlreg_core.ingest.formats.text.header_rows import find_table_start, first_row_of_table
from dlreg_core.specs import Reading

DELIMITERS = (",", ";", "\t", "|")
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
_SAMPLE_CHARACTERS = 262_144
_SAMPLE_RECORDS = 200
_SEPARATOR_LINE = re.compile(r'^"?sep=([,;|\t])"?\r?\n', re.IGNORECASE)
_GUESS_ALL = Reading()
_LINE_END = re.compile(r"\r\n|\n|\r")
_SHIFTED = 0.9
_ALIKE = 50
_Record = tuple[int, int, list[str]]


@dataclass(frozen=True)
class Layout:
    """How a text table is laid out.

    Attributes
    ----------
    delimiter : str
        What separates the fields.
    first : tuple of str
        The names, as many as there are columns; without a header the first record.
    has_header : bool
        Whether the table has names.
    skip, skipped_lines : int
        Leading bytes that belong to no row, and the lines that they hold.
    body, body_lines : int
        Leading bytes that hold no values, which counts the names, and their lines.
    units : tuple of str
        What stood in a row of units below the names; empty where there is none.
    named : int
        Fields of the line with the names.
    """

    delimiter: str
    first: tuple[str, ...]
    has_header: bool
    skip: int = 0
    skipped_lines: int = 0
    body: int = 0
    body_lines: int = 0
    units: tuple[str, ...] = ()
    named: int = 0

    @property
    def unit_rows(self) -> int:
        """Lines between the names and the values."""
        return self.body_lines - self.skipped_lines - 1 if self.has_header and self.units else 0


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
    for start, _, fields in _lined_records(file, delimiter, strict=strict):
        yield start, fields


def _lined_records(file: TextIO, delimiter: str, *, strict: bool = False) -> Iterator[_Record]:
    """Yield the first and the last line of each record, and its fields."""
    reader = csv.reader(file, delimiter=delimiter, strict=strict)
    start = 1
    for fields in reader:
        if fields:
            yield start, reader.line_num, fields
        start = reader.line_num + 1


def find_layout(content: bytes, reading: Reading = _GUESS_ALL) -> Layout:
    """Find delimiter and header of a text table.

    The delimiter is the one under which the most records are as wide as the first one of the table, and among equals
    the one under which that is the first of the file, then the one that gives more columns. Titles and notes above the
    table are passed over.

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
    chosen = isinstance(reading.header, int)
    start = _record_from_line(found, reading.header + 1 - named_lines) if isinstance(reading.header, int) else None
    head = find_table_start(
        [fields for _, _, fields in found],
        start,
        has_names=True if chosen else False if reading.header == "none" else None,
    )
    above = found[head.start][0] - 1 if head.start else 0
    lines = found[head.body - 1][1] if head.body > head.start else above
    first = tuple(found[head.start][2]) if head.names is None else head.names
    return Layout(
        delimiter,
        first,
        head.names is not None,
        skip + _bytes_of(sample, above),
        above + named_lines,
        skip + _bytes_of(sample, lines),
        lines + named_lines,
        head.units,
        len(found[head.start][2]),
    )


def _bytes_of(text: str, lines: int) -> int:
    return len(text[: _start_of_line(text, lines)].encode())


def _record_from_line(found: list[_Record], line: int) -> int:
    for index, (start, _, _) in enumerate(found):
        if start >= line:
            return index
    raise TableError(f"There is no header in line {line:,}: the file has fewer.", "Choose another line.")


def _start_of_line(text: str, lines: int) -> int:
    """Return where the text goes on after so many lines."""
    if not lines:
        return 0
    ends = [end.end() for _, end in zip(range(lines), _LINE_END.finditer(text), strict=False)]
    # The last line of a file need not end.
    return ends[-1] if len(ends) == lines else len(text)


def _sample_records(sample: str, delimiter: str) -> list[_Record]:
    found: list[_Record] = []
    try:
        for record in _lined_records(io.StringIO(sample, newline=""), delimiter):
            found.append(record)
            if len(found) == _SAMPLE_RECORDS:
                return found
    except csv.Error:
        # A field without end: what was read before it is still a sound sample.
        return found
    # A full sample is cut off somewhere within its last record.
    return found[:-1] if len(sample) >= _SAMPLE_CHARACTERS // 4 and len(found) > 1 else found


def _score(sample: str, delimiter: str) -> tuple[float, bool, int]:
    found = [fields for _, _, fields in _sample_records(sample, delimiter)]
    start = first_row_of_table(found) if found else 0
    table = found[start:]
    width = len(table[0]) if table else 0
    if width < 2:
        return (0.0, False, 0)
    # Names for all fields but that of the row's own name: less likely than names for all of them.
    shifted = len(table) > 1 and all(len(fields) == width + 1 for fields in table[1:])
    share = _SHIFTED if shifted else sum(len(fields) == width for fields in table) / len(table)
    # Decimal commas cut rows alike too, but not the names above them, which would then pass for a title.
    return (share, start == 0, width)


def column_names(layout: Layout) -> ColumnNames:
    """Return the names of the columns; columns without one are called after their position.

    Parameters
    ----------
    layout : Layout
        As `find_layout` found it.

    Returns
    -------
    ColumnNames

    Raises
    ------
    TableError
        If two columns have the same name.
    """
    if not layout.has_header:
        return ColumnNames(tuple(f"column_{i}" for i in range(1, len(layout.first) + 1)), {})
    return names_of(layout.first)


def units_by_name(layout: Layout) -> dict[str, str]:
    """Return what stood in a row of units, by column."""
    return {name: unit for name, unit in zip(column_names(layout).tidy, layout.units, strict=False) if unit}


def first_bad_record(text: Text, layout: Layout) -> TableError | None:
    """Find the first record that is not as wide as the first one, or a quotation that is never closed.

    This reads the text line by line and is slow, so it is asked only after the fast reader gave up.
    """
    width, line = len(layout.first), 1
    lines_before = layout.skipped_lines
    found, others = width, 0
    try:
        for start, fields in records(text, layout.delimiter):
            if start + lines_before <= layout.body_lines:
                continue
            line, found = start + lines_before, len(fields)
            if found != width:
                break
            others += 1
    except csv.Error as exc:
        long = "limit" in str(exc) and not unclosed_quote(text, layout.delimiter)
        error = _long_field_error(line + 1) if long else _quotation_error(line + 1)
        error.__cause__ = exc
        return error
    if unclosed_quote(text, layout.delimiter) and _is_last(text, layout.delimiter, line - lines_before):
        return _quotation_error(line)
    if found == width:
        return None
    return (
        _names_error(found, layout)
        if not others and _all_wide(text, layout, found)
        else _width_error(line, found, layout)
    )


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


def _all_wide(text: Text, layout: Layout, width: int) -> bool:
    """Tell whether the first rows of values, two at least, all have so many fields."""
    below = (fields for at, fields in records(text, layout.delimiter) if at + layout.skipped_lines > layout.body_lines)
    widths = [len(fields) for fields, _ in zip(below, range(_ALIKE), strict=False)]
    return len(widths) > 1 and set(widths) == {width}


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


def _names_error(found: int, layout: Layout) -> TableError:
    more = "Give each column a name in that line"
    comma = ", or put quotation marks around numbers that hold a comma" if layout.delimiter == "," else ""
    return TableError(
        f"{_first_line(layout).capitalize()} has {_count(layout.named)}, but the rows below have {_count(found)}.",
        f"{more}{comma}." if found > layout.named else "Take the names away that have no column.",
    )


def _first_line(layout: Layout) -> str:
    return f"line {layout.skipped_lines + 1:,}" if layout.skipped_lines > 1 else "the first line"


def _width_error(line: int, found: int, layout: Layout) -> TableError:
    name = _NAMES.get(layout.delimiter, "delimiter")
    first = _first_line(layout) if layout.named == len(layout.first) else "the lines above"
    have = "have" if layout.named != len(layout.first) else "has"
    return TableError(
        f"Line {line:,} has {_count(found)}, but {first} {have} {_count(len(layout.first))}.",
        f"Correct that line, or put quotation marks around text that holds a {name}; titles and notes above the header "
        "must go.",
    )


def _count(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields:,} fields"
