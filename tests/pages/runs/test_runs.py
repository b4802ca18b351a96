from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dlreg_core.errors import ConflictError
from dlreg_core.jobs import LocalProcesses, RunService
from dlreg_core.runs import RunFolder
from dlreg_core.specs import ExplainRequest, RunState, TaskKind
from pages._ui.runs.run_table import columns_of, table_of
from tests.pages.opening import (
    continuing,
    copied,
    failed_run,
    going_on,
    labels,
    opened,
    store_of,
    texts,
    waiting,
    widget,
)


@pytest.fixture(autouse=True)
def one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Train one run at a time, on whatever machine this is."""
    monkeypatch.setenv("DLREG_SLOTS", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(LocalProcesses, "launch", lambda self, task, slot: task.mark_launched())


def test_without_runs_the_page_leads_to_data(home: Path) -> None:
    app = opened("runs")
    assert not app.exception
    assert "There are no runs yet" in texts(app)
    assert labels(app) == ["Start with data"]


def test_runs_are_listed_with_their_best_model_and_size(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    app = opened("runs")
    assert not app.exception
    table = app.dataframe[0].value
    result = run.result()
    assert result is not None
    assert list(table["best"]) == [result.best_model]
    assert table["rmse"].iloc[0].startswith("$")
    assert list(table["state"]) == ["done"]
    assert table["size"].iloc[0] == pytest.approx(run.bytes() / 1e6, rel=0.01)
    assert "Select a run" in texts(app)
    assert "1 run takes" in texts(app)


def test_data_and_target_are_columns_where_a_name_does_not_tell_them(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    (summary,) = store_of(home).list("local")
    usual = replace(summary, name=f"{summary.dataset_name} → {summary.target}")
    shown = table_of((usual,))
    assert {"data", "target"} - set(columns_of((usual,), shown)) == {"data", "target"}
    chosen = replace(summary, run_id=f"{run.id}x", name="Mine")
    assert columns_of((usual, chosen), shown) == list(shown)


def test_runs_that_will_be_deleted_are_said_to_be(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_KEEP_DAYS", "30")
    failed_run(home)
    failed_run(home)
    words = texts(opened("runs"))
    assert "2 runs take" in words
    assert "Runs are deleted 30 days after they end." in words


def test_the_open_run_is_selected_and_can_be_opened(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    app = opened("runs", run=run.id)
    assert not app.exception
    assert labels(app) == ["Open", "Continue", "Delete run", "Delete its explanations only"]
    widget(app.button, "Open").click().run()
    assert not app.exception
    assert app.title[0].value == "Leaderboard"


def test_continue_leads_to_where_the_time_is_chosen(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    app = opened("runs", run=run.id)
    widget(app.button, "Continue").click().run()
    assert not app.exception
    assert app.title[0].value == "Train"
    assert "Continue with more time" in texts(app)


def test_a_run_that_goes_on_can_be_finished(home: Path) -> None:
    task = going_on(home)
    app = opened("runs", run=task.run.id)
    assert not app.exception
    widget(app.button, "Finish now").click().run()
    assert not app.exception
    assert task.is_asked_to_finish()
    assert "keeps the best" in app.toast[0].value
    assert widget(app.button, "Finishing").disabled


def test_what_is_refused_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: RunService, run_id: str) -> None:
        raise ConflictError(f"Run {run_id} hasn't started yet.", "Cancel it, if it isn't wanted any more.")

    monkeypatch.setattr(RunService, "finish", refuse)
    app = opened("runs", run=going_on(home).run.id)
    widget(app.button, "Finish now").click().run()
    assert not app.exception
    assert "hasn't started yet" in texts(app)


def test_a_run_that_goes_on_can_be_cancelled(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalProcesses, "kill", lambda self, task: None)
    task = going_on(home)
    app = opened("runs", run=task.run.id)
    assert not app.exception
    assert "Delete run" not in labels(app)
    widget(app.button, "Cancel run").click().run()
    assert not app.exception
    done = task.done()
    assert done is not None
    assert done.state is RunState.CANCELLED


def test_one_that_waits_can_only_be_cancelled(home: Path) -> None:
    going_on(home)
    app = opened("runs", run=waiting(home).run.id)
    assert not app.exception
    assert labels(app) == ["Open", "Cancel run"]
    assert list(app.dataframe[0].value["state"]) == ["waiting", "training"]


def test_a_run_with_a_result_that_trains_more_says_so(trained: RunFolder, home: Path) -> None:
    run = continuing(copied(trained, home)).run
    app = opened("runs", run=run.id)
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["state"]) == ["training more"]
    assert table["best"].iloc[0]
    widget(app.button, "Open").click().run()
    assert app.title[0].value == "Leaderboard"


def test_a_deleted_run_is_gone_and_it_was_said_what_that_frees(home: Path) -> None:
    run = failed_run(home)
    (run.path / "ballast").write_bytes(bytes(3_000_000))
    store_of(home).refresh(run.id)
    app = opened("runs", run=run.id)
    assert "That frees 3 MB." in texts(app)
    widget(app.button, "Delete run").click().run()
    assert not app.exception
    assert not run.path.exists()
    assert "Deleted" in app.toast[0].value


def test_a_run_that_is_being_explained_is_not_deleted(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    run.add_task(TaskKind.EXPLAIN, explain=ExplainRequest(model="Mean", rows=5)).mark_launched()
    app = opened("runs", run=run.id)
    widget(app.button, "Delete run").click().run()
    assert not app.exception
    assert "still going" in texts(app)
    assert run.path.exists()
