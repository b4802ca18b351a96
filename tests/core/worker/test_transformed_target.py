"""A run that learns a transformed target: whatever it tells and hands out is in the target's own unit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dlreg_core.cleaning import AS_IT_IS, TargetTransform
from dlreg_core.evaluation.conformal import calibrate
from dlreg_core.evaluation.epoch_curves import network_curves
from dlreg_core.jobs import InlineBackend
from dlreg_core.jobs.device_slots import cpu_slots
from dlreg_core.jobs.dispatcher import Dispatcher
from dlreg_core.model_file import load_bundle, write_bundle
from dlreg_core.pipeline.fitted_pipeline import NETWORKS, Pipeline
from dlreg_core.pipeline.network_store import NetworkStore
from dlreg_core.runs import RunFolder, find_explanation, load_predictions, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Recipe, RunState, Split, TransformName
from dlreg_core.splitting import prepared_of
from dlreg_core.worker.run_task import work
from tests.conftest import add_table, experiment_on


def prices(rows: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    size, age = rng.normal(0, 1, rows), rng.uniform(0, 50, rows)
    price = np.exp(8 + size + 0.02 * age + rng.normal(0, 0.25, rows))
    return pd.DataFrame({"size": size, "age": age, "place": rng.choice(["north", "south"], rows), "price": price})


def train(home: Path, transform: TransformName, **split: object) -> RunFolder:
    experiment = experiment_on(
        add_table(home, prices()), "price", models=("FEEDFORWARD",), preset="fast", time_limit=20.0
    )
    recipe = experiment.recipe.model_copy(update={"target_transform": transform, "split": Split(**split)})
    dispatcher = Dispatcher(open_store(Settings(home=home)), InlineBackend(work), cpu_slots(1))
    run = dispatcher.store.folder(dispatcher.submit(experiment.model_copy(update={"recipe": recipe})))
    done = run.train_task().done()
    assert done is not None
    assert done.state is RunState.COMPLETED, done.reason
    return run


@pytest.fixture(scope="module", params=["folds", pytest.param("holdout", marks=pytest.mark.soak)])
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    yield train(tmp_path_factory.mktemp("home"), "log", choose_by=request.param)


def test_the_pipeline_predicts_what_was_judged_in_the_targets_own_unit(run: RunFolder) -> None:
    pipeline, table, result = Pipeline(run.model_path()), prepared_of(run.home, run.experiment()), run.result()
    assert result is not None
    assert result.target_transform == pipeline.spec.transform.method == "log"
    stored = load_predictions(run).predicted
    for model in pipeline.models:
        predicted = pipeline.predict(table.test, model.name)
        np.testing.assert_allclose(predicted, stored[model.name], rtol=1e-5)
        rmse = float(np.sqrt(np.mean((predicted - table.y_test) ** 2)))
        assert result.row(model.name).rmse == pytest.approx(rmse, rel=1e-5)
        if model.family == "MEAN":
            np.testing.assert_allclose(predicted, table.y_train.mean(), rtol=1e-6)
    mean = next(row for row in result.leaderboard if row.family == "MEAN")
    for row in result.leaderboard:
        if row.family in ("FEEDFORWARD", "RIDGE", "BOOSTED"):
            assert (row.rmse or np.inf) < 0.8 * (mean.rmse or 0)


def test_folds_ensembles_and_intervals_are_formed_in_the_targets_own_unit(run: RunFolder) -> None:
    pipeline, table, result = Pipeline(run.model_path()), prepared_of(run.home, run.experiment()), run.result()
    assert result is not None
    cleaned = pipeline.spec.cleaner.transform(table.test.reset_index(drop=True))
    shelf = NetworkStore(run.model_path() / NETWORKS)
    by_network = {}
    for name in (model.name for model in pipeline.models if model.role == "network"):
        each = [model.predict(shelf.prepared(cleaned)) for model in shelf._models(name)]
        by_network[name] = np.mean([np.exp(_standing(values, table.transform)) for values in each], axis=0)
        np.testing.assert_allclose(pipeline.predict(table.test, name), by_network[name], rtol=1e-4)
    if result.ensemble_weights:
        mixed = sum(weight * by_network[name] for name, weight in result.ensemble_weights.items())
        np.testing.assert_allclose(pipeline.predict(table.test, "Ensemble"), mixed, rtol=1e-4)
    held_out = load_predictions(run, "validation")
    for row in result.leaderboard:
        if row.trained:
            # On a busy machine there is no time to predict all folds by boosted trees.
            known = np.isfinite(held_out.predicted[row.model])
            assert known.all() or row.family == "BOOSTED"
            actual, predicted = held_out.actual[known], held_out.predicted[row.model][known]
            model = next(model for model in pipeline.models if model.name == row.model)
            transform = table.transform if model.learns_transformed else AS_IT_IS
            least = float(min(table.y_train.min(), held_out.actual.min()))
            assert model.interval is not None
            # What it costs when a column is missing comes on top.
            assert min(model.interval.gaps.values(), default=np.inf) >= model.interval.factor
            complete = model.interval.model_copy(update={"gaps": {}})
            assert complete == calibrate(actual, predicted, least=least, transform=transform)
            found = pipeline.predicted(table.test, row.model)
            assert row.coverage_90 == pytest.approx(
                np.mean(table.y_test.clip(found["low"], found["high"]) == table.y_test)
            )
            if not model.interval.varies:
                assert row.half_width_90 == model.interval.factor
            else:
                assert row.half_width_90 == pytest.approx(np.median(found["high"] - found["low"]) / 2)
            assert (found["low"] >= 0).all()
            assert row.rmse_validation == pytest.approx(float(np.sqrt(np.mean((actual - predicted) ** 2))))


def _standing(learned: object, transform: TargetTransform) -> np.ndarray[Any, Any]:
    """Return logarithms from what networks learn, whose mean and spread are those of the target."""
    values = np.asarray(learned, dtype=np.float64).ravel()
    logarithms = (values - transform.mean) / transform.std * transform.scale + transform.centre
    return np.clip(logarithms, transform.low, transform.high)


def test_each_epoch_is_told_in_the_targets_own_unit(run: RunFolder) -> None:
    result = run.result()
    assert result is not None
    held_out = load_predictions(run, "validation")
    for name, curves in network_curves(result, run.train_task().events().events).items():
        # A training loss that is no error of the target is only compared with itself.
        assert curves.scale == "relative"
        # Of each fold the best epoch is the one that was kept, and what it predicted is stored.
        best = curves.folds.groupby("fold")["validation"].min()
        rmse = float(np.sqrt(np.mean((held_out.predicted[name] - held_out.actual) ** 2)))
        counts = np.full(len(best), 1 / len(best))
        assert float(np.sqrt(np.sum(counts * best**2))) == pytest.approx(rmse, rel=0.02)


def test_shap_values_add_up_in_the_targets_own_unit(run: RunFolder) -> None:
    pipeline = Pipeline(run.model_path())
    explanation = find_explanation(run, pipeline.best_model)
    assert explanation is not None
    total = explanation.values.sum(axis=1) + explanation.result.base_value
    np.testing.assert_allclose(total, explanation.predictions, rtol=1e-4)


def test_the_model_file_brings_predictions_back(run: RunFolder, tmp_path: Path) -> None:
    write_bundle(run, None, tmp_path / "model.zip")
    pipeline, _ = load_bundle(tmp_path / "model.zip", tmp_path / "unpacked")
    table = prepared_of(run.home, run.experiment())
    expected = Pipeline(run.model_path()).predict(table.test)
    np.testing.assert_allclose(pipeline.predict(table.test), expected, rtol=1e-6)
    far = pd.DataFrame({"size": [1e6, -1e6], "age": [1e9, -1e9], "place": ["north", None]})
    assert np.isfinite(pipeline.predict(far)).all()


def test_recipes_of_earlier_versions_learn_the_target_as_it_is() -> None:
    old = Recipe(target="y", features=("a",)).model_dump(exclude={"target_transform"})
    assert Recipe.model_validate(old).target_transform == "none"
