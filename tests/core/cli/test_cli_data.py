"""The commands about data sets that are kept: which there are, and deleting them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dlreg_core.cli.application import main
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.recipe.draft import save_draft, start_draft
from dlreg_core.runs import RunFolder
from dlreg_core.specs import Reading
from tests.conftest import add_table, small_table
from tests.pages.opening import copied, failed_run, store_of, waiting


def called(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Call the command; return how it exits."""
    monkeypatch.setattr("sys.argv", ["dlreg", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_data_sets_are_listed_with_what_uses_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = failed_run(home)
    lonely = add_table(home, small_table(20), "lonely.csv")
    assert called(monkeypatch, "data") == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(lonely.id)
    assert first.endswith("today         lonely.csv  no run")
    assert "240 × 6" in second
    assert second.endswith("houses.csv  1 run: houses.csv → price")
    assert called(monkeypatch, "data", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert [one["data_id"] for one in found] == [lonely.id, run.experiment().dataset_id]
    assert [one["runs"] for one in found] == [[], [run.id]]
    assert found[0].keys() == {
        *("data_id", "name", "rows", "columns", "size_mb", "created", "opened", "runs", "same_file")
    }
    assert (found[0]["rows"], found[0]["columns"]) == (20, 6)
    assert found[0]["size_mb"] > 0.001


def test_the_same_file_read_in_another_way_is_told(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = add_table(home, small_table(20))
    again = DatasetStore(home).read_again(dataset.id, Reading(header="none"))
    assert called(monkeypatch, "delete", "--data", dataset.id) == 0
    out = capsys.readouterr().out
    assert f"Data set {dataset.id} is deleted." in out
    assert f"kept once more, read in another way, and that stays. ({again.id})" in out
    assert [one.id for one in DatasetStore(home).list()] == [again.id]


def test_data_that_cannot_be_read_is_listed_and_deleted(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = add_table(home, small_table(20))
    (home / "datasets" / dataset.id / "dataset.json").write_text("{")
    assert called(monkeypatch, "data") == 0
    assert "can't be read" in capsys.readouterr().out
    assert called(monkeypatch, "delete", "--data", dataset.id) == 0
    assert not any((home / "datasets").iterdir())


def test_with_runs_it_must_be_said_what_becomes_of_them(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = failed_run(home)
    identifier = run.experiment().dataset_id
    assert called(monkeypatch, "delete", "--data", identifier) == 2
    said = capsys.readouterr().err
    assert "houses.csv is used by 1 run: houses.csv → price. Add --with-runs" in said
    assert run.path.exists()
    assert called(monkeypatch, "delete", "--data", identifier, "--with-runs") == 0
    assert "1 run deleted with it." in capsys.readouterr().out
    assert not run.path.exists()
    assert store_of(home).list("local") == ()
    assert called(monkeypatch, "delete", "--data", identifier) == 2
    assert "There is no data set" in capsys.readouterr().err


def test_one_that_waits_is_in_the_way(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = waiting(home)
    identifier = task.run.experiment().dataset_id
    assert called(monkeypatch, "delete", "--data", identifier, "--with-runs") == 2
    assert "still needs this data. Cancel it" in capsys.readouterr().err


def test_explanations_of_a_run_are_deleted_alone(
    trained: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = copied(trained, home)
    assert called(monkeypatch, "delete", run.id, "--explanations") == 0
    assert capsys.readouterr().out == f"1 explanation of run {run.id} deleted.\n"
    assert not list(run.path.rglob("data.parquet"))
    assert run.result() is not None


def test_what_was_prepared_is_deleted_alone(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = add_table(home, small_table(20))
    draft = start_draft(dataset)
    assert draft is not None
    save_draft(home, "local", dataset.id, draft)
    assert called(monkeypatch, "delete", "--draft", dataset.id) == 0
    assert capsys.readouterr().out == f"What was prepared of data set {dataset.id} is deleted.\n"
    assert not list((home / "drafts").rglob("*.json"))
    assert DatasetStore(home).identifiers() == (dataset.id,)
    assert called(monkeypatch, "delete", "--draft", dataset.id) == 2
    assert "Nothing is kept of what was prepared of houses.csv." in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--draft", "abc", "--data", "def"),
        ("--draft", "abc", "--explanations"),
        ("abc", "--draft", "def"),
        ("abc", "--data", "def"),
        ("--data", "def", "--with-runs", "--keep-runs"),
        ("abc", "--with-runs"),
        ("--data", "def", "--explanations"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    arguments: tuple[str, ...], home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called(monkeypatch, "delete", *arguments) == 2
    assert capsys.readouterr().err.strip()
