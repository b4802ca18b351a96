"""CSV and Parquet bytes → tables, and refusals that say what is wrong and where."""

from __future__ import annotations

import gzip
import io
import zipfile
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dlreg_core.errors import NotFoundError, TableError
from dlreg_core.ingest.batches.typed_table import read_rows
from dlreg_core.ingest.formats.raw_table import read_table
from dlreg_core.specs import Column, ColumnType

CITIES = "city,price\nZürich,1\nOrléans,2\nMálaga,3\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    frame = read_rows(CITIES.encode(encoding))
    assert frame["city"].tolist() == ["Zürich", "Orléans", "Málaga"]
    assert frame["price"].tolist() == [1, 2, 3]


def test_cyrillic_in_a_legacy_encoding() -> None:
    text = "город,цена\n" + "Москва,1\nПетербург,2\nНовосибирск,3\n" * 20
    assert list(read_rows(text.encode("cp1251")).columns) == ["город", "цена"]


def test_polish_is_not_taken_for_a_western_language() -> None:
    text = "miasto,cena\n" + "Łódź,1\nKraków,2\nPoznań,3\nGdańsk,4\n" * 5
    assert read_rows(text.encode("cp1250"))["miasto"].tolist()[:3] == ["Łódź", "Kraków", "Poznań"]


def test_a_single_letter_beyond_ascii_is_a_western_one() -> None:
    assert read_rows("a,b\n1,wñ\n2,wa\n".encode("cp1252"))["b"].tolist() == ["wñ", "wa"]


def test_euro_sign_is_read_as_cp1252() -> None:
    raw = read_table("price €,city\n1,Orléans\n".encode("cp1252"))
    assert raw.table.column_names == ["price €", "city"]
    assert raw.dialect is not None and raw.dialect.encoding == "cp1252"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    text = end.join(delimiter.join(row) for row in (("a", "b", "c"), ("1", "x", "2.5"), ("3", "y", "4.5")))
    raw = read_table(text.encode())
    assert raw.dialect is not None and raw.dialect.delimiter == delimiter
    pd.testing.assert_frame_equal(
        read_rows(text.encode()), pd.DataFrame({"a": [1, 3], "b": ["x", "y"], "c": [2.5, 4.5]})
    )


def test_decimal_comma_with_thousands() -> None:
    content = b"a;b;c\n1,5;1.234,5;10\n2,25;12.345.678,25;20\n;7,0;30\n"
    raw = read_table(content)
    assert raw.dialect is not None and raw.dialect.decimal == ","
    frame = read_rows(content)
    assert frame["a"].tolist()[:2] == [1.5, 2.25]
    assert frame["b"].tolist() == [1234.5, 12345678.25, 7.0]


def test_thousands_with_points_as_decimal() -> None:
    frame = read_rows(b'a,b\n"1,234.5",1\n"12,345",2\n')
    assert frame["a"].tolist() == [1234.5, 12345.0]


def test_semicolons_with_decimal_points() -> None:
    raw = read_table(b"a;b\n1.5;x\n2.5;y\n")
    assert raw.dialect is not None and raw.dialect.decimal == "."


def test_quotes_hold_delimiters_quotes_and_line_breaks() -> None:
    frame = read_rows(b'a,b\n"x, ""y""\nz",1\nplain 5" pipe,2\n')
    assert frame["a"].tolist() == ['x, "y"\nz', 'plain 5" pipe']


def test_missing_tokens() -> None:
    tokens = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "?", "-", " NA "]
    text = "a,b\n" + "".join(f"{token},1\n" for token in tokens) + "2.5,1\n"
    frame = read_rows(text.encode())
    assert frame["a"].isna().sum() == len(tokens)
    assert frame["a"].iloc[-1] == 2.5


def test_empty_header_names_and_empty_columns() -> None:
    raw = read_table(b"a,,b,,\n1,2,3,,\n4,5,6,,\n,,,,\n,,,,\n")
    assert raw.table.column_names == ["a", "column_2", "b"]
    assert raw.table.num_rows == 2


