"""Large files are read in pieces: to the same table and the same profile as if they were read whole."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg_core.errors import TableError
from dlreg_core.ingest import large
from dlreg_core.ingest.keeping import read_dataset
from dlreg_core.ingest.streaming import passes, sources
from dlreg_core.specs import Dataset, Reading

SHARED = Path(__file__).resolve().parents[3].parent / "shared" / "data"
FILES = sorted(path for path in SHARED.rglob("*") if path.suffix in (".csv", ".txt", ".data", ".tsv"))


@pytest.fixture(autouse=True)
def in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every file for a large one, and read it in small pieces."""
    monkeypatch.setattr(large.reads_in_pieces, "__defaults__", (-1,))
    monkeypatch.setattr(sources, "_BLOCK", 64 * 1024)
    monkeypatch.setattr(passes, "ROW_GROUP", 1000)


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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
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
    "time": st.times().map(lambda time: f"{time:%H:%M}"),
    "measure": st.integers(1, 500).map(lambda value: f"{value} kg"),
    "other measure": st.integers(1, 500).map(lambda value: f"{value} lb"),
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
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"])))


@settings(max_examples=400, deadline=None)
@given(odd_files())
def test_any_file_comes_out_the_same(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        # Little of the file is in the sample: most plans turn out to be wrong.
        patch.setattr(sources, "_START", 200)
        patch.setattr(sources, "_SPOT", 50)
        patch.setattr(sources, "_BLOCK", 300)
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
