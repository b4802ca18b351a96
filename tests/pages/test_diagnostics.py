from __future__ import annotations

from pathlib import Path

import pytest

from dlreg_core.runs import RunFolder
from tests.pages.opening import copied, labels, opened, texts, widget


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
