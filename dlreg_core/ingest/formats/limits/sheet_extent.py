"""How far the cells of a workbook reach: whoever reads it makes room for all cells up to the last one."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from pyexpat import ExpatError, ParserCreate
from typing import Any

from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.limits.cell_limits import MOST_SHEET_COLUMNS, MOST_SHEET_ROWS, check_extent
from dlreg_core.ingest.formats.limits.xls_extent import cell_places
from dlreg_core.ingest.formats.limits.zip_members import member_pieces, opened_archive
from dlreg_core.ingest.formats.spreadsheet_formulas import sheet_member

MOST_UNPACKED = 2 * 1024**3
_OLE = b"\xd0\xcf\x11\xe0"
_STRINGS = "xl/sharedStrings"
_FILLED = re.compile(rb'<c r="([A-Za-z]+)([0-9]+)"[^>]*(?<!/)>')
_FAR = re.compile(rb'<c r="(?:[A-Za-z]{2}|[A-Za-z][0-9]{6})')
"""Neither a sheet of up to 26 columns and 99,999 rows, nor anything written unusually, has such a cell."""

_USUAL, _ENDS = b'<c r="', (b" ", b">", b"/", b"\n", b"\t", b"\r")
_ODS_TAG = re.compile(rb"<(/?)table:(table|table-row|table-cell|covered-table-cell)((?:\s[^<>]*)?)>")
_ODS_ROWS = re.compile(rb"number-rows-repeated\s*=\s*[\"'](\d+)")
_ODS_COLUMNS = re.compile(rb"number-columns-repeated\s*=\s*[\"'](\d+)")
_XLSB_ROW, _XLSB_FIRST, _XLSB_LAST = 0, 2, 11
_MOST_DIGITS = 12


def check_workbook(content: bytes) -> None:
    """Refuse a workbook that can't be opened within reason, before it is.

    Parameters
    ----------
    content : bytes
        An .xlsx, .xlsb, .xls or .ods file.

    Raises
    ------
    TableError
        If it unpacks to more than 2 GB, or to more than it says; of an .xls and .ods file, whose sheets are all read
        when it is opened, if one of them reaches too far.
    """
    if content.startswith(_OLE):
        check_extent(*_last_place(cell_places(content)))
        return
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return
    with opened_archive(io.BytesIO(content)) as archive:
        if sum(member.file_size for member in archive.infolist()) > MOST_UNPACKED:
            raise TableError("The workbook is larger than 2 GB when it is unpacked.", "Save the table as CSV.")
        for info in archive.infolist():
            if info.filename == "content.xml":
                _check_ods(member_pieces(io.BytesIO(content), info, MOST_UNPACKED))
            elif info.filename.startswith(_STRINGS):
                for _ in member_pieces(io.BytesIO(content), info, MOST_UNPACKED):
                    pass


def check_sheet(content: bytes, sheet: str) -> None:
    """Refuse a sheet of an .xlsx or .xlsb file whose cells reach too far; ``TableError`` says so."""
    if not zipfile.is_zipfile(io.BytesIO(content)):
        return
    with opened_archive(io.BytesIO(content)) as archive:
        known = sheet_member(archive, sheet)
        names = [known] if known else [name for name in archive.namelist() if "sheets/" in name.lower()]
        for name in names:
            if name.lower().endswith(".bin"):
                pieces = member_pieces(io.BytesIO(content), archive.getinfo(name), MOST_UNPACKED)
                check_extent(*_last_place(_xlsb_places(pieces)), sheet)
            elif name.lower().endswith(".xml"):
                _check_xlsx(content, archive.getinfo(name), sheet)


def _last_place(places: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """Return how many rows and columns there are up to the last cells, counted from 0."""
    rows = columns = 0
    for row, column in places:
        rows, columns = max(rows, row + 1), max(columns, column + 1)
        # What has gone too far need not be looked at to its end.
        if rows > MOST_SHEET_ROWS or columns > MOST_SHEET_COLUMNS:
            break
    return rows, columns


def _check_xlsx(content: bytes, info: zipfile.ZipInfo, sheet: str) -> None:
    """Look at the cells' own references; where cells have none, or are written unusually, at every element."""
    rows, usual, far = 0, True, False
    for text in _member_text(content, info):
        rows += _tags(text, b"row", text.count(b"<row>") + text.count(b"<row "))
        check_extent(rows, 1, sheet)
        references = text.count(_USUAL)
        usual = usual and references == _tags(text, b"c", references)
        far = far or _FAR.search(text) is not None
    if not usual:
        _check_every_element(content, info, sheet)
    elif far:
        _check_references(content, info, sheet)


def _tags(text: bytes, name: bytes, usual: int) -> int:
    """Return how many elements of a name there are, of which `usual` are known already."""
    # Hardly anything else begins like a cell, so that one look is mostly enough.
    if text.count(b"<" + name) == usual and b":" + name not in text:
        return usual
    return sum(text.count(start + name + end) for start in (b"<", b":") for end in _ENDS)


