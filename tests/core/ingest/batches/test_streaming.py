"""Large files are read in pieces: to the same table and the same profile as if they were read whole."""

from __future__ import annotations

import gzip
import io
import re
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dlreg_core.errors import TableError
from dlreg_core.ingest.batches import Scanner, level_counts, scan_file, typing_pass
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.formats import large_files
from dlreg_core.ingest.formats.text import csv_rows
from dlreg_core.specs import Dataset, Reading

SHARED = Path(__file__).resolve().parents[4].parent / "shared" / "data"
FILES = sorted(path for path in SHARED.rglob("*") if path.suffix in (".csv", ".txt", ".data", ".tsv"))
_LONG = 20_000_000
"""A file of more bytes takes half a minute to be read twice."""


@pytest.fixture(autouse=True)
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every file for a large one, and read it in small pieces."""
    monkeypatch.setattr(large_files.reads_in_pieces, "__defaults__", (-1,))
    monkeypatch.setattr(csv_rows, "BLOCK", 64 * 1024)
    monkeypatch.setattr(typing_pass, "ROW_GROUP", 1000)


def both(folder: Path, content: bytes, reading: Reading | None = None) -> tuple[Dataset, Dataset]:
    """Read a file whole and in pieces, and compare the rows."""
    said = reading or Reading()
    whole, rows = read_dataset(content, "t.csv", said)
    path = folder / "t.csv"
    path.write_bytes(content)
    pieces, same = read_dataset(path, "t.csv", said)
    pd.testing.assert_frame_equal(rows, same)
    return whole, pieces


def assert_same(whole: Dataset, pieces: Dataset) -> None:
    for left, right in zip(whole.columns, pieces.columns, strict=True):
        # Sums depend on the order of their terms in the last digit.
        if left.mean is not None:
            assert right.mean == pytest.approx(left.mean, rel=1e-12)
        assert left.model_copy(update={"mean": None}) == right.model_copy(update={"mean": None})
    assert whole.model_copy(update={"columns": (), "created": None}) == pieces.model_copy(
        update={"columns": (), "created": None}
    )


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, marks=[pytest.mark.soak] if path.stat().st_size > _LONG else []) for path in FILES],
    ids=lambda path: path.name,
)
def test_every_file_comes_out_the_same(path: Path, tmp_path: Path) -> None:
    assert_same(*both(tmp_path, path.read_bytes()))


_CELLS = {
    "whole": st.integers(-999, 99_999).map(str),
    "fraction": st.floats(-1e6, 1e6).map(lambda value: f"{value:.3f}"),
    "power": st.sampled_from(["1e3", "2.5E-2", "+7", "-.5", "3."]),
    "comma": st.integers(0, 9999).map(lambda value: f"{value // 10},{value % 10}"),
    "grouped": st.integers(1000, 9_999_999).map(lambda value: f"{value:,}"),
    "code": st.integers(0, 999).map(lambda value: f"{value:03d}"),
    "long": st.integers(10**19, 10**20).map(str),
    "hexadecimal": st.sampled_from(["0x1F", "0x10"]),
    "iso": st.dates().map(str),
    "moment": st.datetimes().map(lambda moment: f"{moment:%Y-%m-%d %H:%M:%S}"),
    "day first": st.dates().map(lambda day: f"{day:%d/%m/%Y}"),
    "month first": st.dates().map(lambda day: f"{day:%m/%d/%Y}"),
    "digits": st.dates().map(lambda day: f"{day:%Y%m%d}"),
    "short": st.dates(min_value=date(1969, 1, 1), max_value=date(2068, 1, 1)).map(lambda day: f"{day:%d-%m-%y}"),
    "dotted": st.dates(min_value=date(1969, 1, 1), max_value=date(2068, 1, 1)).map(lambda day: f"{day:%d.%m.%y}"),
    "slashed": st.dates().map(lambda day: f"{day:%m/%d/%y}"),
    "version": st.tuples(st.integers(1, 13), st.integers(1, 12), st.integers(10, 12)).map(
        lambda parts: ".".join(map(str, parts))
    ),
    "month": st.dates().map(lambda day: f"{day:%Y-%m}"),
    "season": st.integers(1995, 2012).map(lambda year: f"{year}-{(year + 1) % 100:02d}"),
    "named month": st.dates().map(lambda day: f"{day:%b-%y}"),
    "first of month": st.integers(0, 35).map(lambda at: f"{at % 12 + 1}/1/{2001 + at // 12}"),
    "quarter": st.integers(0, 80).map(lambda at: f"{2000 + at // 4}Q{at % 4 + 1}"),
    "open": st.sampled_from(["9999-12-31", "1753-01-01", "0000-00-00", "12/31/9999"]),
    "time": st.times().map(lambda time: f"{time:%H:%M}"),
    "seconds": st.times().map(lambda time: f"{time.hour}:{time:%M:%S}"),
    "duration": st.integers(0, 200_000).map(lambda time: f"{time // 3600}:{time // 60 % 60:02d}:{time % 60:02d}"),
    "minutes": st.integers(0, 5000).map(lambda time: f"{time // 60}:{time % 60:02d}"),
    "spans": st.sampled_from(["1 day, 2:03:04", "PT1H30M", "1h 23m", "45 min", "0:00:01.5"]),
    "measure": st.integers(1, 500).map(lambda value: f"{value} kg"),
    "other measure": st.integers(1, 500).map(lambda value: f"{value} lb"),
    "behind": st.integers(1, 500).map(lambda value: f"{value},50-"),
    "credit": st.integers(1, 500).map(lambda value: f"{value}.50{['', ' CR', ' DR'][value % 3]}"),
    "lakh": st.integers(10, 99).map(lambda value: f"{value},10,000"),
    "paid": st.integers(1, 500).map(lambda value: f"{'$' if value % 2 else ''}{value}"),
    "capacity": st.integers(1, 500).map(lambda value: f"{value} {'mW' if value % 2 else 'MW'}"),
    "magnitude": st.integers(1, 500).map(lambda value: f"{value}{'K' if value % 2 else 'M'}"),
    "mark out of": st.integers(0, 50).map(lambda value: f"{value / 10}/5"),
    "quoted": st.integers(0, 999).map(lambda value: f"'-{value}"),
    "persian": st.integers(0, 999).map(lambda value: str(value).translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))),
    "word": st.sampled_from(["red", "green", "light blue"]),
    "label": st.integers(0, 10**9).map(lambda value: f"item {value}"),
    "yes": st.sampled_from(["yes", "no", "Yes"]),
    "missing": st.sampled_from(["", "NA", "?", " ", "nan"]),
    "infinite": st.sampled_from(["inf", "-Infinity"]),
    "spaced": st.integers(0, 99).map(lambda value: f"  {value} "),
}
_NAMES = ("a", "amount", "date", "order_id", "day", "b c", "")


@st.composite
def odd_files(draw: st.DrawFn) -> bytes:
    """Draw a text table whose columns hold one kind of values for a while, and then perhaps another one."""
    rows = draw(st.integers(2, 90))
    delimiter = draw(st.sampled_from([",", ";", "\t"]))
    columns = []
    for _ in range(draw(st.integers(2, 4))):
        cells: list[str] = []
        while len(cells) < rows:
            kind = draw(st.sampled_from(sorted(_CELLS)))
            cells += draw(st.lists(_CELLS[kind], min_size=1, max_size=rows))
        columns.append(cells[:rows])
    names = draw(st.lists(st.sampled_from(_NAMES), min_size=len(columns), max_size=len(columns)))
    lines = [names, *zip(*columns, strict=True)]
    quote = draw(st.booleans())
    shown = [f'"{cell}"' if quote or delimiter in cell else cell for line in lines for cell in line]
    width = len(columns)
    text = "\n".join(delimiter.join(shown[at : at + width]) for at in range(0, len(shown), width))
    text += draw(st.sampled_from(["", "\n", "\n\n", f"\n{delimiter * (width - 1)}\n"]))
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    return text.encode(encoding, errors="replace")


@settings(max_examples=20)
@given(odd_files())
@example(b"a,amount\n000,\n000,\n000,\n000,")
def test_any_file_comes_out_the_same(content: bytes) -> None:
    assert_comes_out_the_same(content)


@pytest.mark.soak
@pytest.mark.timeout(900)
@settings(max_examples=150)
@given(odd_files())
def test_many_files_come_out_the_same(content: bytes) -> None:
    assert_comes_out_the_same(content)


def assert_comes_out_the_same(content: bytes) -> None:
    """Read a file whole and in pieces, and compare."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        # Little of the file is in the sample: most plans turn out to be wrong.
        patch.setattr(csv_rows, "_START", 200)
        patch.setattr(csv_rows, "_SPOT", 50)
        patch.setattr(csv_rows, "BLOCK", 300)
        try:
            whole, rows = read_dataset(content, "t.csv")
        except TableError as exc:
            with pytest.raises(TableError, match=re.escape(exc.message)):
                read_dataset(written(Path(folder), content), "t.csv")
            return
        pieces, same = read_dataset(written(Path(folder), content), "t.csv")
        if pieces.dialect != whole.dialect:
            # What separates decimals is decided on the sample, for all columns.
            return
        pd.testing.assert_frame_equal(rows, same)
        assert_same(whole, pieces)


