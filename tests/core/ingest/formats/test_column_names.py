"""Names of columns: cleaned alike in every kind of file, apart from each other, and known again in new rows."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from dlreg_core.checks.findings import findings
from dlreg_core.cleaning import Schema
from dlreg_core.cleaning.raw_rows import read_raw_rows
from dlreg_core.cleaning.schema import schema_of
from dlreg_core.errors import TableError
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.formats import large_files
from dlreg_core.ingest.formats.column_names import names_as_known, names_of
from dlreg_core.ingest.formats.raw_table import read_table
from dlreg_core.names import MOST_CHARACTERS, clean_name
from dlreg_core.specs import ColumnType
from tests.core.ingest.formats.test_formats import workbook

NAMES = ("size\u202e", "zero\u200bwidth", "\x1b[31mred", "L" * 10_000, "plain")
ROWS = [[1 + i, 2.5 * i, i % 3, 9 - i, i * i] for i in range(12)]


def _csv(names: tuple[str, ...], rows: list[list[float]]) -> bytes:
    return pd.DataFrame([row[: len(names)] for row in rows], columns=list(names)).to_csv(index=False).encode()


def _arrow(names: tuple[str, ...], write: Callable[[pa.Table, pa.NativeFile], object]) -> bytes:
    sink = pa.BufferOutputStream()
    write(pa.table([pa.array([float(row[i]) for row in ROWS]) for i in range(len(names))], names=list(names)), sink)
    return bytes(sink.getvalue())


def _files() -> dict[str, bytes]:
    found = {
        "csv": _csv(NAMES, ROWS),
        "parquet": _arrow(NAMES, parquet.write_table),
        "feather": _arrow(NAMES, lambda table, sink: feather.write_feather(table, sink, compression="uncompressed")),
        "json": json.dumps([dict(zip(NAMES, row, strict=True)) for row in ROWS]).encode(),
    }
    # XML has no control characters.
    plain = tuple(name.replace("\x1b", "") for name in NAMES)
    return found | {"xlsx": workbook(S=[list(plain), *ROWS])}


@pytest.mark.parametrize("kind", ["csv", "parquet", "feather", "json", "xlsx"])
def test_every_kind_of_file_gives_clean_names(kind: str) -> None:
    raw = read_table(_files()[kind])
    assert raw.table.column_names == [clean_name(name) for name in NAMES]
    assert max(map(len, raw.table.column_names)) == MOST_CHARACTERS
    told = {"size", "zerowidth", clean_name(NAMES[3])} | ({"[31mred"} if kind != "xlsx" else set())
    assert set(raw.dialect.renamed) == told


def test_large_files_give_the_same_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large_files.reads_in_pieces, "__defaults__", (-1,))
    for kind in ("csv", "parquet"):
        path = tmp_path / f"table.{kind}"
        path.write_bytes(_files()[kind])
        dataset = DatasetStore(tmp_path / kind).add_large(path)
        assert dataset.column_names == tuple(clean_name(name) for name in NAMES)
        assert dataset.dialect is not None and len(dataset.dialect.renamed) == 4


def test_what_was_changed_is_told() -> None:
    dataset, rows = read_dataset(_files()["csv"], "table.csv")
    (told,) = [finding for finding in findings(dataset, rows) if finding.code == "renamed"]
    assert set(told.columns) == set(dataset.column_names) - {"plain"}
    assert "can't be seen" in told.text
    dataset, rows = read_dataset(b"a,b\n" + b"1,2\n2,3\n4,4\n" * 5, "plain.csv")
    assert not [finding for finding in findings(dataset, rows) if finding.code == "renamed"]


def test_names_that_would_be_equal_stay_apart_in_any_order() -> None:
    raw = ("a", "a\u200b", "a\u202e", "b")
    found: dict[str, Any] = {}
    for order in permutations(raw):
        names = names_of(order)
        assert len(set(names.tidy)) == 4
        # How a column is called depends on how it is written, and not on where it stands.
        assert found.setdefault(order[0], names.tidy[0]) == names.tidy[0]
    assert found["a"] == "a"
    assert found["a\u200b"].startswith("a (") and found["a\u202e"].startswith("a (")
    assert set(names_of(raw).changed) == {found["a\u200b"], found["a\u202e"]}


def test_marks_are_longer_where_short_ones_are_equal() -> None:
    names = names_of(("a", "a\u200b", names_of(("a", "a\u200b")).tidy[1]))
    assert len(set(names.tidy)) == 3


def test_a_marked_name_is_not_longer_than_others() -> None:
    long = "x" * 5_000
    names = names_of((f"{long}\u200b", f"{long}\u202e"))
    assert len(set(names.tidy)) == 2
    assert all(len(name) <= MOST_CHARACTERS and clean_name(name) == name for name in names.tidy)


def test_names_that_are_equal_in_the_file_are_refused() -> None:
    with pytest.raises(TableError, match="same name"):
        names_of(("a\u200b", "b", "a\u200b"))


def test_a_name_of_nothing_that_can_be_seen_is_called_after_its_place() -> None:
    assert names_of(("\u200b", "x", "\u202e")).tidy == ("column_1", "x", "column_3")


def _schema(names: tuple[str, ...]) -> tuple[pd.DataFrame, Schema]:
    raw = read_table(_csv(names, ROWS))
    table = raw.table.to_pandas().astype(float)
    return table, schema_of(table, dict.fromkeys(table.columns, ColumnType.NUMBER))


def test_new_rows_have_the_names_of_the_file_or_the_clean_ones() -> None:
    table, schema = _schema(NAMES)
    for names in (NAMES, tuple(table.columns)):
        rows = read_raw_rows(_csv(names, ROWS[:2]), schema)
        assert list(rows.columns) == list(table.columns)
        assert rows.astype(float).to_numpy().tolist() == [[float(v) for v in row] for row in ROWS[:2]]


def test_new_rows_with_one_of_two_names_that_would_be_equal_are_taken_for_that_one() -> None:
    table, schema = _schema(("a", "a\u200b", "b"))
    second = table.columns[1]
    rows = read_raw_rows(_csv(("a\u200b", "b"), ROWS), schema)
    assert list(rows.columns) == [second, "b"]
    swapped = read_raw_rows(_csv(("a\u200b", "a", "b"), ROWS), schema)
    assert list(swapped.columns) == [second, "a", "b"]


def test_a_model_that_knows_names_as_they_stood_is_given_those() -> None:
    assert names_as_known({"a": "a\u200b"}, ["a", "b"], {"a\u200b", "b"}) == {"a": "a\u200b"}
    assert names_as_known({}, ["a", "b"], {"a\u200b", "b"}) == {"a": "a\u200b"}
    assert names_as_known({}, ["a", "b"], {"a", "b"}) == {}


def test_the_name_of_a_file_is_cleaned_as_well() -> None:
    dataset, _ = read_dataset(io.BytesIO(_csv(("a", "b"), [[1, 2], [3, 4]])), "C:\\folder\\x\u202e\x1b[0m\u200bcsv.exe")
    assert dataset.name == "x[0mcsv.exe"
