"""Where data sets are kept."""

from __future__ import annotations

import errno
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.errors import InputError, NotFoundError, TableError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore

CONTENT = b"when,PT08.S1(CO),a,a.b,flag\n2024-01-02,1.5,x,1,yes\n,2.5,,2,no\n2024-01-02,1.5,x,1,yes\n"


def test_add_and_read_back(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(CONTENT, "C:\\files\\../my table.csv")
    assert dataset.id == hashlib.sha256(CONTENT).hexdigest()[:16]
    assert (dataset.name, dataset.rows, dataset.duplicate_rows) == ("my table.csv", 3, 1)
    assert dataset.file_bytes == len(CONTENT)
    assert store.get(dataset.id) == dataset
    expected = pd.DataFrame(
        {
            "when": pd.to_datetime(pd.Series(["2024-01-02", None, "2024-01-02"])),
            "PT08.S1(CO)": [1.5, 2.5, 1.5],
            "a": ["x", None, "x"],
            "a.b": [1, 2, 1],
            "flag": ["yes", "no", "yes"],
        }
    )
    pd.testing.assert_frame_equal(store.table(dataset.id), expected)
    picked = ["a.b", "PT08.S1(CO)", "a"]
    pd.testing.assert_frame_equal(store.table(dataset.id, picked), expected[picked])
    pd.testing.assert_frame_equal(store.preview(dataset.id, 2), expected.head(2))


def test_the_same_content_is_stored_once(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    path = tmp_path / "one.csv"
    path.write_bytes(CONTENT)
    first = store.add(path)
    assert first.name == "one.csv"
    assert store.add(io.BytesIO(CONTENT), "two.csv") == first
    assert store.list() == (first,)


def test_list_is_newest_first_and_skips_rubbish(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    assert store.list() == ()
    first, second = (store.add(CONTENT + b",%d,,3,no\n" % i, f"{i}.csv") for i in (1, 2))
    later = second.model_copy(update={"created": first.created.replace(year=first.created.year + 1)})
    (store.folder(second.id) / "dataset.json").write_text(later.model_dump_json())
    (tmp_path / "datasets" / ".part-x").mkdir()
    (tmp_path / "datasets" / "notes").mkdir()
    assert [dataset.name for dataset in store.list()] == ["2.csv", "1.csv"]


def test_a_refused_file_leaves_nothing(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    with pytest.raises(TableError):
        store.add(b"a,b\n1\n", "bad.csv")
    assert not list(tmp_path.rglob("*.*"))


def test_a_failure_while_writing_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(errno.ENOSPC, "disk full")

    monkeypatch.setattr(Path, "write_text", fail)
    store = DatasetStore(tmp_path)
    with pytest.raises(OSError, match="disk full"):
        store.add(CONTENT)
    assert list((tmp_path / "datasets").iterdir()) == []


def test_delete(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(CONTENT)
    store.delete(dataset.id)
    assert list((tmp_path / "datasets").iterdir()) == []
    for call in (store.get, store.table, store.preview, store.delete):
        with pytest.raises(NotFoundError):
            call(dataset.id)


@pytest.mark.parametrize("dataset_id", ["", "../../etc", "0" * 15, "G" * 16, "0123456789abcdef"])
def test_unknown_ids(tmp_path: Path, dataset_id: str) -> None:
    with pytest.raises(NotFoundError):
        DatasetStore(tmp_path).get(dataset_id)


def test_unknown_column(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    with pytest.raises(NotFoundError, match="no column"):
        store.table(store.add(CONTENT).id, ["b"])


def test_other_formats_are_refused_and_replaced_on_upload(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(CONTENT, "t.csv")
    path = store.folder(dataset.id) / "dataset.json"
    path.write_text(json.dumps({"schema_version": 99}))
    with pytest.raises(TableError, match="format 99"):
        store.get(dataset.id)
    path.write_text("{")
    with pytest.raises(TableError, match="damaged"):
        store.get(dataset.id)
    assert store.list() == ()
    assert store.add(CONTENT, "t.csv").rows == 3
    assert store.get(dataset.id).name == "t.csv"


def test_data_sets_have_owners_who_do_not_see_each_other(tmp_path: Path) -> None:
    ann, bob, all_of_them = DatasetStore(tmp_path, "ann"), DatasetStore(tmp_path, "bob/../x"), DatasetStore(tmp_path)
    dataset = ann.add(b"a,b\n1,2\n3,4\n", "t.csv")
    assert ann.get(dataset.id) == dataset
    assert bob.list() == ()
    for ask in (bob.get, bob.table, bob.preview, bob.delete):
        with pytest.raises(NotFoundError):
            ask(dataset.id)
    assert all_of_them.get(dataset.id) == dataset
    # The same file of another person is kept once, and stays until the last one has deleted it.
    assert bob.add(b"a,b\n1,2\n3,4\n", "other.csv").id == dataset.id
    ann.delete(dataset.id)
    assert ann.list() == ()
    assert [d.id for d in bob.list()] == [dataset.id]
    bob.delete(dataset.id)
    assert all_of_them.list() == ()
    assert not ann.folder(dataset.id).exists()


def test_a_data_set_from_before_there_were_owners_stays_readable(tmp_path: Path) -> None:
    dataset = DatasetStore(tmp_path).add(b"a,b\n1,2\n3,4\n", "t.csv")
    assert DatasetStore(tmp_path, "local").get(dataset.id) == dataset


def test_gaps_are_told_piece_by_piece(tmp_path: Path) -> None:
    table = pd.DataFrame({"a": [1.0, None, 3.0] * 20, "b": ["x", "y", None] * 20, "c": range(60)})
    store = DatasetStore(tmp_path)
    dataset = store.add(table.to_csv(index=False).encode(), "t.csv")
    found = np.concatenate(list(store.gaps(dataset.id, ["b", "a"])))
    assert (found == table[["b", "a"]].isna().to_numpy()).all()


def test_what_is_larger_than_allowed_is_refused_whoever_adds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DLREG_MAX_UPLOAD_MB", "1")
    monkeypatch.setenv("DLREG_MAX_LARGE_UPLOAD_MB", "2")
    store, content = DatasetStore(tmp_path / "home"), CONTENT[:30] + b"2024-01-02,1.5,x,1,yes\n" * 60_000
    for held in (content, io.BytesIO(content)):
        with pytest.raises(InputError, match="larger than 1 MB, the most that is allowed here"):
            store.add(held, "t.csv")
    path = tmp_path / "t.csv"
    path.write_bytes(content * 2)
    for add in (store.add, store.add_large):
        with pytest.raises(InputError, match="larger than 2 MB"):
            add(path)
    assert store.identifiers() == ()
    path.write_bytes(content)
    assert store.add(path).rows >= 60_000
