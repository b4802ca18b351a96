"""Small files of every kind that is read, written by hand: what reads them is not what wrote them."""

from __future__ import annotations

import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from tests.core.ingest.formats.test_formats import workbook

Rows = Sequence[Sequence[object]]
_OPEN = "urn:oasis:names:tc:opendocument:xmlns"
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"


def zipped(parts: Mapping[str, bytes | str]) -> bytes:
    """Pack parts into an archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            # By this part, which isn't packed, such documents are known.
            archive.writestr(name, content, zipfile.ZIP_STORED if name == "mimetype" else None)
    return buffer.getvalue()


def sheet_xml(cells: str) -> bytes:
    """Return a workbook whose only sheet has this XML within its data."""
    made = workbook(S=[["a"]])
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet1.xml"] = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        f"{cells}</sheetData></worksheet>"
    ).encode()
    return zipped(parts)


def open_document(rows: str) -> bytes:
    """Return an OpenDocument workbook whose only sheet has this XML as its rows."""
    spaces = " ".join(f'xmlns:{name}="{_OPEN}:{name}:1.0"' for name in ("office", "table", "text"))
    return zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.spreadsheet",
            "META-INF/manifest.xml": f'<manifest:manifest xmlns:manifest="{_OPEN}:manifest:1.0"><manifest:file-entry '
            'manifest:full-path="/" manifest:media-type="application/vnd.oasis.opendocument.spreadsheet"/>'
            "</manifest:manifest>",
            "content.xml": f"<office:document-content {spaces}><office:body><office:spreadsheet><table:table "
            f'table:name="S">{rows}</table:table></office:spreadsheet></office:body></office:document-content>',
        }
    )


def ods_cell(value: object, repeated: int = 1) -> str:
    """Return a cell of an OpenDocument sheet."""
    times = f' table:number-columns-repeated="{repeated}"' if repeated > 1 else ""
    kind = f'"float" office:value="{value}"' if isinstance(value, int | float) else '"string"'
    return f"<table:table-cell office:value-type={kind}{times}><text:p>{value}</text:p></table:table-cell>"


def ods(rows: Rows) -> bytes:
    """Write an OpenDocument workbook, with the empty rows and cells at the end that programs leave."""
    lines = "".join(
        f"<table:table-row>{''.join(ods_cell(value) for value in row)}"
        '<table:table-cell table:number-columns-repeated="16370"/></table:table-row>'
        for row in rows
    )
    rest = (
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell '
        'table:number-columns-repeated="16384"/></table:table-row>'
    )
    return open_document(lines + rest)


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text)) + text.encode("utf-16-le")


def _record(kind: int, content: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
    size, sizes = len(content), b""
    while True:
        sizes += bytes([size & 0x7F | (0x80 if size > 0x7F else 0)])
        size >>= 7
        if not size:
            return head + sizes + content


def xlsb(rows: Rows, places: Sequence[int] | None = None) -> bytes:
    """Write a binary workbook, its rows at `places`."""
    sheet = _record(129) + _record(148, struct.pack("<4I", 0, len(rows), 0, len(rows[0]))) + _record(145)
    for place, row in zip(places or range(len(rows)), rows, strict=True):
        sheet += _record(0, struct.pack("<2I", place, 0) + bytes(9))
        for column, value in enumerate(row):
            start = struct.pack("<2I", column, 0)
            number = isinstance(value, int | float)
            sheet += _record(5, start + struct.pack("<d", value)) if number else _record(6, start + _wide(str(value)))
    sheet += _record(146) + _record(130)
    book = _record(131) + _record(143) + _record(156, struct.pack("<2I", 0, 1) + _wide("r1") + _wide("S"))
    book += _record(144) + _record(132)
    relation = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    return zipped(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="bin" ContentType="application/vnd.ms-excel.sheet.binary.macroEnabled.main"/></Types>',
            "_rels/.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
            f'Type="{relation}/officeDocument" Target="xl/workbook.bin"/></Relationships>',
            "xl/workbook.bin": book,
            "xl/_rels/workbook.bin.rels": f'<Relationships xmlns="{_RELATIONS}"><Relationship Id="r1" '
            f'Type="{relation}/worksheet" Target="worksheets/sheet1.bin"/></Relationships>',
            "xl/worksheets/sheet1.bin": sheet,
        }
    )


def _biff(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def xls(rows: Rows, far: tuple[int, int] | None = None) -> bytes:
    """Write an old workbook, with one more number in a far cell; it needs some hundred cells to be a whole one."""
    cells = b""
    for row, values in enumerate(rows):
        for column, value in enumerate(values):
            start = struct.pack("<3H", row, column, 0)
            if isinstance(value, int | float):
                cells += _biff(0x0203, start + struct.pack("<d", value))
            else:
                text = str(value).encode("latin-1")
                cells += _biff(0x0204, start + struct.pack("<HB", len(text), 0) + text)
    if far is not None:
        cells += _biff(0x0203, struct.pack("<3Hd", *far, 0, 1.0))
    size = struct.pack("<IIHHH", 0, len(rows), 0, len(rows[0]), 0)
    sheet = _biff(0x0809, struct.pack("<HH", 0x0600, 0x0010) + bytes(12)) + _biff(0x0200, size) + cells + _biff(0x000A)
    start = _biff(0x0809, struct.pack("<HH", 0x0600, 0x0005) + bytes(12)) + _biff(0x0042, struct.pack("<H", 1200))
    named = struct.pack("<BBBB", 0, 0, 1, 0) + b"S"
    at = len(start) + 4 + 4 + len(named) + 4
    stream = start + _biff(0x0085, struct.pack("<I", at) + named) + _biff(0x000A) + sheet
    assert len(stream) >= 4096, "shorter streams are kept in another way"
    return _compound(stream)


def _compound(stream: bytes) -> bytes:
    sectors = -(-len(stream) // 512)
    assert sectors <= 126
    links = [0xFFFFFFFD, 0xFFFFFFFE, *range(3, sectors + 2), 0xFFFFFFFE]
    links += [0xFFFFFFFF] * (128 - len(links))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<9I", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    header += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)

    def entry(name: str, kind: int, child: int, first: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le") if name else b""
        return (
            text.ljust(64, b"\0")
            + struct.pack("<HBBIII", len(text), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
            + bytes(36)
            + struct.pack("<IQ", first, size)
        )

    directory = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream))
    directory += entry("", 0, 0xFFFFFFFF, 0, 0) * 2
    return header + struct.pack("<128I", *links) + directory + stream.ljust(sectors * 512, b"\0")


def table(rows: int = 200) -> list[list[object]]:
    """Return a small table with its names above it."""
    lines: list[list[object]] = [[i + 0.5, ("north", "south")[i % 2], 3 * i] for i in range(rows)]
    return [["size", "place", "price"], *lines]


def frame(rows: Rows) -> pd.DataFrame:
    """Return a table as a data frame."""
    return pd.DataFrame(rows[1:], columns=list(rows[0]))


def every_kind(rows: Rows) -> dict[str, bytes]:
    """Return the same table as a file of every kind."""
    whole = frame(rows)
    feather, columns = io.BytesIO(), io.BytesIO()
    pa.feather.write_feather(pa.table(whole), feather, compression="zstd")
    parquet.write_table(pa.table(whole), columns, compression="zstd")
    return {
        "CSV": whole.to_csv(index=False).encode(),
        "xlsx": workbook(S=[list(row) for row in rows]),
        "xls": xls(rows),
        "xlsb": xlsb(rows),
        "ods": ods(rows),
        "Parquet": columns.getvalue(),
        "Feather": feather.getvalue(),
        "JSON": json.dumps(whole.to_dict("records")).encode(),
    }
