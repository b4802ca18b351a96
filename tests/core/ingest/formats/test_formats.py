"""Files that aren't plain CSV: workbooks, JSON, Feather, packed ones; and titles above a table."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pytest

from dlreg_core.errors import TableError
from dlreg_core.ingest.batches.typed_table import read_rows
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.formats.raw_table import read_table
from dlreg_core.specs import Reading

CSV = b"city,price\nOslo,1\nBern,2\n"
FRAME = pd.DataFrame({"city": ["Oslo", "Bern"], "price": [1, 2]})
_PARTS = {
    "[Content_Types].xml": (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/>'
        '<Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.'
        'spreadsheetml.sheet.main+xml"/></Types>'
    ),
    "_rels/.rels": (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>'
    ),
    # The second format is that of a date, the third that of a duration, [h]:mm:ss.
    "xl/styles.xml": (
        '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><cellXfs count="3">'
        '<xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/>'
        '<xf numFmtId="46" applyNumberFormat="1"/></cellXfs></styleSheet>'
    ),
}


def _cell(value: object, place: str) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return f'<c r="{place}" s="1"><v>{(value - datetime(1899, 12, 30)).days}</v></c>'
    if isinstance(value, timedelta):
        return f'<c r="{place}" s="2"><v>{value / timedelta(days=1)!r}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, int | float):
        return f'<c r="{place}"><v>{value!r}</v></c>'
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'


def workbook(**sheets: Iterable[Iterable[object]]) -> bytes:
    """Write a workbook as Excel does, by hand: what reads it is not what wrote it."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    listed = "".join(f'<sheet name="{n}" sheetId="{i}" r:id="s{i}"/>' for i, n in enumerate(sheets, 1))
    links = "".join(
        f'<Relationship Id="s{i}" Type="{relations}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(sheets) + 1)
    )
    styles = f'<Relationship Id="st" Type="{relations}/styles" Target="styles.xml"/>'
    parts = _PARTS | {
        "xl/workbook.xml": f'<workbook {space} xmlns:r="{relations}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": (
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f"{links}{styles}</Relationships>"
        ),
    }
    for i, rows in enumerate(sheets.values(), 1):
        lines = [
            f'<row r="{r}">{"".join(_cell(value, f"{chr(65 + c)}{r}") for c, value in enumerate(row))}</row>'
            for r, row in enumerate(rows, 1)
        ]
        parts[f"xl/worksheets/sheet{i}.xml"] = f"<worksheet {space}><sheetData>{''.join(lines)}</sheetData></worksheet>"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return buffer.getvalue()


def _zip(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def _zstd(content: bytes) -> bytes:
    packed: bytes = pa.Codec("zstd").compress(content, asbytes=True)
    return packed


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress, _zstd, lambda c: _zip(table=c)])
def test_packed_files(pack: Callable[[bytes], bytes]) -> None:
    pd.testing.assert_frame_equal(read_rows(pack(CSV)), FRAME)


def test_what_macs_add_to_an_archive_is_passed_over() -> None:
    pd.testing.assert_frame_equal(read_rows(_zip(**{"table": CSV, "__MACOSX/x": b"litter"})), FRAME)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (_zip(a=CSV, b=CSV), "holds 2 files: a, b"),
        (_zip(**{"folder/": b""}), "is empty"),
        (bz2.compress(CSV)[:-4], "bzip2 file is damaged"),
        (lzma.compress(CSV)[:-14], "xz file is damaged"),
        (_zstd(CSV)[:9], "Zstandard file is damaged"),
        (gzip.compress(bytes(100_000_000), 9), "1,000 times larger"),
        (_zip(bomb=bytes(100_000_000)), "1,000 times larger"),
    ],
)
def test_packed_files_that_can_not_be_read(content: bytes, said: str) -> None:
    with pytest.raises(TableError) as caught:
        read_table(content)
    assert said in caught.value.message


def test_a_workbook_keeps_the_types_of_its_cells() -> None:
    rows: list[list[object]] = [
        ["city", "price", "sold", "new", "mixed", None],
        ["Oslo", 1.5, datetime(2024, 1, 2), True, 3, None],
        ["Bern", None, datetime(2024, 3, 4), False, "n/a", None],
        [None, None, None, None, None, None],
    ]
    raw = read_table(workbook(Empty=[], Prices=rows, Other=[["a", "b"], [1, 2]]))
    assert (raw.dialect.file, raw.dialect.sheet, raw.dialect.header_row) == ("workbook", "Prices", 0)
    frame = read_rows(workbook(Prices=rows))
    expected = pd.DataFrame(
        {
            "city": ["Oslo", "Bern"],
            "price": [1.5, None],
            "sold": pd.to_datetime(["2024-01-02", "2024-03-04"]).astype("datetime64[ns]"),
            "new": ["true", "false"],
            "mixed": [3.0, None],
        }
    )
    pd.testing.assert_frame_equal(frame, expected, check_dtype=False)


