"""A run with most cleaning steps on, from training to the pages and to a model file that predicts raw rows alone."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.errors import RowsError
from dlreg_core.jobs import open_dispatcher
from dlreg_core.model_file import load_bundle, write_bundle
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.runs import RunFolder, load_predictions
from dlreg_core.settings import Settings
from dlreg_core.specs import (
    Cleaning,
    Combination,
    History,
    NumberFill,
    OutlierRule,
    PastColumn,
    RunState,
    Split,
)
from dlreg_core.splitting import prepared_of
from tests.conftest import add_table, experiment_on, wait_until_ended
from tests.pages.opening import opened, texts

pytestmark = pytest.mark.soak

CLEANING = Cleaning(
    impute_numbers="iterative",
    fills={"wind": NumberFill(method="knn"), "price": NumberFill(method="constant", constant=3.0, flag=False)},
    outliers={"heat": OutlierRule(), "wind": OutlierRule(rule="zscore", reach=5.0, act="remove")},
    isolation=0.01,
    combinations=(Combination(kind="ratio", left="heat", right="wind"),),
    scaling={"heat": "quantile", "wind": "robust", "price": "minmax"},
)
HISTORY = History(
    order="day",
    group="shop",
    columns=(
        PastColumn(kind="lag", column="sales", rows=7),
        PastColumn(kind="mean", column="heat", rows=3),
        PastColumn(kind="exponential", column="wind", rows=4),
    ),
    horizon=7,
)


def days(count: int) -> pd.DataFrame:
    """Return three shops' days: what is sold depends on the week before, on heat over wind, and is never below 0."""
    rng = np.random.default_rng(0)
    parts = []
    for shop in ("north", "south", "west"):
        heat, wind = rng.normal(15, 5, count), rng.uniform(0.5, 8, count)
        logs = np.zeros(count)
        for day in range(count):
            before = logs[day - 7] if day >= 7 else 3.0
            logs[day] = 0.6 * before + 0.1 * heat[day] / wind[day] + 0.8 + rng.normal(0, 0.1)
        table = pd.DataFrame({"shop": shop, "heat": heat, "wind": wind, "price": rng.uniform(1, 5, count)})
        table["day"] = pd.date_range("2023-01-01", periods=count).strftime("%Y-%m-%d")
        parts.append(table.assign(sales=np.exp(logs)))
    table = pd.concat(parts, ignore_index=True)
    table.loc[rng.choice(len(table), 6, replace=False), "heat"] = 1e4
    table.loc[rng.choice(len(table), 6, replace=False), "wind"] = 1e3
    for name in ("heat", "wind", "price"):
        table.loc[rng.choice(len(table), 20, replace=False), name] = np.nan
    return table


