"""Files of a few bytes that ask for gigabytes: each is refused in one sentence, before anything of it is decoded."""

from __future__ import annotations

import io
import json
import lzma
import resource
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather
import pytest
from pyarrow import parquet

from dlreg_core.errors import TableError
from dlreg_core.ingest.batches.typed_table import read_rows
from dlreg_core.ingest.datasets import dataset_files
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.formats import large_files, raw_table
from dlreg_core.ingest.formats.raw_table import read_table
from tests.conftest import ROOT, small_table
from tests.hostile.helpers import making
from tests.pages.data.test_data import opened, texts

_SECONDS, _MEGABYTES = 10.0, 300.0
TABLE = making.table()
HEAD = "<row r='1'><c r='A1' t='inlineStr'><is><t>a</t></is></c><c r='B1' t='inlineStr'><is><t>b</t></is></c></row>"
USUAL = HEAD.replace("'", '"')


def _parquet(table: pa.Table, **options: object) -> bytes:
    buffer = io.BytesIO()
    parquet.write_table(table, buffer, compression="zstd", **options)
    return buffer.getvalue()


def _many_groups() -> bytes:
    part, buffer = pa.table({name: np.zeros(1_000_000, np.int8) for name in "abcd"}), io.BytesIO()
    kept: list[parquet.FileMetaData] = []
    parquet.write_table(part, buffer, compression="zstd")
    described = parquet.read_metadata(io.BytesIO(buffer.getvalue()))
    for _ in range(7):
        # All of them are the same bytes.
        kept.append(parquet.read_metadata(io.BytesIO(_description(described))))
        described.append_row_groups(kept[-1])
    return _description(described)


def _description(metadata: parquet.FileMetaData) -> bytes:
    buffer = io.BytesIO()
    metadata.write_metadata_file(buffer)
    return buffer.getvalue()


def _repeated_text(rows: int = 6_000, size: int = 1_000_000) -> pa.Table:
    """Return numbers of an entry in a list whose only entry is a long text."""
    texts = pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array(["x" * size]))
    return pa.table({"a": texts, "b": np.arange(rows)})


