"""What a run says of itself, worked out again from what it stored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import (
    mean_absolute_error,
    mean_squared_error,
    median_absolute_error,
    r2_score,
    root_mean_squared_error,
)

from dlreg_core.array_types import Floats
from dlreg_core.cleaning import fit_cleaner
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs import InlineBackend
from dlreg_core.jobs.device_slots import cpu_slots
from dlreg_core.jobs.dispatcher import Dispatcher
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.runs import PartPredictions, RunFolder, find_explanation, load_predictions, open_store
from dlreg_core.runs.training_progress import ModelState, fold
from dlreg_core.settings import Settings
from dlreg_core.specs import ExplainRequest, RunState, TrainResult
from dlreg_core.splitting import prepared_of
from dlreg_core.training.execution.run_networks import gpu_name
from dlreg_core.worker.run_task import work


@pytest.fixture(scope="module")
def result(trained: RunFolder) -> TrainResult:
    found = trained.result()
    assert found is not None
    return found


def predicted_of(part: PartPredictions, model: str) -> tuple[Floats, Floats]:
    """Return target and prediction of the rows that a model has predicted."""
    known = np.isfinite(part.predicted[model])
    return part.actual[known], part.predicted[model][known]


def test_every_figure_of_the_leaderboard_is_scikit_learns(trained: RunFolder, result: TrainResult) -> None:
    validation, test = load_predictions(trained, "validation"), load_predictions(trained)
    judged = [row for row in result.leaderboard if row.trained]
    assert {row.model for row in judged} == set(test.predicted)
    for row in judged:
        y, guess = test.actual, test.predicted[row.model]
        assert row.rmse == pytest.approx(root_mean_squared_error(y, guess))
        assert row.mse == pytest.approx(mean_squared_error(y, guess))
        assert row.mae == pytest.approx(mean_absolute_error(y, guess))
        assert row.median_ae == pytest.approx(median_absolute_error(y, guess))
        assert row.r2 == pytest.approx(r2_score(y, guess))
        held, known = predicted_of(validation, row.model)
        # On a busy machine there is no time to predict all folds by boosted trees.
        assert row.rows_validation == len(held)
        assert len(held) == len(validation.actual) or row.family == "BOOSTED"
        assert row.rmse_validation == pytest.approx(root_mean_squared_error(held, known))
        assert row.rmse_interval is not None
        assert row.rmse_interval.low <= row.rmse <= row.rmse_interval.high  # type: ignore[operator]
        assert (row.fit_seconds or 0) > 0
        assert (row.predict_rows_per_second or 0) > 0
        assert (row.size_mb or 0) > 0


def test_every_interval_holds_nine_of_ten_rows_that_it_was_calibrated_on(
    trained: RunFolder, result: TrainResult
) -> None:
    validation, test = load_predictions(trained, "validation"), load_predictions(trained)
    intervals = {model.name: model.interval for model in Pipeline(trained.model_path()).models}
    for row in result.leaderboard:
        if not row.trained:
            continue
        y, guess = test.actual, test.predicted[row.model]
        held, known = predicted_of(validation, row.model)
        if row.half_widths_90 is None:
            # Split conformal: of n validation residuals the ceil((n + 1) 0.9)-th.
            width = np.sort(np.abs(held - known))[int(np.ceil((len(held) + 1) * 0.9)) - 1]
            assert row.half_width_90 == pytest.approx(width)
            assert row.coverage_90 == pytest.approx(np.mean(np.abs(y - guess) <= width))
            continue
        interval = intervals[row.model]
        assert interval is not None
        # The same of the rows that didn't choose how the width varies; the last one lies on an end, or just beside it.
        rest = np.random.default_rng(0).permutation(len(held))[len(held) // 2 :]
        low, high = interval.bounds(known[rest])
        inside = np.count_nonzero((low <= held[rest]) & (held[rest] <= high))
        assert abs(inside - int(np.ceil((len(rest) + 1) * 0.9))) <= 1
        low, high = interval.bounds(guess)
        assert row.half_width_90 == pytest.approx(np.median(high - low) / 2)
        assert row.half_widths_90.low < row.half_widths_90.high
        assert row.coverage_90 == pytest.approx(np.mean((low <= y) & (y <= high)))
    # The noise is the same everywhere, and a line is not far off anywhere.
    assert result.row("Ridge regression").half_widths_90 is None


def test_the_leaderboard_is_ordered_and_the_best_chosen_by_validation(trained: RunFolder, result: TrainResult) -> None:
    validation = load_predictions(trained, "validation")
    errors = {m: root_mean_squared_error(*predicted_of(validation, m)) for m in validation.predicted}
    judged = [row.model for row in result.leaderboard if row.trained]
    assert judged == sorted(judged, key=lambda m: (errors[m], m)) or np.allclose(
        [errors[m] for m in judged], sorted(errors.values())
    )
    networks = {row.model: errors[row.model] for row in result.leaderboard if row.trained and row.role == "network"}
    # The ensemble's weights were chosen by the same rows: it is best only where it wins on rows that didn't choose it.
    assert result.best_model in ("Ensemble", min(networks, key=lambda name: networks[name]))
    # One network alone is no ensemble.
    assert ("Ensemble" in errors) == (len(result.ensemble_weights) > 1)
    assert errors.get("Ensemble", 0.0) <= min(networks.values()) * 1.001
    assert {row.role for row in result.leaderboard} >= {"network", "baseline"}


def test_the_comparison_is_with_the_baseline_that_validation_prefers(trained: RunFolder, result: TrainResult) -> None:
    validation, test = load_predictions(trained, "validation"), load_predictions(trained)
    # Of the constants the median has the smallest mean absolute error there can be: it stands for both.
    baselines = [row.model for row in result.leaderboard if row.role == "baseline" and row.model != "Mean"]
    known = np.isfinite(validation.predicted["Boosted trees"])
    assert known.any()
    best = min(baselines, key=lambda m: mean_absolute_error(validation.actual[known], validation.predicted[m][known]))
    assert result.comparison is not None
    assert result.comparison.baseline == best
    ours = mean_absolute_error(test.actual, test.predicted[result.best_model])
    theirs = mean_absolute_error(test.actual, test.predicted[best])
    assert result.comparison.improvement == pytest.approx(1 - ours / theirs)


def test_the_networks_are_compared_with_every_baseline_that_learns(trained: RunFolder, result: TrainResult) -> None:
    validation, test = load_predictions(trained, "validation"), load_predictions(trained)
    names = ["Ridge regression", "Decision tree", "Boosted trees"]
    # On a busy machine there is no time to predict all folds by boosted trees.
    known = np.isfinite(validation.predicted["Boosted trees"])
    assert known.any()
    order = sorted(names, key=lambda m: mean_absolute_error(validation.actual[known], validation.predicted[m][known]))
    assert [comparison.baseline for comparison in result.comparisons] == order
    best = test.predicted[result.best_model]
    for comparison in result.comparisons:
        other = test.predicted[comparison.baseline]
        ours, theirs = mean_absolute_error(test.actual, best), mean_absolute_error(test.actual, other)
        assert comparison.improvement == pytest.approx(1 - ours / theirs)
        ours, theirs = root_mean_squared_error(test.actual, best), root_mean_squared_error(test.actual, other)
        assert comparison.rmse_improvement == pytest.approx(1 - ours / theirs)
        assert comparison.rmse_interval is not None
        assert comparison.rmse_improvement is not None
        assert comparison.rmse_interval.low < comparison.rmse_improvement < comparison.rmse_interval.high
    assert result.comparison in result.comparisons


def test_boosted_trees_are_never_part_of_an_ensemble(trained: RunFolder, result: TrainResult) -> None:
    row = result.row("Boosted trees")
    assert (row.family, row.role) == ("BOOSTED", "baseline")
    assert "Boosted trees" not in result.ensemble_weights
    assert result.best_model != "Boosted trees"
    model = joblib.load(trained.train_task().path / "model" / "baselines.joblib")["BOOSTED"]
    assert model[-1].tree_count_ == result.plan.baseline_iterations
    assert result.plan.baseline_iterations > 0
    assert 1 <= result.plan.baseline_folds <= result.rows.folds
    assert row.strength is not None
    assert (row.strength.trees, row.strength.of_trees) == (result.plan.baseline_iterations, 1000)
    assert (row.strength.rows, row.strength.of_rows) == (result.rows.train, result.rows.train)


def test_rows_and_targets_are_those_of_the_table(trained: RunFolder, result: TrainResult) -> None:
    table = DatasetStore(trained.home).table(trained.experiment().dataset_id)
    for part in ("validation", "test"):
        stored = load_predictions(trained, part)
        np.testing.assert_array_equal(stored.actual, table["price"].to_numpy()[stored.rows])
    counts = result.rows
    # In folds, every row that isn't for the test trains and chooses.
    assert (counts.train, counts.validation, counts.test, counts.folds) == (204, 0, 36, 8)
    assert counts.train + counts.test == len(table)
    judged, chosen = (set(load_predictions(trained, part).rows) for part in ("test", "validation"))
    assert judged | chosen == set(table.index)
    assert not judged & chosen
    rest = table["price"].drop(index=sorted(judged))
    assert result.target_mean == pytest.approx(rest.mean())
    assert result.target_std == pytest.approx(rest.std(ddof=0))


def test_baselines_predict_what_was_stored(trained: RunFolder) -> None:
    """From the fitted scikit-learn models alone, with the cleaning fitted again on the training rows."""
    experiment = trained.experiment()
    table = prepared_of(trained.home, experiment)
    cleaned = fit_cleaner(table.train, table.types, experiment.recipe.cleaning, table.day_first).transform(table.test)
    models = joblib.load(trained.train_task().path / "model" / "baselines.joblib")
    stored = load_predictions(trained).predicted
    np.testing.assert_allclose(stored["Mean"], table.y_train.mean())
    np.testing.assert_allclose(stored["Median"], np.median(table.y_train))
    for key, name in (("RIDGE", "Ridge regression"), ("TREE", "Decision tree"), ("BOOSTED", "Boosted trees")):
        np.testing.assert_allclose(models[key].predict(cleaned), stored[name])


def test_the_plan_says_what_was_trained(trained: RunFolder, result: TrainResult) -> None:
    networks = [row.model for row in result.leaderboard if row.role == "network" and row.trained]
    assert sorted(fit.model for fit in result.plan.fits) == sorted(networks)
    assert {fit.family for fit in result.plan.fits} == {"FASTAI", "NN_TORCH"}
    for fit in result.plan.fits:
        assert fit.epochs > 0
        assert (fit.seed, fit.device) == (0, "cpu") or fit.device == "gpu"
    assert result.plan.ensemble == bool(result.ensemble_weights)
    assert result.plan.explained_model == result.best_model
    assert result.versions["pandas"] == pd.__version__
    assert 0 < result.seconds < 200


def test_the_first_explanation_adds_up(trained: RunFolder, result: TrainResult) -> None:
    found = find_explanation(trained, result.best_model)
    assert found is not None
    test = load_predictions(trained)
    where = {row: place for place, row in enumerate(test.rows)}
    stored = test.predicted[result.best_model][[where[row] for row in found.rows]]
    np.testing.assert_allclose(found.predictions, stored, rtol=1e-5)
    total = found.values.sum(axis=1) + found.result.base_value
    np.testing.assert_allclose(total, stored, rtol=1e-5)
    assert list(found.values.columns) == list(trained.experiment().recipe.features)
    assert (found.values[["id", "country"]] == 0).all().all(), "they are dropped before the models see them"
    table = DatasetStore(trained.home).table(trained.experiment().dataset_id)
    np.testing.assert_array_equal(found.data["size"], table["size"].to_numpy()[found.rows])
    assert (found.result.rows, found.result.background) == (result.plan.explain_rows, result.plan.explain_background)
    # What carries the price by construction: the size, three dollars each, then the place.
    strength = found.values.abs().mean().sort_values(ascending=False)
    assert strength.index[0] == "size"


def test_the_events_add_up_to_the_result(trained: RunFolder, result: TrainResult) -> None:
    progress = fold(trained.train_task().events().events)
    trained_models = [fit.model for fit in result.plan.fits]
    assert {m.model: m.state for m in progress.models} == dict.fromkeys(trained_models, ModelState.DONE)
    assert {"FastAI", "NN Torch"} <= set(trained_models)
    for model in progress.models:
        assert model.share == 1.0
        assert model.validation == pytest.approx(result.row(model.model).rmse_validation, rel=1e-4)
        assert 0 < model.epoch <= model.epochs
    assert progress.stage == f"Explaining {result.best_model}"


def test_a_finished_run_holds_what_it_should_and_no_more(trained: RunFolder) -> None:
    task = trained.train_task()
    assert {p.name for p in task.path.iterdir()} <= {
        "task.json",
        "launched.json",
        "started.json",
        "ready.json",
        "worker.lock",
        "events.jsonl",
        "log.txt",
        "pulse.json",
        "checkpoint.json",
        "speeds.json",
        "baselines.joblib",
        "result.json",
        "model",
        "explanations",
        "predictions-validation.parquet",
        "predictions-test.parquet",
        "DONE",
    }
    assert task.state() is RunState.COMPLETED
    assert "Traceback" not in task.log()
    assert not list((task.path / "model" / "predictor" / "models").glob("Start*"))
    assert not list((task.path / "model").glob("snapshot*"))


@pytest.mark.soak
def test_a_repetition_gives_the_same_scores(trained: RunFolder, result: TrainResult, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(trained.home / "datasets", home / "datasets")
    dispatcher = Dispatcher(open_store(Settings(home=home)), InlineBackend(work), cpu_slots(1))
    # As if the time had been too short for all trees: then the plan tells how many there were.
    plan = result.plan.model_copy(update={"baseline_iterations": 37})
    if gpu_name() is None:
        # As if the run was from a machine with a GPU.
        fits = tuple(fit.model_copy(update={"device": "gpu"}) for fit in plan.fits)
        plan = plan.model_copy(update={"fits": fits})
    experiment = trained.experiment().model_copy(update={"replay_of": trained.id, "replay": plan})
    run_id = dispatcher.submit(experiment)
    run = dispatcher.store.folder(run_id)
    assert dispatcher.store.refresh(run_id) is RunState.COMPLETED, run.train_task().done()
    again = run.result()
    assert again is not None
    assert again.best_model == result.best_model
    assert again.ensemble_weights == pytest.approx(result.ensemble_weights)
    assert [fit.model for fit in again.plan.fits] == [fit.model for fit in result.plan.fits]
    assert again.plan.baseline_iterations == 37
    assert again.row("Boosted trees").note.startswith("Fitted with 37 of 1,000 trees, ")
    assert again.row("Boosted trees").rows_validation == result.row("Boosted trees").rows_validation
    for row in result.leaderboard:
        if row.trained and row.family != "BOOSTED":
            other = again.row(row.model)
            for figure in ("rmse", "mae", "mse", "median_ae", "rmse_validation", "half_width_90"):
                assert getattr(other, figure) == pytest.approx(getattr(row, figure), rel=1e-6), (row.model, figure)
    one, two = find_explanation(trained, result.best_model), find_explanation(run, result.best_model)
    assert one is not None
    assert two is not None
    np.testing.assert_allclose(two.values, one.values, rtol=1e-4, atol=1e-3)
    assert json.loads((run.path / "experiment.json").read_text())["replay_of"] == trained.id


def test_another_model_is_explained_in_a_task_of_its_own(trained: RunFolder, tmp_path: Path) -> None:
    home = tmp_path / "home"
    shutil.copytree(trained.home, home)
    dispatcher = Dispatcher(open_store(Settings(home=home)), InlineBackend(work), cpu_slots(1))
    before = find_explanation(dispatcher.store.folder(trained.id), "Ridge regression")
    task = dispatcher.explain(
        dispatcher.store.folder(trained.id), ExplainRequest(model="Ridge regression", rows=12, time_limit=20.0)
    )
    assert before is None
    assert task.state() is RunState.COMPLETED, task.done()
    found = find_explanation(dispatcher.store.folder(trained.id), "Ridge regression")
    assert found is not None
    assert len(found.values) == 12
    stored = load_predictions(trained)
    by_row = dict(zip(stored.rows, stored.predicted["Ridge regression"], strict=True))
    np.testing.assert_allclose(found.predictions, [by_row[row] for row in found.rows], rtol=1e-5)
    np.testing.assert_allclose(found.values.sum(axis=1) + found.result.base_value, found.predictions, rtol=1e-6)
    assert (found.values["country"] == 0).all()
