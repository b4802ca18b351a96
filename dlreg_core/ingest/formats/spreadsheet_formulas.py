"""Formulas of a workbook whose results it doesn't hold: programs that only write workbooks leave them to Excel."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections import Counter
from html import unescape

_CELL = re.compile(rb'<c r="([A-Z]{1,3})\d+"[^>]*>\s*<f[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>')
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(r"<Relationship\s[^>]*>")
_MOST_BYTES = 256 * 1024**2


def formulas_without_results(content: bytes, sheet: str) -> dict[int, int]:
    """Count the cells of a sheet that hold a formula and no result.

    Parameters
    ----------
    content : bytes
        A workbook; of other kinds than .xlsx nothing is known.
    sheet : str
        Name of the sheet.

    Returns
    -------
    dict of int to int
        Cells by column, counted from 0.
    """
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        name = sheet_member(archive, sheet)
        if name is None or archive.getinfo(name).file_size > _MOST_BYTES:
            return {}
        found = Counter(match[1] for match in _CELL.finditer(archive.read(name)))
    return {_place(letters): count for letters, count in found.items()}


def formula_note(cells: int, rows: int) -> str:
    """Say what is wrong with a column of so many formulas without results, and what to do."""
    are = "is a formula" if cells == 1 else "are formulas"
    which = "Its cells are formulas" if cells >= rows else f"{cells:,} of its cells {are}"
    results = "result" if cells == 1 else "results"
    return (
        f"{which} whose {results} the file doesn't hold. Open it in a spreadsheet program, save it there, and add it "
        "again."
    )


def sheet_member(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """Return the name of the file that holds a sheet."""
    names = set(archive.namelist())
    if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= names:
        return None
    sheets = (found[0] for found in _SHEET.finditer(archive.read("xl/workbook.xml").decode("utf-8", "replace")))
    wanted = next((_value(one, r"r?:?id") for one in sheets if _value(one, "name") == sheet), None)
    links = _RELATION.finditer(archive.read("xl/_rels/workbook.xml.rels").decode("utf-8", "replace"))
    target = next((_value(link[0], "Target") for link in links if wanted and _value(link[0], "Id") == wanted), None)
    path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/") if target else ""
    return path if path in names else None


def _value(tag: str, attribute: str) -> str | None:
    found = re.search(rf'\s{attribute}="([^"]*)"', tag)
    return unescape(found[1]) if found else None


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters:
        place = place * 26 + letter - 64
    return place - 1