def test_given_name_does_not_collide_with_a_filled_in_one() -> None:
    assert read_table(b"column_2,\n1,2\n").table.column_names == ["column_2", "column_2_"]


def test_missing_values_in_the_middle_keep_their_rows() -> None:
    assert len(read_rows(b"a,b\n1,2\n,\n3,4\n")) == 3


def test_excel_separator_line() -> None:
    assert read_rows(b"sep=;\r\na;b\r\n1;2\r\n").columns.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("first", "has_header"),
    [
        ("a,b,c", True),
        ("2010,2011,2012", True),
        ("1.5,2.5,3.5", False),
        ("5.1,3.5,setosa", False),
        ("name,2010,2011", True),
        ("1,1,2", False),
    ],
)
def test_header_is_told_from_values(first: str, has_header: bool) -> None:
    raw = read_table(f"{first}\n1,2,3\n4,5,6\n".encode())
    assert raw.dialect is not None and (raw.dialect.header_row == 0) is has_header
    assert raw.table.num_rows == (2 if has_header else 3)


def test_gzip_and_parquet() -> None:
    assert read_rows(gzip.compress(CITIES.encode(), mtime=0))["price"].tolist() == [1, 2, 3]
    frame = pd.DataFrame(
        {"a": [1.5, None], "b": ["x", "y"], "c": pd.to_datetime(pd.Series(["2024-01-02", None])), "d": [True, False]}
    )
    buffer = io.BytesIO()
    frame.to_parquet(buffer)
    read = read_rows(buffer.getvalue())
    assert read["d"].tolist() == ["true", "false"]
    pd.testing.assert_frame_equal(read[["a", "b", "c"]], frame[["a", "b", "c"]])


def _xlsx() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return buffer.getvalue()


def _parquet_of_lists() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"a": [[1], [2]], "b": [1, 2]}), buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b" \n\n ", "empty"),
        (b"a,b,c\n", "no rows"),
        (b"a,b,c", "no rows"),
        (b"a,b,c\n,,\n", "no rows"),
        (b"a\n1\n2\n", 'single column, "a"'),
        (b"a,b,a,c,b\n1,2,3,4,5\n", '"a" in columns 1, 3; "b" in columns 2, 5'),
        (b"a,b\n1,2\n3,4,5\n6,7\n", "Line 3 has 3 fields, but the first line has 2 fields"),
        (b'a,b\n"x\ny",2\n3\n', "Line 4 has 1 field,"),
        (b"sep=;\na;b\n1;2\n3\n", "Line 4 has 1 field,"),
        (b'a,b\n1,2\n3,"x\n4,5\n', "quotation mark on line 3 is never closed"),
        (b'a,b\n1,"x"y\n1,2,3\n', "Line 3 has 3 fields"),
        (b'a,b\n1,2,3\n4,"x\n5,6\n', "Line 2 has 3 fields"),
        (b"a,b\n1,\x002\n3,4\n" + b"5,6\n" * 100, "Line 2 holds a NUL"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a PNG image"),
        (b"%PDF-1.7\n", "a PDF"),
        (_xlsx(), "workbook is damaged"),
        (b"PK\x03\x04rest", "ZIP file is damaged"),
        (b"<!DOCTYPE html><html></html>", "a web page"),
        (b'[{"a": 1}]', 'single column, "a"'),
        (bytes(range(256)) * 20, "binary"),
        (gzip.compress(CITIES.encode(), mtime=0)[:-12], "gzip file is damaged"),
        (b"PAR1 nothing", "Parquet file is damaged"),
        (_parquet_of_lists(), 'Column "a" holds values of the type list'),
        (b"\xff\xfea", "UTF-16"),
        (",".join(f"c{i}" for i in range(5001)).encode() + b"\n1\n", "5,001 columns"),
    ],
)
def test_refusals_say_what_is_wrong(content: bytes, said: str) -> None:
    with pytest.raises(TableError) as caught:
        read_rows(content) if b"PAR1" in content[:4] else read_table(content)
    assert said in caught.value.message
    assert caught.value.hint


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_rows(tmp_path / "none.csv")
    with pytest.raises(TableError):
        read_rows(tmp_path)


