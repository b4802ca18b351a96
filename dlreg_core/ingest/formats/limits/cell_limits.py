"""How much of a table is read, and what is said of more."""

from __future__ import annotations

from dlreg_core.errors import TableError

MOST_CELLS = 500_000_000
"""Cells of a table that is read piece by piece."""

MOST_CELLS_IN_MEMORY = 20_000_000
"""Cells of a table that can't be read piece by piece: a workbook, JSON."""

MOST_DECODED = 1024**3
"""Bytes that a file in memory may have when all its values are there; larger ones are read in pieces or not at all."""

MOST_TEXT = 16 * 1024**2
"""Bytes of a single text."""

MOST_SHEET_ROWS, MOST_SHEET_COLUMNS = 1_048_576, 16_384
"""No spreadsheet program has more."""

_FEWER = "Choose fewer rows or columns, or divide the file."


def check_cells(rows: int, columns: int, kind: str, most: int = MOST_CELLS) -> None:
    """Raise ``TableError`` where a table has more cells than are read.

    Parameters
    ----------
    rows, columns : int
        Its size, as the file tells it.
    kind : str
        What the file is, for the sentence.
    most : int
        Cells that are still read.
    """
    if rows * max(1, columns) > most:
        raise TableError(
            f"The {kind} file has {_count(rows)} rows and {_count(columns)} columns; up to {_count(most)} cells can be "
            "read.",
            _FEWER,
        )


def check_extent(rows: int, columns: int, where: str = "") -> None:
    """Raise ``TableError`` where the cells of a sheet reach too far.

    Parameters
    ----------
    rows, columns : int
        The last row and the last column that hold something.
    where : str
        Name of the sheet, where it is known.
    """
    sheet = f'The sheet "{where[:100]}"' if where else "A sheet of the workbook"
    if rows > MOST_SHEET_ROWS or columns > MOST_SHEET_COLUMNS:
        which = f"{MOST_SHEET_ROWS:,} rows" if rows > MOST_SHEET_ROWS else f"{MOST_SHEET_COLUMNS:,} columns"
        raise TableError(f"{sheet} has more than {which}, the most that a sheet can have.", "Save the table as CSV.")
    if rows * columns > MOST_CELLS_IN_MEMORY:
        raise TableError(
            f"{sheet} reaches over {_count(rows)} rows and {_count(columns)} columns; up to "
            f"{_count(MOST_CELLS_IN_MEMORY)} cells can be read.",
            "Delete what stands far from the table, or save the table as CSV.",
        )


def check_decoded(size: int, kind: str, most: int = MOST_DECODED) -> None:
    """Raise ``TableError`` where a file has more bytes than are read when its values are decoded."""
    if size > most:
        raise TableError(
            f"The {kind} file takes {_bytes(size)} when its values are decoded; {_bytes(most)} is the most that can be "
            "read.",
            _FEWER,
        )


def check_text(size: int, column: str) -> None:
    """Raise ``TableError`` where a single text is too long."""
    if size > MOST_TEXT:
        raise TableError(
            f'A text in column "{column[:100]}" has {_bytes(size)}; {_bytes(MOST_TEXT)} is the most that can be read.',
            "Leave the column out.",
        )


def _bytes(size: int) -> str:
    if size >= 1024**5:
        return "more than 1,000,000 GB"
    return f"{size / 1024**3:,.4g} GB" if size >= 1024**3 else f"{size / 1024**2:,.4g} MB"


def _count(number: int) -> str:
    """Return a count for a sentence: large ones in words."""
    for size, name in ((10**12, "trillion"), (10**9, "billion"), (10**7, "million")):
        if number >= size:
            return f"{number / (10**6 if name == 'million' else size):,.4g} {name}"
    return f"{number:,}"