def test_titles_above_the_table_of_a_workbook_are_passed_over() -> None:
    rows: list[list[object]] = [
        ["Prices of houses"],
        [],
        ["city", "price", "year"],
        ["Oslo", 1, 2020],
        ["Bern", 2, 2021],
    ]
    raw = read_table(workbook(Sheet1=rows))
    assert raw.dialect.header_row == 2
    assert raw.table.to_pydict() == {"city": ["Oslo", "Bern"], "price": [1, 2], "year": [2020, 2021]}


def test_each_sheet_is_a_table_of_its_own(tmp_path: Path) -> None:
    content = workbook(One=[["a", "b"], [1, 2]], Two=[["c", "d"], [3, 4]])
    store = DatasetStore(tmp_path)
    first = store.add(content, "book.xlsx")
    assert first.dialect is not None and first.dialect.sheets == ("One", "Two")
    second = store.read_again(first.id, Reading(sheet="Two"))
    assert (first.column_names, second.column_names) == (("a", "b"), ("c", "d"))
    assert first.id != second.id
    with pytest.raises(TableError, match='no sheet "Three"'):
        store.add(content, reading=Reading(sheet="Three"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (workbook(A=[], B=[]), "all of its sheets are empty"),
        (workbook(A=[["a", "b"]]), "no rows"),
        (workbook(A=[["a", "a"], [1, 2]]), "same name"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "workbook is damaged"),
    ],
)
def test_workbooks_that_can_not_be_read(content: bytes, said: str) -> None:
    with pytest.raises(TableError) as caught:
        read_table(content)
    assert said in caught.value.message


def test_json_lines_and_lists() -> None:
    rows = [{"city": "Oslo", "price": 1, "new": True}, {"price": 2.5, "city": "Bern", "note": "x"}]
    expected = pd.DataFrame(
        {"city": ["Oslo", "Bern"], "price": [1, 2.5], "new": ["true", None], "note": [None, "x"]}, dtype=object
    )
    for content in ("\n".join(map(json.dumps, rows)), json.dumps(rows), "\ufeff" + json.dumps(rows, indent=1)):
        frame = read_rows(content.encode())
        pd.testing.assert_frame_equal(frame.astype(object), expected, check_dtype=False)
        assert frame["price"].dtype == "float64"


def test_mixed_values_of_json_become_text() -> None:
    frame = read_rows(b'{"a": 1, "b": 1}\n{"a": "x", "b": 99999999999999999999999}\n')
    assert frame["a"].tolist() == ["1", "x"]
    assert frame["b"].tolist() == [1.0, 1e23]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"a": 1, "b": 2}\n{"a": 1,\n', "Line 2 is no complete JSON object"),
        (b'{"a": 1, "b": [1]}\n', 'Line 1 holds a list or an object in "b"'),
        (b'[{"a": 1, "b": 2}, 3]', "Object 2 is no object"),
        (b'[{"a": 1, "b": 2},\n{"a": 1', "line 2"),
        (b"[]", "no rows"),
    ],
)
def test_json_that_is_no_table(content: bytes, said: str) -> None:
    with pytest.raises(TableError) as caught:
        read_table(content)
    assert said in caught.value.message


def test_feather() -> None:
    buffer = io.BytesIO()
    pyarrow.feather.write_feather(FRAME, buffer)
    raw = read_table(buffer.getvalue())
    assert raw.dialect.file == "Feather"
    pd.testing.assert_frame_equal(read_rows(buffer.getvalue()), FRAME)
    with pytest.raises(TableError, match="Feather file is damaged"):
        read_table(buffer.getvalue()[:-20])


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("Prices\n\ncity,price,year\nOslo,1,2020\nBern,2,2021\n", 2),
        ("Prices,,\n,,\ncity,price,year\nOslo,1,2020\nBern,2,2021\n", 2),
        ("# made by, the office\n# of Oslo\ncity,price,year\nOslo,1,2020\nBern,2,2021\n", 2),
        ('"Prices; all\nof them"\r\nStation: Oslo\r\ncity;price;year\r\nOslo;1;2020\r\nBern;2;2021\r\n', 3),
        ("city,price,year\nOslo,1,2020\nBern,2,2021\n", 0),
    ],
)
def test_titles_and_notes_above_the_table(text: str, lines: int) -> None:
    raw = read_table(text.encode())
    assert raw.dialect.header_row == lines
    assert raw.table.to_pydict() == {"city": ["Oslo", "Bern"], "price": ["1", "2"], "year": ["2020", "2021"]}


def test_a_line_below_a_title_is_named_as_it_stands_in_the_file() -> None:
    with pytest.raises(TableError) as caught:
        read_table(b"Prices\n\na,b,c\n1,2,3\n4,5,6\n7,8\n")
    assert caught.value.message == "Line 6 has 2 fields, but line 3 has 3 fields."


@pytest.mark.parametrize("text", ["a,b\n1,2,3\n4,5,6\n", "a\n1,2\n3,4\n"])
def test_a_header_that_is_too_short_is_no_title(text: str) -> None:
    with pytest.raises(TableError, match=r"The first line has . fields?, but the rows below have"):
        read_table(text.encode())