def test_rows_of_one_column_keep_their_missing_values() -> None:
    frame = read_rows(b"a\n1\n\n3\n\n")
    assert frame["a"].isna().tolist() == [False, True, False]


def test_rows_like_a_known_table() -> None:
    content = b"when,code,flag,size\n03/04/2024,7,1,05\n05/04/2024,8,0,06\n"
    like: dict[str, Column | ColumnType] = {
        "when": Column(name="when", type=ColumnType.DATETIME, missing=0, distinct=9, day_first=False),
        "code": ColumnType.CATEGORY,
        "flag": ColumnType.BOOLEAN,
        "size": ColumnType.NUMBER,
        "other": ColumnType.TEXT,
    }
    frame = read_rows(content, like=like)
    assert frame["when"].tolist() == [pd.Timestamp("2024-03-04"), pd.Timestamp("2024-05-04")]
    assert frame["code"].tolist() == ["7", "8"]
    assert frame["flag"].tolist() == ["1", "0"]
    assert frame["size"].tolist() == [5, 6]
    without = read_rows(content)
    assert without["when"].tolist()[0] == pd.Timestamp("2024-04-03")
    assert without["size"].tolist() == ["05", "06"]


def test_rows_that_do_not_fit_stay_text() -> None:
    assert read_rows(b"a,b\n1,2\nx,3\n", like={"a": ColumnType.NUMBER})["a"].tolist() == ["1", "x"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b",".join(b"c%d" % i for i in range(1_000_000)) + b"\n1\n", "more than 20,000 columns"),
        (b'a,b\n1,2\n"' + b"x" * 20_000_000 + b'",3\n4,5\n', "A field on line 3 is longer than 131,072"),
        (b"a,b\n1,2\n" + b"x" * 20_000_000 + b",3\n4,5\n", "A field on line 3 is longer than 131,072"),
        (b"n" * 1_000_000 + b",b\n1,2\n3,4\n", "A field on line 1 is longer than 131,072"),
        (b"a,b\n" + b'"' * 300_001 + b"\n", "quotation mark on line 2 is never closed"),
        (b"\n" * 5_000_000, "empty"),
        (b'[{"a":' + b"[" * 200_000, "JSON"),
        ("a,b\n1,\ud800\n".encode("utf-16-le", "surrogatepass"), "binary"),
    ],
    ids=["columns", "quoted cell", "cell", "name", "quotes", "blank", "nested", "surrogate"],
)
def test_absurd_files_are_refused_at_once(content: bytes, said: str) -> None:
    with pytest.raises(TableError) as caught:
        read_table(content)
    assert said in caught.value.message
    assert caught.value.hint


def test_names_that_look_like_paths_or_formulas_are_only_names() -> None:
    frame = read_rows(b"../../etc/passwd,=cmd|'/c calc'!A1,b\n1,2,3\n4,5,6\n")
    assert list(frame.columns) == ["../../etc/passwd", "=cmd|'/c calc'!A1", "b"]


@pytest.mark.parametrize(
    "line", ["{day:02d}/03/2024;{day},5", "{day},5;{day},7;1{day},5", "{day},5;x{day}", "{day};{day},5;2,{day}"]
)
def test_decimal_commas_do_not_pass_for_delimiters(line: str) -> None:
    names = ";".join("abc"[: line.count(";") + 1])
    raw = read_table((names + "\n" + "".join(line.format(day=day) + "\n" for day in range(10, 29))).encode())
    assert (raw.dialect.delimiter, raw.dialect.decimal, raw.dialect.header_row) == (";", ",", 0)
    assert raw.table.column_names == names.split(";")


def test_two_columns_with_decimal_commas_and_semicolons() -> None:
    content = "\n".join(["a;b", *(f"{i},5;{i % 3}" for i in range(30))]).encode()
    dialect = read_table(content).dialect
    assert (dialect.delimiter, dialect.decimal, dialect.header_row) == (";", ",", 0)
