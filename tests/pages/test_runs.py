from __future__ import annotations

from pathlib import Path

import pytest

from dlreg_core.jobs import LocalProcesses
from dlreg_core.runs import RunFolder
from dlreg_core.specs import RunState
from tests.pages.opening import copied, failed_run, going_on, labels, opened, texts


def test_without_runs_the_page_leads_to_data(home: Path) -> None:
    app = opened("runs")
    assert not app.exception
    assert "There are no runs yet" in texts(app)
    assert labels(app) == ["Start with data"]


def test_runs_are_listed_with_their_best_model(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    app = opened("runs")
    assert not app.exception
    table = app.dataframe[0].value
    result = run.result()
    assert result is not None
    assert list(table["best"]) == [result.best_model]
    assert table["rmse"].iloc[0].startswith("$")
    assert list(table["state"]) == ["done"]
    assert "Select a run" in texts(app)


def test_the_open_run_is_selected_and_can_be_opened(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    app = opened("runs", run=run.id)
    assert not app.exception
    assert labels(app) == ["Open", "Delete run"]
    app.button[0].click().run()
    assert not app.exception


def test_a_run_that_goes_on_can_be_cancelled(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalProcesses, "kill", lambda self, task: None)
    task = going_on(home)
    app = opened("runs", run=task.run.id)
    assert not app.exception
    assert "Delete run" not in labels(app)
    next(button for button in app.button if button.label == "Cancel run").click().run()
    assert not app.exception
    done = task.done()
    assert done is not None
    assert done.state is RunState.CANCELLED


def test_a_deleted_run_is_gone(home: Path) -> None:
    run = failed_run(home)
    app = opened("runs", run=run.id)
    next(button for button in app.button if button.label == "Delete run").click().run()
    assert not app.exception
    assert not run.path.exists()


def test_a_run_that_is_being_explained_is_not_deleted(
    trained: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dlreg_core.specs import ExplainRequest, TaskKind

    run = copied(trained, home)
    run.add_task(TaskKind.EXPLAIN, explain=ExplainRequest(model="Mean", rows=5)).mark_launched()
    app = opened("runs", run=run.id)
    next(button for button in app.button if button.label == "Delete run").click().run()
    assert not app.exception
    assert "still going" in texts(app)
    assert run.path.exists()
