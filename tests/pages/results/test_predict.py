from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.errors import ScorerError
from dlreg_core.runs import RunFolder
from dlreg_core.scoring.client import Scored
from pages._ui.shared import services
from tests.conftest import small_table
from tests.pages.opening import copied, labels, opened, texts, widget


class FakeScorer:
    """Predicts three times the size; knows no process."""

    def predict(self, run: RunFolder, rows: pd.DataFrame, model: str | None = None) -> Scored:
        values = pd.to_numeric(rows["size"]).fillna(0) * 3
        # The upper half is the longer one, as on a logarithmic scale.
        ends = {"low": tuple(values - 10), "high": tuple(values + 30)}
        return Scored(predictions=tuple(values), **ends, warnings=("size: looks odd.",))

    def explain(self, run: RunFolder, row: pd.DataFrame, model: str | None = None) -> tuple[np.ndarray, float]:
        return np.arange(row.shape[1], dtype=float), 100.0

    def predict_file(self, run: RunFolder, source: Path, target: Path, model: str | None = None) -> Scored:
        rows = pd.read_parquet(source)
        scored = self.predict(run, rows)
        table = pd.DataFrame({"prediction": scored.predictions, "low": scored.low, "high": scored.high})
        table.to_parquet(target)
        return scored


class BrokenScorer(FakeScorer):
    def predict(self, run: RunFolder, rows: pd.DataFrame, model: str | None = None) -> Scored:
        raise ScorerError("The prediction process ended unexpectedly.", "Try again.")


@pytest.fixture
def run(trained: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Return a copy of the trained run, with a scorer that starts no process."""
    monkeypatch.setattr(services, "scorer", FakeScorer)
    return copied(trained, home)


def test_without_a_run_the_page_leads_to_one(home: Path) -> None:
    app = opened("predict")
    assert not app.exception
    assert labels(app) == ["Train networks"]


def test_a_typical_row_is_predicted_at_once(run: RunFolder) -> None:
    app = opened("predict", run=run.id)
    assert not app.exception
    typical = services.cleaner(run.id).schema_.field("size").typical
    assert widget(app.number_input, "size").value == pytest.approx(typical)
    assert "(90 %: $" in texts(app)
    assert "size: looks odd." in texts(app)


def test_columns_that_the_cleaning_drops_are_not_asked_for(run: RunFolder) -> None:
    app = opened("predict", run=run.id)
    asked = {element.label for group in (app.number_input, app.selectbox, app.date_input) for element in group}
    assert {"size", "place", "built"} <= asked
    assert not {"id", "country"} & asked


def test_a_changed_value_changes_the_prediction(run: RunFolder) -> None:
    app = opened("predict", run=run.id)
    widget(app.number_input, "size").set_value(1000.0).run()
    assert not app.exception
    assert "$3,000 (90 %: $2,990–$3,030)" in texts(app)


def test_starting_from_a_test_row_fills_the_form(run: RunFolder) -> None:
    app = opened("predict", run=run.id)
    widget(app.selectbox, "Start from").select_index(1).run()
    assert not app.exception
    first = services.test_rows(run.id).iloc[0]
    assert widget(app.selectbox, "place").value == first["place"]
    assert "This test row was" in texts(app)


def test_a_scorer_that_fails_is_told(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "scorer", BrokenScorer)
    app = opened("predict", run=run.id)
    assert not app.exception
    assert "The prediction process ended unexpectedly." in texts(app)
    assert "Many rows" in texts(app)


def test_many_rows_come_back_with_predictions(run: RunFolder) -> None:
    app = opened("predict", run=run.id)
    rows = small_table(30, seed=5).drop(columns=["price"]).assign(prediction="mine")
    app.file_uploader[0].upload("new.csv", rows.to_csv(index=False).encode(), "text/csv").run()
    assert not app.exception
    assert "30 rows predicted" in texts(app)
    table = app.dataframe[-1].value
    assert {"prediction_2", "low", "high", "prediction"} <= set(table.columns)
    assert len(table) == 30


def test_a_missing_column_is_named(run: RunFolder) -> None:
    app = opened("predict", run=run.id)
    rows = small_table(30).drop(columns=["price", "size"])
    app.file_uploader[0].upload("new.csv", rows.to_csv(index=False).encode(), "text/csv").run()
    assert not app.exception
    assert "has no column size" in texts(app)
