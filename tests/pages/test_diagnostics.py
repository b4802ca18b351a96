from __future__ import annotations

from pathlib import Path

import pytest

from dlreg_core.runs import RunFolder
from pages._ui import core
from tests.pages.opening import completed, continuing, copied, labels, opened, texts, widget


def test_without_a_run_the_page_leads_to_one(home: Path) -> None:
    app = opened("diagnostics")
    assert not app.exception
    assert labels(app) == ["Train networks"]


def test_each_picture_has_its_sentence(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    app = opened("diagnostics", run=trained.id, model="FastAI")
    assert not app.exception
    words = texts(app)
    assert "FastAI is off by $" in words
    for title in ("Predicted against actual", "Error against predicted", "How the errors spread", "small and large"):
        assert title in words
    assert "Half of the predictions are within" in words
    assert labels(app)[-1] == "See what drives it"


def test_another_model_has_other_worst_rows(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    app = opened("diagnostics", run=trained.id, model="Mean")
    before = app.dataframe[-1].value
    assert list(before.columns[:4]) == ["Row", "Actual", "Predicted", "Off by"]
    assert before["Off by"].is_monotonic_decreasing
    assert "price" not in before.columns
    widget(app.selectbox, "Model").select("FastAI").run()
    assert not app.exception
    assert not app.dataframe[-1].value["Predicted"].equals(before["Predicted"])


def test_residuals_against_any_column(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    app = opened("diagnostics", run=trained.id)
    column = widget(app.selectbox, "Column")
    # Over time first, where there is a date.
    assert column.value == "built"
    column.select("place").run()
    assert not app.exception


def test_predictions_that_are_gone_are_told(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    (run.train_task().path / "predictions-test.parquet").unlink()
    app = opened("diagnostics", run=run.id)
    assert not app.exception
    assert "has no predictions to look at" in texts(app)


def test_a_run_that_has_gone_on_has_other_results(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    before, cleaner = core.predictions(run.id), core.cleaner(run.id)
    task = continuing(run)
    # While it goes on, the result stays as it was.
    assert core.result_number(run.id) == 1
    assert core.predictions(run.id) is before
    completed(task)
    after = core.predictions(run.id)
    assert core.result_number(run.id) == 2
    assert after.predicted["Mean"] == pytest.approx(before.predicted["Mean"] + 1.0)
    assert core.cleaner(run.id) == cleaner


def test_the_curves_of_all_trainings_are_shown(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    first = core.training_events(run.id)
    assert any(event.kind == "epoch" for event in first)
    task = continuing(run)
    task.emit("model_started", model="FastAI 2", epochs=3)
    completed(task)
    both = core.training_events(run.id)
    assert both[: len(first)] == first
    assert both[-1].data["model"] == "FastAI 2"
    # What is trained now isn't part of the result yet.
    continuing(task.run).emit("stage", name="Preparing the rows")
    assert core.training_events(run.id) == both
    app = opened("diagnostics", run=run.id)
    assert not app.exception
    assert "How the networks learned" in texts(app)