def written(folder: Path, content: bytes) -> Path:
    path = folder / "t.csv"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252", "utf-16-le"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    lines = ["Straße;Größe", *(f"Weg {i};{i},5" for i in range(3000)), "Ölmühle;7,5"]
    assert_same(*both(tmp_path, "\n".join(lines).encode(encoding)))


def test_a_byte_beyond_ascii_late_in_the_file(tmp_path: Path) -> None:
    lines = ["place,price", *(f"way {i % 40},{i}" for i in range(200_000)), "Größe,5"]
    whole, pieces = both(tmp_path, "\n".join(lines).encode("cp1252"))
    assert pieces.dialect is not None
    assert pieces.dialect.encoding == "cp1252"
    assert_same(whole, pieces)


def test_what_the_sample_does_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_rows, "_START", 500)
    monkeypatch.setattr(csv_rows, "_SPOTS", 0)
    rows = 4000
    late: dict[str, Callable[[int], str]] = {
        "fraction": lambda i: str(i % 7) if i < 3000 else f"{i}.5",
        "word": lambda i: str(i) if i != 3990 else "many",
        "order": lambda i: f"{i % 12 + 1:02d}/{i % 12 + 1:02d}/2020" if i < 3000 else f"{i % 12 + 1:02d}/25/2020",
        "code": lambda i: str(1000 + i) if i < 3000 else f"{i - 3000:04d}",
        "gap": lambda i: str(i) if i < 3000 else "n/a",
        "unit": lambda i: f"{i} kg" if i < 3000 else f"{i} lb",
        "grouped": lambda i: str(i % 999) if i < 3000 else f'"{i * 1000:,}"',
    }
    lines = [",".join(late), *(",".join(cell(i) for cell in late.values()) for i in range(rows))]
    whole, pieces = both(tmp_path, "\n".join(lines).encode())
    assert_same(whole, pieces)
    kinds = {column.name: column.type.value for column in pieces.columns}
    assert kinds["fraction"] == kinds["grouped"] == "number"
    assert kinds["word"] == "number"
    assert pieces.column("word").note == '1 of 4,000 values is no number: "many", and counts as missing.'
    assert kinds["code"] == "identifier"
    assert kinds["order"] == "datetime"