def _check_references(content: bytes, info: zipfile.ZipInfo, sheet: str) -> None:
    rows = columns = 0
    for text in _member_text(content, info):
        filled = _FILLED.findall(text)
        rows = max(rows, max((_number(row) for row in {row for _, row in filled}), default=0))
        columns = max(columns, max((place_of(letters) + 1 for letters in {one for one, _ in filled}), default=0))
        check_extent(rows, columns, sheet)


def _member_text(content: bytes, info: zipfile.ZipInfo) -> Iterator[bytes]:
    return _whole_tags(member_pieces(io.BytesIO(content), info, MOST_UNPACKED))


def _whole_tags(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the text cut between tags only."""
    rest = b""
    for piece in pieces:
        text = rest + piece
        cut = text.rfind(b"<")
        rest = text[cut:] if cut >= 0 else b""
        if cut > 0:
            yield text[:cut]
    yield rest


def _check_every_element(content: bytes, info: zipfile.ZipInfo, sheet: str) -> None:
    walk = _Walk(sheet)
    parser = ParserCreate()
    parser.StartElementHandler = walk.start
    try:
        for piece in member_pieces(io.BytesIO(content), info, MOST_UNPACKED):
            parser.Parse(piece, False)
    except ExpatError:
        # What is damaged is told by whoever reads it; what stands before it has been looked at.
        pass
    walk.finish()


class _Walk:
    """Follows the cells of a sheet, those without a reference too: each stands behind the one before."""

    def __init__(self, sheet: str) -> None:
        self._sheet = sheet
        self._row = self._column = 0
        self._last_row = self._last_column = 0

    def start(self, name: str, attributes: dict[str, Any]) -> None:
        local = name.rpartition(":")[2]
        if local == "row":
            check_extent(self._last_row, self._last_column, self._sheet)
            told = str(attributes.get("r", ""))
            self._row = _number(told) if told.isascii() and told.isdigit() else self._row + 1
            self._column = 0
        elif local == "c":
            found = re.fullmatch(r"([A-Za-z]+)([0-9]+)", str(attributes.get("r", "")))
            if found:
                self._row, self._column = _number(found[2]), place_of(found[1].encode()) + 1
            else:
                self._column += 1
        elif local in ("v", "is", "f"):
            self._last_row = max(self._last_row, self._row)
            self._last_column = max(self._last_column, self._column)

    def finish(self) -> None:
        """Check what has come last."""
        check_extent(self._last_row, self._last_column, self._sheet)


def _number(digits: str | bytes) -> int:
    """Return a number, of a very long one its beginning, which is large enough."""
    return int(digits[:_MOST_DIGITS])


def place_of(letters: bytes) -> int:
    """Return the place of a column by its letters, counted from 0."""
    place = 0
    for letter in letters[:_MOST_DIGITS].upper():
        place = place * 26 + letter - 64
    return place - 1


def _check_ods(pieces: Iterator[bytes]) -> None:
    """Count what rows and cells stand for: both may be repeated any number of times."""
    row = last_row = widest = column = width = repeated = 0
    for text in _whole_tags(pieces):
        for end, kind, attributes in _ODS_TAG.findall(text):
            if kind == b"table":
                row = last_row = widest = 0
            elif kind == b"table-row":
                if not end:
                    column, width, repeated = 0, 0, _repeated(_ODS_ROWS, attributes)
                if end or attributes.endswith(b"/"):
                    row += repeated
                    last_row, widest = (row if width else last_row), max(widest, width)
                    check_extent(last_row, widest)
            elif not end:
                column += _repeated(_ODS_COLUMNS, attributes)
                width = column if b"office:" in attributes or not attributes.endswith(b"/") else width


def _repeated(pattern: re.Pattern[bytes], attributes: bytes) -> int:
    found = pattern.search(attributes)
    return int(found[1][:_MOST_DIGITS]) if found else 1


def _xlsb_places(pieces: Iterable[bytes]) -> Iterator[tuple[int, int]]:
    """Yield the places of the filled cells of a binary sheet."""
    text, row = b"", 0
    for piece in pieces:
        text, at = text + piece, 0
        while (record := _xlsb_record(text, at)) is not None:
            kind, start, at = record
            if kind == _XLSB_ROW:
                row = int.from_bytes(text[start : start + 4], "little")
            elif _XLSB_FIRST <= kind <= _XLSB_LAST:
                yield row, int.from_bytes(text[start : start + 4], "little")
        text = text[at:]


def _xlsb_record(text: bytes, at: int) -> tuple[int, int, int] | None:
    """Return the kind of a record, where its content begins and where it ends; None where it isn't there yet."""
    if at + 6 > len(text):
        return None
    kind = text[at]
    at += 1
    if kind & 0x80:
        kind = (kind & 0x7F) | (text[at] & 0x7F) << 7
        at += 1
    size = 0
    for shift in range(0, 28, 7):
        if at >= len(text):
            return None
        byte = text[at]
        at += 1
        size |= (byte & 0x7F) << shift
        if not byte & 0x80:
            break
    return (kind, at, at + size) if at + size <= len(text) else None
