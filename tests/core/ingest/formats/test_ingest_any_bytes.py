"""Whatever the bytes are: a table or a TableError, nothing else."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from dlreg_core.errors import TableError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.formats import large_files
from dlreg_core.ingest.formats.text import csv_rows
from tests.core.ingest.formats.test_formats import workbook

CSV = (
    "id;name;when;größe;ok\n"
    + "".join(f'{i};"item ""{i % 3}""";{i % 28 + 1:02d}/03/2024;{i},5;{"yes" if i % 2 else "no"}\n' for i in range(30))
).encode()
PIECES = (
    b",",
    b";",
    b'"',
    b"\n",
    b"\r",
    b"\x00",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"1e999",
    b"nan",
    b"\t|",
    b"\xc3",
    b"sep=,\n",
)


def _parquet() -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame({"a": range(20), "b": ["x", "y"] * 10}).to_parquet(buffer)
    return buffer.getvalue()


def _mutate(content: bytes, chance: random.Random) -> bytes:
    data = bytearray(content)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(data) + 1)
        kind = chance.randrange(4)
        if kind == 0:
            data[at : at + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            data[at:at] = chance.choice(PIECES)
        elif kind == 2:
            del data[at : at + chance.randint(1, 40)]
        else:
            data[at:at] = data[: chance.randint(1, 80)]
    return bytes(data)


def _contents(seed: int) -> list[bytes]:
    chance = random.Random(seed)
    contents = [_mutate(CSV, chance) for _ in range(60)]
    contents += [chance.randbytes(chance.randint(1, 400)) for _ in range(15)]
    contents += [bytes(chance.choices(b'a1,;"\n\t .-', k=chance.randint(1, 60))) for _ in range(40)]
    contents += [_mutate(CSV.decode().encode("utf-16"), chance) for _ in range(10)]
    contents += [_mutate(gzip.compress(CSV), chance) for _ in range(10)]
    contents += [_mutate(whole, chance) for whole in _others() for _ in range(5)]
    return contents + [_mutate(_parquet(), chance) for _ in range(15)]


def _others() -> tuple[bytes, ...]:
    """Return the same small table as a workbook, JSON, Feather and packed in several ways."""
    rows: list[list[object]] = [["a", "b", "c"], *([i, f"x{i % 3}", i / 2] for i in range(20))]
    feather = io.BytesIO()
    pd.DataFrame(rows[1:], columns=["a", "b", "c"]).to_feather(feather)
    objects = [dict(zip("abc", row, strict=True)) for row in rows[1:]]
    lines = "\n".join(json.dumps(row) for row in objects).encode()
    packed = (bz2.compress(CSV), lzma.compress(CSV), pa.Codec("zstd").compress(CSV, asbytes=True))
    return workbook(Sheet=rows), feather.getvalue(), lines, json.dumps(objects).encode(), *packed


@pytest.mark.parametrize("seed", [0, 1, pytest.param(range(2, 22), marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_any_bytes_give_a_table_or_a_table_error(tmp_path: Path, seed: int | range) -> None:
    store = DatasetStore(tmp_path)
    seeds = seed if isinstance(seed, range) else [seed]
    for content in (content for one in seeds for content in _contents(one)):
        try:
            dataset = store.add(content, "any")
        except TableError as error:
            assert error.message and error.hint
            continue
        frame = store.table(dataset.id)
        assert frame.shape == (dataset.rows, len(dataset.columns))
        assert tuple(frame.columns) == dataset.column_names
        assert [column.missing for column in dataset.columns] == frame.isna().sum().tolist()
        assert store.get(dataset.id) == dataset


@pytest.mark.parametrize("seed", [0, pytest.param(range(1, 8), marks=[pytest.mark.soak, pytest.mark.timeout(900)])])
def test_any_bytes_that_are_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int | range) -> None:
    monkeypatch.setattr(large_files.reads_in_pieces, "__defaults__", (-1,))
    monkeypatch.setattr(csv_rows, "BLOCK", 500)
    monkeypatch.setattr(csv_rows, "_START", 300)
    store, file = DatasetStore(tmp_path / "home"), tmp_path / "any"
    seeds = seed if isinstance(seed, range) else [seed]
    for content in (content for one in seeds for content in _contents(one)):
        file.write_bytes(content)
        try:
            dataset = store.add(file)
        except TableError as error:
            assert error.message and error.hint
            continue
        frame = store.table(dataset.id)
        assert frame.shape == (dataset.rows, len(dataset.columns))
        assert [column.missing for column in dataset.columns] == frame.isna().sum().tolist()
    assert not list((tmp_path / "home" / "datasets").glob(".*")), "nothing is left half"