def test_many_different_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(level_counts, "MOST_LEVELS", 300)
    lines = ["note,key,price", *(f"remark number {i % 900},A{i:05d},{i % 13}" for i in range(2000))]
    whole, pieces = both(tmp_path, "\n".join(lines).encode())
    assert [(c.type, c.distinct, c.note_code) for c in pieces.columns] == [
        (c.type, c.distinct, c.note_code) for c in whole.columns
    ]
    assert pieces.column("note").levels[0].count == whole.column("note").levels[0].count
    assert pieces.column("key").type.value == "identifier"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n" + b"1,2\n" * 9000 + b"1,2,3\n", "Line 9,002 has 3 fields, but the first line has 2 fields."),
        (b"a,b\n" + b"1,2\n" * 9000 + b'1,"2\n' + b"3,4\n" * 9, "A quotation mark on line 9,002 is never closed."),
        (b"a,b\n" + b"1,2\n" * 90_000 + b"1,\0\n", "Line 90,002 holds a NUL byte"),
        (b"a,b\n" + b"1,2\n" * 9 + b"1," + b"x" * 300_000 + b"\n", "is longer than 131,072 characters"),
        (b"\x89PNG" + b"0" * 9000, "it looks like a PNG image"),
        (b"a,b\n" + b"," * 1 + b"\n" * 2000, "no rows"),
        (b"a\n" + b"1\n" * 9000, 'single column, "a"'),
        (b"PAR1" + b"0" * 9000, "The Parquet file is damaged"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(content: bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(TableError, match=re.escape(said)):
        read_dataset(written(tmp_path, content), "t.csv")
    store = DatasetStore(tmp_path / "home")
    with pytest.raises(TableError, match=re.escape(said)):
        store.add(tmp_path / "t.csv")
    assert list((tmp_path / "home" / "datasets").iterdir()) == [], "nothing is stored half"


def test_a_parquet_file(tmp_path: Path) -> None:
    rows = 5000
    table = pd.DataFrame(
        {
            "whole": np.arange(rows) % 40,
            "fraction": np.where(np.arange(rows) % 50, np.arange(rows) / 7, np.nan),
            "small": (np.arange(rows) % 5).astype("float32"),
            "when": pd.date_range("2020-01-01", periods=rows, freq="h"),
            "zone": pd.date_range("2020-01-01", periods=rows, freq="h", tz="Europe/Berlin"),
            "text": [f"t{i % 9}" for i in range(rows)],
            "level": pd.Categorical([f"l{i % 3}" for i in range(rows)]),
            "flag": np.arange(rows) % 3 == 0,
            "written": [f"{i}.5" for i in range(rows)],
        }
    )
    table.to_parquet(tmp_path / "t.parquet", row_group_size=700)
    content = (tmp_path / "t.parquet").read_bytes()
    assert_same(*both(tmp_path, content))


def test_a_packed_file_is_kept_unpacked_and_can_be_read_again(tmp_path: Path) -> None:
    content = "\n".join(["a;b", *(f"{i},5;{i % 3}" for i in range(3000))]).encode()
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(content))
    store = DatasetStore(tmp_path / "home")
    dataset = store.add(path)
    assert (dataset.rows, dataset.name) == (3000, "t.csv.gz")
    assert store.add(path).id == dataset.id
    again = store.read_again(dataset.id, Reading(header="none"))
    assert (again.rows, again.column_names) == (3001, ("column_1", "column_2"))
    assert store.preview_again(again.id, Reading()).columns.tolist() == ["a", "b"]
    assert {p.name for p in store.folder(dataset.id).iterdir()} >= {"data.parquet", "dataset.json", "source.zst"}
    assert not (store.folder(dataset.id) / "source.raw").exists()


def test_the_bytes_of_a_file_are_looked_at_in_any_pieces(tmp_path: Path) -> None:
    content = 'ü,"é"\n'.encode() * 50 + b"\0"
    expected = scan_file(written(tmp_path, content))
    assert (expected.utf8, expected.quotes, expected.first_high, expected.first_nul) == (
        True,
        100,
        0,
        len(content) - 1,
    )
    for step in (1, 2, 3, 7):
        scanner = Scanner()
        for at in range(0, len(content), step):
            scanner.update(content[at : at + step])
        assert scanner.result() == expected
    scanner.update("ü".encode()[:1])
    assert not scanner.result().utf8, "it ends within a character"


def test_which_files_are_read_in_pieces(tmp_path: Path) -> None:
    text = b"a,b\n" + b"1,2\n" * 1000
    lines = b'{"a": 1}\n' * 1000
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("t.csv", text)
    cases = [
        (text, 100, True),
        (text, 10_000, False),
        (gzip.compress(text), 100, True),
        (gzip.compress(text), 10_000, False),
        (buffer.getvalue(), 100, True),
        (gzip.compress(text)[:40], 10, False),
        (gzip.compress(lines), 10, False),
        (lines, 10, False),
        (b"PAR1" + text, 10, True),
    ]
    for content, most, expected in cases:
        assert large_files.reads_in_pieces(content, most) is expected
        assert large_files.reads_in_pieces(written(tmp_path, content), most) is expected
    assert not large_files.reads_in_pieces(tmp_path / "none.csv", 0)
    assert not large_files.reads_in_pieces(io.BytesIO(text), 0)


def test_what_comes_in_one_piece_is_read_in_pieces_too_and_leaves_nothing_behind(tmp_path: Path) -> None:
    content = gzip.compress(b"a,b\n" + b"".join(b"%d,%d.5\n" % (i % 40, i) for i in range(3000)))
    store = DatasetStore(tmp_path)
    dataset = store.add(content, "t.csv.gz")
    assert (dataset.name, dataset.rows) == ("t.csv.gz", 3000)
    assert store.add(written(tmp_path, content), "t.csv.gz").id == dataset.id
    assert [path.name for path in (tmp_path / "datasets").iterdir()] == [dataset.id]
    assert len(store.preview_again(dataset.id, Reading())) == 8


def test_a_bomb_is_refused_before_it_fills_the_disk(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    bomb = gzip.compress(b"0" * 80_000_000)
    with pytest.raises(TableError, match="more than 1,000 times larger"):
        store.add(bomb, "t.csv.gz")
    assert list((tmp_path / "datasets").iterdir()) == []