DAYS = ["1 day", *(f"{day} days" for day in range(2, 8))]
WHOLE = days(150)
KNOWN, NEW = WHOLE[WHOLE["day"] < "2023-05-21"], WHOLE[WHOLE["day"] >= "2023-05-21"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    home = tmp_path_factory.mktemp("steps")
    experiment = experiment_on(add_table(home, KNOWN), "sales", models=("FASTAI",), preset="fast", time_limit=30.0)
    changes = {
        "cleaning": CLEANING,
        "history": HISTORY,
        "target_transform": "box-cox",
        "split": Split(kind="time", column="day"),
        "features": ("shop", "heat", "wind", "price"),
    }
    recipe = experiment.recipe.model_copy(update=changes)
    dispatcher = open_dispatcher(Settings(home=home))
    run_id = dispatcher.submit(experiment.model_copy(update={"recipe": recipe}))
    wait_until_ended(dispatcher, run_id)
    found = dispatcher.store.folder(run_id)
    done = found.train_task().done()
    assert done is not None
    assert done.state is RunState.COMPLETED, f"{done.reason}\n{found.train_task().log()}"
    yield found


def test_the_pipeline_predicts_what_was_judged(run: RunFolder) -> None:
    table, pipeline = prepared_of(run.home, run.experiment()), Pipeline(run.model_path())
    assert "wind" not in table.test.columns, "its smoothed values stand in its place"
    stored = load_predictions(run).predicted
    for model in pipeline.models:
        np.testing.assert_allclose(pipeline.predict(table.test, model.name), stored[model.name], rtol=1e-5)
        np.testing.assert_allclose(
            pipeline.predict(table.test.iloc[[7]], model.name), stored[model.name][[7]], rtol=1e-5
        )
    result = run.result()
    assert result is not None
    assert result.rows.outlying > 0


def test_raw_new_rows_get_their_past_from_the_rows_that_are_kept(run: RunFolder) -> None:
    pipeline = Pipeline(run.model_path())
    assert set(pipeline.spec.cleaner.needed) == {"shop", "heat", "wind", "price", "day"}
    past = pipeline.spec.cleaner.past
    assert past is not None
    # The table with the new rows in it, as if everything had been known from the start, but looked at from so far.
    whole = past.model_copy(update={"moments": (), "groups": (), "values": {}})
    days = (pd.to_datetime(WHOLE["day"]) - pd.Timestamp("2023-05-20")).dt.days.clip(1, 7).to_numpy().astype(np.int64)
    expected = pipeline.predict(whole.complete(WHOLE, days).loc[NEW.index])
    found = pipeline.predicted(NEW.drop(columns="sales"))
    known_before = (NEW["day"] < "2023-05-28").to_numpy()
    np.testing.assert_allclose(found["prediction"][known_before], expected[known_before], rtol=1e-5)
    # What is further ahead than a week gets no prediction, and is told.
    assert found[~known_before].isna().all().all()
    assert found[known_before].notna().all().all()
    assert "further ahead than the 7 days" in pipeline.warnings(NEW.drop(columns="sales"))[0]
    with pytest.raises(RowsError, match="further ahead than the 7 days"):
        pipeline.predicted(NEW[~known_before].drop(columns="sales"))
    # With their targets each is a day ahead.
    known = pipeline.predict(whole.complete(WHOLE, np.ones(len(WHOLE), dtype=np.int64)).loc[NEW.index])
    np.testing.assert_allclose(pipeline.predicted(NEW)["prediction"], known, rtol=1e-5)


def test_each_day_ahead_has_its_own_error_and_interval(run: RunFolder) -> None:
    table, pipeline, result = prepared_of(run.home, run.experiment()), Pipeline(run.model_path()), run.result()
    assert result is not None
    assert result.ahead is not None
    assert (result.ahead.horizon, result.ahead.size, result.ahead.unit) == (7, 1.0, "day")
    model = next(model for model in pipeline.models if model.name == result.best_model)
    assert model.ahead_90 is not None
    figures = result.ahead.steps[result.best_model]
    assert [one.step for one in figures] == list(range(1, 8))
    for one in figures[::3]:
        seen = table.at_step("test", one.step)
        found = pipeline.predicted(seen.rows)
        assert len(seen.rows) == one.rows
        np.testing.assert_allclose(np.abs(seen.target - found["prediction"]).mean(), one.mae, rtol=1e-4)
        inside = (found["low"] <= seen.target) & (seen.target <= found["high"])
        assert inside.mean() == pytest.approx(one.coverage_90, abs=0.02)
    row = result.row(result.best_model)
    assert row.coverage_90 is not None
    drawn = pipeline.predicted(table.test)
    inside = (drawn["low"] <= table.y_test) & (table.y_test <= drawn["high"])
    assert inside.mean() == pytest.approx(row.coverage_90, abs=0.02)


def test_the_model_file_predicts_raw_rows_as_the_run_does(run: RunFolder, tmp_path: Path) -> None:
    write_bundle(run, None, tmp_path / "model.zip")
    rows = NEW.drop(columns="sales")
    expected = Pipeline(run.model_path()).predicted(rows)
    loaded, _ = load_bundle(tmp_path / "model.zip", tmp_path / "unpacked")
    np.testing.assert_allclose(loaded.predicted(rows), expected, rtol=1e-6)
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        archive.extractall(tmp_path / "alone")
    card = (tmp_path / "alone" / "README.md").read_text()
    assert "sales learned as Box-Cox" in card
    assert "1 day ahead: off by" in card
    assert "- The last rows of the table (day, shop, sales, heat and wind) are in it, " in card
    # The column that similar rows would fill is smoothed, which leaves no gap: no rows are kept for it.
    assert "are in it, standardised, to fill gaps by similar rows" not in card
    rows.to_csv(tmp_path / "rows.csv", index=False)
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "DLREG_HOME")}
    done = subprocess.run(
        [sys.executable, str(tmp_path / "alone" / "predict.py"), "rows.csv", "out.csv"],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "further ahead than the 7 days that this model was made for" in done.stderr
    np.testing.assert_allclose(pd.read_csv(tmp_path / "out.csv")[["prediction", "low", "high"]], expected, rtol=1e-5)


@pytest.mark.parametrize("page", ["leaderboard", "diagnostics", "explain", "predict", "export"])
def test_pages_show_it(run: RunFolder, page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOME", str(run.home))
    app = opened(page, run=run.id, dataset=run.experiment().dataset_id)
    assert not app.exception
    if page in ("leaderboard", "diagnostics"):
        assert "How far ahead?" in texts(app)
        assert "1 day ahead: off by" in texts(app)
        assert any(list(table.value.get("ahead", [])) == DAYS for table in app.dataframe)
    if page in ("diagnostics", "explain"):
        assert "sales: 7 rows before" in texts(app) + str(app.main)
