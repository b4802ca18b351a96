"""The prediction process: what it answers is what the run's pipeline says."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from dlreg_core.cleaning import fit_cleaner
from dlreg_core.errors import RowsError, ScorerError
from dlreg_core.evaluation.kept_models import load_cleaner
from dlreg_core.model_file import load_bundle
from dlreg_core.runs import RunFolder, find_explanation, load_predictions
from dlreg_core.runs.expectations import MeasuredSpeeds
from dlreg_core.scoring.bulk import find_model_file, make_model_file, model_file_path, predict_table
from dlreg_core.scoring.client import Scored, Scorer, _plain, _records
from dlreg_core.specs import LeaderboardRow, TrainResult
from dlreg_core.splitting import prepared_of
from dlreg_core.training.execution.run_networks import core_count
from dlreg_core.training.planning.forecast import foresee, known_speeds
from dlreg_core.training.planning.machine_resources import frame_mb, room, study


@pytest.fixture(scope="module")
def scorer() -> Iterator[Scorer]:
    found = Scorer()
    yield found
    found.close()


@pytest.fixture(scope="module")
def rows(trained: RunFolder) -> pd.DataFrame:
    return prepared_of(trained.home, trained.experiment()).test


@pytest.fixture(scope="module")
def result(trained: RunFolder) -> TrainResult:
    found = trained.result()
    assert found is not None
    return found


def test_it_predicts_what_the_run_stored(
    scorer: Scorer, trained: RunFolder, rows: pd.DataFrame, result: TrainResult
) -> None:
    stored = load_predictions(trained).predicted
    best = scorer.predict(trained, rows)
    np.testing.assert_allclose(best.predictions, stored[result.best_model], rtol=1e-5)
    _inside_its_own(best, result.row(result.best_model))
    assert best.warnings == () or all("place" not in w for w in best.warnings)
    for model, predicted in stored.items():
        found = scorer.predict(trained, rows, model)
        np.testing.assert_allclose(found.predictions, predicted, rtol=1e-5)
        _inside_its_own(found, result.row(model))


def _inside_its_own(scored: Scored, row: LeaderboardRow) -> None:
    """Expect the ends of intervals that are of the width that the leaderboard tells, around the prediction."""
    assert scored.low is not None
    assert scored.high is not None
    _as_wide_as_told(np.subtract(scored.high, scored.low), row)
    np.testing.assert_allclose(np.add(scored.high, scored.low) / 2, scored.predictions)


def _as_wide_as_told(widths: NDArray[np.float64], row: LeaderboardRow) -> None:
    """Expect the width that is told of all intervals, or of the median one where they follow the prediction."""
    assert row.half_width_90 is not None
    told = 2 * row.half_width_90
    if row.half_widths_90 is None:
        np.testing.assert_allclose(widths, told)
    else:
        np.testing.assert_allclose(np.median(widths), told, rtol=1e-5)


def test_rows_travel_with_every_digit() -> None:
    frame = pd.DataFrame(
        {
            "small": [1.2345678901234e-12, np.nan],
            "long": [0.1234567890123456, 123456789.123456789],
            "whole": np.array([2**53 + 1, -1]),
            "when": [pd.Timestamp("2024-01-01 00:00:00.000001"), pd.NaT],
            "text": ['a "b" ü', None],
            "flag": [True, False],
        }
    )
    found = pd.DataFrame(json.loads(json.dumps(_records(frame), default=_plain)))
    for column in ("small", "long"):
        assert found[column].tolist()[0] == frame[column].tolist()[0]
    assert found["whole"].tolist() == frame["whole"].tolist()
    assert pd.Timestamp(found["when"][0]) == frame["when"][0]
    assert found["text"].tolist() == frame["text"].tolist()
    assert found["flag"].tolist() == [True, False]
    assert [found[c].isna()[1] for c in ("small", "when")] == [True, True]


def test_a_row_is_explained_and_adds_up(
    scorer: Scorer, trained: RunFolder, rows: pd.DataFrame, result: TrainResult
) -> None:
    for model in (None, "Ridge regression"):
        values, base = scorer.explain(trained, rows.iloc[[3]], model)
        predicted = load_predictions(trained).predicted[model or result.best_model][3]
        assert values.sum() + base == pytest.approx(predicted, rel=1e-4)
        # One value for each column that the model sees: the identifier and the constant were left out.
        assert values.shape == (3,)


def test_a_row_is_explained_from_the_same_base_as_in_the_runs_own_explanation(
    scorer: Scorer, trained: RunFolder, rows: pd.DataFrame, result: TrainResult
) -> None:
    own = find_explanation(trained, result.best_model)
    assert own is not None
    _, base = scorer.explain(trained, rows.iloc[[0]])
    assert base == pytest.approx(own.result.base_value, rel=1e-5)


def test_a_file_is_predicted_with_the_ends_of_its_intervals(
    scorer: Scorer, trained: RunFolder, rows: pd.DataFrame, result: TrainResult, tmp_path: Path
) -> None:
    rows.reset_index(drop=True).to_parquet(tmp_path / "rows.parquet")
    scored = scorer.predict_file(trained, tmp_path / "rows.parquet", tmp_path / "out.parquet")
    found = pd.read_parquet(tmp_path / "out.parquet")
    stored = load_predictions(trained).predicted[result.best_model]
    np.testing.assert_allclose(found["prediction"], stored, rtol=1e-5)
    _as_wide_as_told((found["high"] - found["low"]).to_numpy(), result.row(result.best_model))
    np.testing.assert_allclose((found["high"] + found["low"]) / 2, found["prediction"])
    assert scored.predictions == tuple(found["prediction"][: len(scored.predictions)])


def test_a_table_keeps_its_columns_and_ours_get_free_names(
    scorer: Scorer, trained: RunFolder, rows: pd.DataFrame
) -> None:
    cleaner = load_cleaner(trained)
    mine = rows.assign(prediction="mine", prediction_2=1)
    found = predict_table(scorer, trained, mine, cleaner, "Mean")
    assert found.added == ("prediction_3", "low", "high")
    assert found.table["prediction"].tolist() == ["mine"] * len(rows)
    np.testing.assert_allclose(found.table["prediction_3"], load_predictions(trained).predicted["Mean"])
    with pytest.raises(RowsError, match="no column built"):
        predict_table(scorer, trained, rows.drop(columns="built"), cleaner, "Mean")


def test_a_model_is_exported_once(scorer: Scorer, trained: RunFolder, rows: pd.DataFrame, tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "home" / "runs" / trained.id)
    shutil.copytree(trained.home, tmp_path / "home")
    assert find_model_file(run, "Decision tree") is None
    made = make_model_file(scorer, run, "Decision tree")
    assert Path(made.path) == model_file_path(run, "Decision tree")
    before = Path(made.path).stat().st_mtime_ns
    assert make_model_file(scorer, run, "Decision tree") == made == find_model_file(run, "Decision tree")
    assert Path(made.path).stat().st_mtime_ns == before
    assert sorted(p.suffix for p in Path(made.path).parent.iterdir()) == [".json", ".zip"]
    pipeline, _ = load_bundle(Path(made.path), tmp_path / "out")
    stored = load_predictions(trained).predicted["Decision tree"]
    np.testing.assert_allclose(pipeline.predict(rows), stored, rtol=1e-5)


def test_what_goes_wrong_is_told_in_a_sentence_and_the_process_goes_on(
    scorer: Scorer, trained: RunFolder, rows: pd.DataFrame, tmp_path: Path
) -> None:
    scorer.predict(trained, rows.iloc[:1])
    process = scorer._pool.first
    with pytest.raises(ScorerError, match="The table has no column size"):
        scorer.predict(trained, rows.drop(columns="size"))
    with pytest.raises(ScorerError, match="The table has no column size"):
        scorer.explain(trained, rows.drop(columns="size").iloc[:1])
    with pytest.raises(ScorerError, match="There is no model 'XGBoost' here"):
        scorer.predict(trained, rows.iloc[:1], "XGBoost")
    with pytest.raises(ScorerError, match="has no model 'XGBoost'"):
        scorer.export(trained, "XGBoost", tmp_path / "x.zip")
    with pytest.raises(ScorerError, match=r"can't be read or written \("):
        scorer.export(trained, "Mean", tmp_path)
    empty = RunFolder(tmp_path / "runs" / "empty")
    shutil.copytree(trained.path, empty.path, ignore=shutil.ignore_patterns("result.json", "model"))
    with pytest.raises(ScorerError, match="Run empty has no models to use"):
        scorer.predict(empty, rows.iloc[:1])
    assert scorer._pool.first is process
    assert process is not None
    assert process.is_alive()


@pytest.mark.soak
def test_a_process_that_was_killed_is_started_again(trained: RunFolder, rows: pd.DataFrame) -> None:
    scorer = Scorer()
    try:
        before = scorer.predict(trained, rows.iloc[:2], "Mean")
        first = scorer._pool.first
        assert first is not None
        os.kill(first.pid, signal.SIGKILL)
        assert scorer.predict(trained, rows.iloc[:2], "Mean") == before
        assert scorer._pool.first is not first
    finally:
        scorer.close()
    assert scorer._pool.first is None
    scorer.close()


# --- what a run needs -------------------------------------------------------------------------------------------------


def test_it_says_what_a_run_needs(scorer: Scorer, trained: RunFolder) -> None:
    experiment = trained.experiment()
    found = scorer.preflight(trained.home, experiment)
    table = prepared_of(trained.home, experiment)
    cleaner = fit_cleaner(table.train, table.types, experiment.recipe.cleaning, table.day_first)
    parts = pd.concat([table.train, table.validation, table.test])
    facts = study(cleaner.transform(table.train), table.counts, frame_mb(parts))
    # Whatever else the machine did when it was asked.
    there = room(trained.home, cores=core_count(), gpu=False, crowding=found.crowding)
    here = foresee(experiment.plan, facts, there, known_speeds(trained.home), experiment.recipe.split)
    # A training learns from all folds but one.
    assert found.rows == len(table.train) - 26
    assert found.features == here.features
    assert found.refusal == ""
    assert [(m.family, m.fits, m.epochs) for m in found.models] == [(m.family, m.fits, m.epochs) for m in here.models]
    assert found.memory_mb == pytest.approx(here.memory_mb, rel=0.01)
    assert found.disk_mb == pytest.approx(here.disk_mb, rel=0.01)
    assert {m.family for m in found.models} == set(experiment.plan.models)


def test_another_plan_on_the_same_rows_is_answered_too(scorer: Scorer, trained: RunFolder) -> None:
    experiment = trained.experiment()
    one = scorer.preflight(trained.home, experiment)
    plan = experiment.plan.model_copy(update={"models": ("TABM",), "time_limit": 1000.0})
    other = scorer.preflight(trained.home, experiment.model_copy(update={"plan": plan}))
    assert [model.family for model in other.models] == ["TABM"]
    assert (other.rows, other.features, other.seconds_startup) == (one.rows, one.features, one.seconds_startup)


def test_what_earlier_runs_measured_is_heard_of(scorer: Scorer, trained: RunFolder, tmp_path: Path) -> None:
    experiment = trained.experiment()
    shutil.copytree(trained.home, tmp_path / "home")
    before = scorer.preflight(tmp_path / "home", experiment)
    speeds = MeasuredSpeeds.model_validate(
        {"rows": 168, "features": 9, "device": "cpu", "families": {"FASTAI": {"fixed": 100.0, "epoch": 20.0}}}
    )
    task = tmp_path / "home" / "runs" / "other" / "tasks" / "1"
    task.mkdir(parents=True)
    (task / "speeds.json").write_text(speeds.model_dump_json())
    after = scorer.preflight(tmp_path / "home", experiment)
    assert after.model("FASTAI").seconds_fewest > 3 * before.model("FASTAI").seconds_fewest


@pytest.mark.soak
def test_what_cannot_be_prepared_is_told(scorer: Scorer, trained: RunFolder) -> None:
    experiment = trained.experiment()
    recipe = experiment.recipe.model_copy(update={"target": "place"})
    with pytest.raises(ScorerError):
        scorer.preflight(trained.home, experiment.model_copy(update={"recipe": recipe}))
    with pytest.raises(ScorerError):
        scorer.preflight(trained.home, experiment.model_copy(update={"dataset_id": "0" * 16}))
    assert scorer.preflight(trained.home, experiment).rows > 0
