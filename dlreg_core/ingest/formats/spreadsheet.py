"""Excel and OpenDocument workbooks → the table on one of their sheets."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pyarrow as pa

from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.column_names import ColumnNames, names_of
from dlreg_core.ingest.formats.limits import check_sheet, check_workbook
from dlreg_core.ingest.formats.limits.table_width import check_width
from dlreg_core.ingest.formats.spreadsheet_formulas import formula_note, formulas_without_results
from dlreg_core.ingest.formats.text.header_rows import TableStart, find_table_start, first_row_of_table
from dlreg_core.specs import Dialect, Reading

_SAMPLE_ROWS = 200
_Cell = Any


@dataclass(frozen=True)
class Sheet:
    """The table on a sheet: its columns in their types, text where a column holds several.

    Attributes
    ----------
    table : pyarrow.Table
        Its rows.
    dialect : Dialect
        How it was read.
    units, notes, written : dict of str to str
        By column, what stood in a row of units, why it is empty, and how its name stands in the file where that had to
        be cleaned.
    """

    table: pa.Table
    dialect: Dialect
    units: dict[str, str]
    notes: dict[str, str]
    written: dict[str, str]


def read_workbook(content: bytes, reading: Reading) -> Sheet:
    """Read the table on a sheet of a workbook.

    Parameters
    ----------
    content : bytes
        An .xlsx, .xlsb, .xls or .ods file.
    reading : Reading
        What a person said about it: the sheet, without which the first one that isn't empty is taken, and the header.

    Returns
    -------
    Sheet

    Raises
    ------
    TableError
        If the file can't be read, is protected, or has no such sheet.
    """
    try:
        import python_calamine
    except ImportError as exc:
        # An exported model runs without it, until it is given a workbook.
        raise TableError(
            "Reading a workbook needs the package python-calamine, which isn't installed here.",
            "Install it, or save the table as CSV.",
        ) from exc
    sheet = reading.sheet
    try:
        check_workbook(content)
        book = python_calamine.load_workbook(io.BytesIO(content))
        names = book.sheet_names
        if sheet is not None and sheet not in names:
            raise TableError(
                f'The workbook has no sheet "{sheet}".', f"Choose one of its sheets: {', '.join(names[:20])}."
            )
        for name in [sheet] if sheet is not None else names:
            check_sheet(content, name)
            found = book.get_sheet_by_name(name)
            check_width(found.width)
            rows = _without_empty_end(found.to_python(skip_empty_area=False))
            if rows:
                break
    except python_calamine.PasswordError as exc:
        raise TableError("The workbook is protected by a password.", "Save it without one.") from exc
    except (python_calamine.CalamineError, zipfile.BadZipFile, NotImplementedError, OSError, ValueError) as exc:
        raise TableError(
            "The workbook is damaged or of an unknown kind.", "Save it again as .xlsx, or as CSV."
        ) from exc
    if not names or not rows:
        raise TableError("The workbook holds no table: all of its sheets are empty.", "Choose a workbook with rows.")
    table, head, kept, named = _table(rows, reading.header)
    header = head.start if head.names is not None else None
    below = head.body - head.start - 1 if head.units else 0
    dialect = Dialect(
        file="workbook", sheet=name, sheets=tuple(names), header_row=header, unit_rows=below, renamed=named.changed
    )
    units = dict(zip(head.names or (), head.units, strict=False))
    known_units = {name: unit for name, unit in units.items() if unit}
    return Sheet(table, dialect, known_units, _notes(content, name, table, kept), named.written)


def _without_empty_end(rows: list[list[_Cell]]) -> list[list[_Cell]]:
    while rows and not any(_text(cell) for cell in rows[-1]):
        rows.pop()
    return rows


def _notes(content: bytes, sheet: str, table: pa.Table, places: list[int]) -> dict[str, str]:
    """Say of columns with gaps where those are formulas whose results the file doesn't hold."""
    if not any(column.null_count for column in table.columns):
        return {}
    counts = formulas_without_results(content, sheet)
    return {
        name: formula_note(counts[place], table.num_rows)
        for name, place in zip(table.column_names, places, strict=True)
        if counts.get(place) and table.column(name).null_count
    }


def _table(rows: list[list[_Cell]], wanted: int | str | None) -> tuple[pa.Table, TableStart, list[int], ColumnNames]:
    """Return the table, its head, the places of its columns on the sheet, and their names."""
    sample = [[_text(cell) for cell in row] for row in rows[:_SAMPLE_ROWS]]
    start = min(wanted, len(rows) - 1) if isinstance(wanted, int) else first_row_of_table(sample)
    named = wanted != "none" if wanted is not None else True if _only_text(rows[start]) else None
    head = find_table_start(sample, start, has_names=named)
    body = rows[head.body :]
    columns = list(zip(*body, strict=True)) if body else [() for _ in rows[start]]
    names = head.names if head.names is not None else tuple(f"column_{i}" for i in range(1, len(columns) + 1))
    kept = [i for i, column in enumerate(columns) if names[i].strip() or any(_text(cell) for cell in column)]
    arrays = [_column(columns[i]) for i in kept]
    called = names_of([names[i] for i in kept])
    units = tuple(head.units[i] for i in kept) if head.units else ()
    head = replace(head, names=None if head.names is None else called.tidy, units=units)
    return _filled(pa.table(arrays, names=list(called.tidy))), head, kept, called


def _filled(table: pa.Table) -> pa.Table:
    """Leave out the rows at the end that hold nothing."""
    rows = table.num_rows
    while rows and all(not column[rows - 1].is_valid for column in table.columns):
        rows -= 1
    return table.slice(0, rows)


def _only_text(row: list[_Cell]) -> bool:
    filled = [cell for cell in row if cell != ""]
    return len(filled) > 1 and all(isinstance(cell, str) for cell in filled)


def _column(cells: tuple[_Cell, ...]) -> pa.Array:
    """Return a column in the type that all of its cells have, else as text, from which its type is found again."""
    known = [cell for cell in cells if cell != ""]
    values = [None if cell == "" else cell for cell in cells]
    if known and all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in known):
        whole = all(float(cell).is_integer() and abs(cell) < 2**53 for cell in known)
        if whole:
            return pa.array([None if cell is None else int(cell) for cell in values], pa.int64())
        return pa.array([None if cell is None else float(cell) for cell in values], pa.float64())
    if known and all(isinstance(cell, date) for cell in known):
        moments = [None if cell is None else _moment(cell) for cell in values]
        return pa.array(moments, pa.timestamp("us"))
    if all(isinstance(cell, timedelta | time) for cell in known) and any(isinstance(c, timedelta) for c in known):
        # The same durations are times where they are shorter than a day and their format says h instead of [h].
        return pa.array([None if cell is None else _length(cell) for cell in values], pa.duration("us"))
    return pa.array([None if cell is None else _text(cell) for cell in values], pa.string())


def _length(cell: timedelta | time) -> timedelta:
    if isinstance(cell, timedelta):
        return cell
    return timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second, microseconds=cell.microsecond)


def _moment(cell: date) -> datetime:
    return cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)


def _text(cell: _Cell) -> str:
    if isinstance(cell, str):
        return cell.strip()
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(cell)
    if isinstance(cell, time):
        return cell.isoformat("seconds")
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    return str(cell) if isinstance(cell, date | timedelta | int) else ""