def _feather(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pyarrow.feather.write_feather(table, buffer, compression="zstd")
    return buffer.getvalue()


def _views() -> bytes:
    """Return texts that are all views on the same bytes."""
    one = pa.array(["x" * 1_000_000]).cast(pa.string_view())
    views = np.tile(np.frombuffer(one.buffers()[1], np.uint8), 6_000).tobytes()
    texts = pa.Array.from_buffers(pa.string_view(), 6_000, [None, pa.py_buffer(views), *one.buffers()[2:]])
    return _feather(pa.table({"a": texts, "b": np.arange(6_000)}))


def _lists(write: Callable[[pa.Table], bytes]) -> bytes:
    many = pa.ListArray.from_arrays(pa.array([0, 2_000_000]), pa.array(np.zeros(2_000_000, np.int8)))
    return write(pa.table({"a": many, "b": [1]}))


def _lying_feather() -> bytes:
    content = _feather(pa.table({"a": np.zeros(60_000), "b": np.zeros(60_000)}))
    told = struct.pack("<q", 480_000)
    assert content.count(told) == 2, "the length of each packed buffer stands before it"
    return content.replace(told, struct.pack("<q", 2**40))


def _greedy_xz() -> bytes:
    content = bytearray(lzma.compress(b"a,b\n1,2\n"))
    # The size of its dictionary, one of forty steps up to 4 GB, stands in the header of the first block.
    assert content[14:16] == b"\x21\x01"
    content[16] = 39
    content[20:24] = struct.pack("<I", zlib.crc32(bytes(content[12:20])))
    return bytes(content)


def _boasting_xls() -> bytes:
    told = struct.pack("<IIHHH", 0, len(TABLE), 0, 3, 0)
    return making.xls(TABLE).replace(told, struct.pack("<IIHHH", 0, 2**31 - 1, 0, 255, 0))


def _wide_json() -> bytes:
    rows: list[dict[str, int]] = [{"a": 1} for _ in range(4_500)]
    return json.dumps([*rows, {f"c{i}": i for i in range(4_900)}]).encode()


def _far(last: str) -> str:
    row = '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>1</v></c></row>'
    return f'{USUAL}{row}<row r="9"><c r="{last}"><v>2</v></c></row>'


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "a far cell": (lambda: making.sheet_xml(_far("XFD1048576")), "1,048,576 rows and 16,384 columns"),
    "a far cell written otherwise": (
        lambda: making.sheet_xml(f"{HEAD}<row><c t='n'\tr='XFD1048576'><v>2</v></c></row>"),
        "1,048,576 rows and 16,384 columns",
    ),
    "a far cell beyond all sheets": (lambda: making.sheet_xml(_far("ZZZ9999999")), "more than 1,048,576 rows"),
    "a cell whose place is no number of 32 bits": (
        lambda: making.sheet_xml(_far("C9223372036854775807") + '<row r="10"><c r="c4294967295"><v>2</v></c></row>'),
        "more than 1,048,576 rows",
    ),
    "wide above and long below": (
        lambda: making.sheet_xml(f'{_far("XFD9")}<row r="50000"><c r="A50000"><v>2</v></c></row>'),
        "50,000 rows and 16,384 columns",
    ),
    "rows without places": (
        lambda: making.sheet_xml(HEAD + "<row><c><v>1</v></c><c><v>2</v></c></row>" * 1_100_000),
        "more than 1,048,576 rows",
    ),
    "cells without places": (lambda: making.sheet_xml(f"{HEAD}<row>{'<c><v>1</v></c>' * 20_000}</row>"), "16,384"),
    "a far row of xlsb": (lambda: making.xlsb(TABLE, [*range(200), 2**31]), "more than 1,048,576 rows"),
    "a far cell of xls": (lambda: making.xls(TABLE, (65_535, 65_000)), "more than 16,384 columns"),
    "a far cell within xls": (lambda: making.xls(TABLE, (65_535, 2_000)), "65,536 rows and 2,001 columns"),
    "an xls that says it is large": (_boasting_xls, "more than 1,048,576 rows"),
    "repeated rows of ods": (
        lambda: making.open_document(
            f"<table:table-row>{making.ods_cell('a')}{making.ods_cell('b')}</table:table-row>"
            f'<table:table-row table:number-rows-repeated="1000000000">{making.ods_cell(1, 2)}</table:table-row>'
        ),
        "more than 1,048,576 rows",
    ),
    "repeated cells of ods": (
        lambda: making.open_document(f"<table:table-row>{making.ods_cell(1, 10_000)}</table:table-row>" * 3_000),
        "reaches over",
    ),
    "rows of Parquet": (_many_groups, "128 million rows and 4 columns"),
    "a repeated text of Parquet": (lambda: _parquet(_repeated_text()), "5.588 GB"),
    "a long text of Parquet": (lambda: _parquet(_repeated_text(100, 20_000_000)), 'column "a" has 19.07 MB'),
    "a repeated text of Feather": (lambda: _feather(_repeated_text()), "5.588 GB"),
    "views of Feather": (_views, "5.588 GB"),
    "lists of Feather": (lambda: _lists(_feather), "type list"),
    "lists of Parquet": (lambda: _lists(_parquet), "type list"),
    "packed buffers of Feather": (_lying_feather, "2,048 GB"),
    "empty objects": (lambda: b"[" + b"{}," * 5_000_001 + b'{"a": 1}]', "5,000,002 objects"),
    "a wide object among many": (_wide_json, "4,501 rows"),
    "nested objects": (lambda: b'[{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}]", "nested too deeply"),
    "a greedy xz": (_greedy_xz, "256 MB of memory"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_small_file_that_asks_for_much_is_refused_at_once(name: str, tmp_path: Path) -> None:
    make, said = HOSTILE[name]
    content = make()
    before, started = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    with pytest.raises(TableError) as caught:
        DatasetStore(tmp_path).add(content, "hostile")
    assert said in caught.value.message
    assert time.process_time() - started < _SECONDS
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < _MEGABYTES
    assert not list((tmp_path / "datasets").glob("*"))


def test_a_member_that_holds_more_than_it_says_is_refused() -> None:
    content = bytearray(making.sheet_xml(USUAL + '<row r="2"><c r="A2"><v>1</v></c></row>' * 2_000))
    at = content.rfind(b"xl/worksheets/sheet1.xml")
    # In the archive's list of members, its length stands 22 bytes before its name.
    content[at - 22 : at - 18] = struct.pack("<I", 100)
    with pytest.raises(TableError, match="holds more than it says"):
        read_table(bytes(content))


def test_a_long_integer_counts_as_missing_beyond_all_numbers() -> None:
    rows = read_rows(b'[{"a": %s, "y": 1}, {"a": 2, "y": 3}]' % (b"7" * 100_000))
    assert rows["a"].isna().tolist() == [True, False]


@pytest.mark.parametrize("kind", ["CSV", "xlsx", "xls", "xlsb", "ods", "Parquet", "Feather", "JSON"])
def test_an_honest_file_of_each_kind_is_read(kind: str) -> None:
    assert read_rows(making.every_kind(TABLE)[kind]).equals(making.frame(TABLE))


def test_empty_cells_that_are_only_formatted_reach_nowhere() -> None:
    empty = '<row r="1048576"><c r="A1048576" s="1"/><c r="XFD1048576" s="1"/></row>'
    frame = read_rows(making.sheet_xml(USUAL + '<row r="2"><c r="A2"><v>1</v></c><c r="B2"><v>5</v></c></row>' + empty))
    assert frame.to_dict("list") == {"a": [1], "b": [5]}


def test_repeated_texts_of_a_reasonable_length_are_read(tmp_path: Path) -> None:
    content = _parquet(_repeated_text(2_000, 1_000))
    assert read_rows(content)["a"].str.len().eq(1_000).all()
    store = DatasetStore(tmp_path)
    (tmp_path / "t.parquet").write_bytes(content)
    dataset = store.add_large(tmp_path / "t.parquet")
    assert dataset.rows == 2_000


@pytest.fixture
def unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whatever reads a file in this process fail; pages under test run in it, the reader doesn't."""

    def parsed(*_: object, **__: object) -> None:
        pytest.fail("a file is parsed in the server's process")

    monkeypatch.setattr(raw_table, "_read", parsed)
    monkeypatch.setattr(dataset_files, "stream_table", parsed)
    monkeypatch.setattr(large_files, "reads_in_pieces", parsed)


def test_the_server_parses_no_file_of_data(
    home: Path, unread: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLREG_PLACES", str(tmp_path))
    app = opened()
    app.file_uploader[0].upload("houses.csv", small_table().to_csv(index=False).encode(), "text/csv").run()
    assert "houses.csv: 240 rows × 6 columns" in texts(app)
    dataset = app.query_params["dataset"]
    app.session_state[f"reading_{dataset}"] = True
    app.run()
    app.toggle(key=f"header_{dataset}").set_value(False).run()
    assert app.dataframe[0].value.columns[0] == "column_1"
    next(b for b in app.button if b.label == "Read it this way").click().run()
    assert app.query_params["dataset"] != dataset
    app = opened()
    app.text_area[0].input("size\tplace\tprice\n120\tnorth\t310\n80\tsouth\t210\n").run()
    next(b for b in app.button if b.label == "Use these cells").click().run()
    assert "pasted table: 2 rows × 3 columns" in texts(app)
    (tmp_path / "place.csv").write_text("a,b\n1,2\n3,4\n")
    app = opened()
    app.text_input(key="place").input(f"{tmp_path}/place.csv").run()
    app.button(key="read_place").click().run()
    assert not app.exception
    assert "place.csv: 2 rows" in texts(app)


def test_a_hostile_file_is_one_sentence_on_data(home: Path, unread: None) -> None:
    app = opened()
    app.file_uploader[0].upload("far.xlsx", making.sheet_xml(_far("XFD1048576")), "application/x").run()
    assert not app.exception
    assert "reaches over 1,048,576 rows and 16,384 columns" in app.error[0].value
    assert DatasetStore(home).list() == ()


@pytest.mark.soak
def test_damaged_files_of_every_kind_are_tables_or_sentences() -> None:
    ended = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "hostile.py", "--files", "100", "--seed", str(time.time_ns())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
