from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.runs import RunFolder
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.specs import Event, TrainResult, now
from dlreg_core.wording.learning_curve_text import evidence_words, verdict_words
from pages._ui.results import cached_results
from pages._ui.shared import services
from tests.pages.opening import completed, continuing, copied, labels, opened, texts, widget


def worst_rows(app: AppTest) -> pd.DataFrame:
    return next(frame.value for frame in app.dataframe if "Off by" in frame.value)


def opened_at(part: str, **parameters: str) -> AppTest:
    """Open the page with one of its parts in front."""
    app = opened("diagnostics", **parameters)
    app.session_state["details"] = part
    app.session_state["all_networks"] = True
    return app.run()


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
    before = worst_rows(app)
    assert list(before.columns[:4]) == ["Row", "Actual", "Predicted", "Off by"]
    assert before["Off by"].is_monotonic_decreasing
    assert "price" not in before.columns
    widget(app.selectbox, "Model").select("FastAI").run()
    assert not app.exception
    assert not worst_rows(app)["Predicted"].equals(before["Predicted"])


def test_residuals_against_any_column(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    app = opened_at("Error against a column", run=trained.id)
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
    before, cleaner = services.predictions(run.id), services.cleaner(run.id)
    task = continuing(run)
    # While it goes on, the result stays as it was.
    assert services.result_number(run.id) == 1
    assert services.predictions(run.id) is before
    completed(task)
    after = services.predictions(run.id)
    assert services.result_number(run.id) == 2
    assert after.predicted["Mean"] == pytest.approx(before.predicted["Mean"] + 1.0)
    assert services.cleaner(run.id) == cleaner


def test_the_curves_of_all_trainings_are_shown(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    first = cached_results.training_events(run.id)
    assert any(event.kind == "epoch" for event in first)
    task = continuing(run)
    task.emit("model_started", model="FastAI 2", epochs=3)
    completed(task)
    both = cached_results.training_events(run.id)
    assert both[: len(first)] == first
    assert both[-1].data["model"] == "FastAI 2"
    # What is trained now isn't part of the result yet.
    continuing(task.run).emit("stage", name="Preparing the rows")
    assert cached_results.training_events(run.id) == both
    app = opened_at("Learning curves", run=run.id)
    assert not app.exception
    assert "All networks of this run" in [expander.label for expander in app.expander]


def test_the_curves_of_a_network_have_their_verdict(trained: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(trained.home))
    app = opened_at("Learning curves", run=trained.id, model="NN Torch")
    assert not app.exception
    curves = cached_results.network_curves(trained.id)["NN Torch"]
    words = texts(app)
    assert verdict_words(curves, "$") in words
    assert " · ".join(evidence_words(curves, "$")) in words
    # Its loss is a mean absolute error, whose distance from an RMSE says nothing.
    assert "which lies below the RMSE of the same errors" in words
    table = next(frame.value for frame in app.dataframe if "Verdict" in frame.value)
    result = trained.result()
    assert result is not None
    assert set(table["Network"]) == {fit.model for fit in result.plan.fits} >= {"FastAI", "NN Torch"}


def test_of_an_ensemble_a_member_is_chosen(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    path = run.train_task().path / "result.json"
    result = TrainResult.model_validate_json(path.read_text())
    members = {"FastAI": 0.6, "NN Torch": 0.4}
    ensemble = result.leaderboard[0].model_copy(update={"role": "ensemble"})
    rows = tuple(ensemble if row.model == ensemble.model else row for row in result.leaderboard)
    write_spec(path, result.model_copy(update={"ensemble_weights": members, "leaderboard": rows}))
    app = opened_at("Learning curves", run=run.id, model=ensemble.model)
    assert not app.exception
    known = cached_results.network_curves(run.id)
    choice = widget(app.selectbox, "Member")
    assert "An ensemble learns nothing itself" in texts(app)
    assert verdict_words(known[choice.value], "$") in texts(app)


def test_what_was_not_recorded_is_told(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    (run.train_task().path / "events.jsonl").write_text("")
    app = opened_at("Learning curves", run=run.id, model="FastAI")
    assert not app.exception
    assert "No epochs were recorded of FastAI" in texts(app)
    assert [expander.label for expander in app.expander] == ["Figures and their data"]
    widget(app.selectbox, "Model").select("Mean").run()
    assert "Mean isn't trained in epochs, so it has no learning curves." in texts(app)


def test_what_to_change_names_settings_of_the_family(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    task = run.train_task()
    lines = [
        Event(
            time=now(),
            kind="epoch",
            data={"model": "FastAI", "epoch": i, "validation": 5.0 + abs(i - 10), "train_loss": 1e-4 / i},
        ).model_dump_json()
        for i in range(1, 31)
    ]
    (task.path / "events.jsonl").write_text("\n".join(lines) + "\n")
    app = opened_at("Learning curves", run=run.id, model="FastAI")
    assert not app.exception
    words = texts(app)
    assert "FastAI overfits: at its best, in epoch 10 of 30" in words
    assert "Raise Dropout (now 0.1), up to 0.3" in words
    assert "Choose fewer units under Hidden layers (now 200, 100)" in words
    # FastAI has no such setting.
    assert "Weight decay" not in words
