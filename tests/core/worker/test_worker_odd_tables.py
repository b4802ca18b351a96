"""Tables that are odd but usable, and such that can't work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.errors import ConflictError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs import InlineBackend
from dlreg_core.jobs.device_slots import cpu_slots
from dlreg_core.jobs.dispatcher import Dispatcher
from dlreg_core.model_file import load_bundle, write_bundle
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.runs import RunFolder, find_explanation, load_predictions, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Cleaning, Done, Experiment, RunState, Split
from dlreg_core.splitting import prepared_of
from dlreg_core.worker.run_task import work
from tests.conftest import add_table, experiment_on


def train(home: Path, experiment: Experiment) -> RunFolder:
    """Train in this process."""
    dispatcher = Dispatcher(open_store(Settings(home=home)), InlineBackend(work), cpu_slots(1))
    return dispatcher.store.folder(dispatcher.submit(experiment))


def quick(home: Path, table: pd.DataFrame, target: str = "y", **changes: object) -> Experiment:
    dataset = add_table(home, table)
    experiment = experiment_on(dataset, target, models=("FASTAI",), preset="fast", time_limit=30.0)
    return experiment.model_copy(update={"recipe": experiment.recipe.model_copy(update=changes)})


def done_of(run: RunFolder) -> Done:
    done = run.train_task().done()
    assert done is not None
    return done


def check_completed(run: RunFolder) -> Pipeline:
    """The run is completed, and its pipeline predicts what it stored, row by row too."""
    done = done_of(run)
    assert done.state is RunState.COMPLETED, done.reason
    pipeline = Pipeline(run.model_path())
    raw = prepared_of(run.home, run.experiment()).test
    stored = load_predictions(run).predicted[pipeline.best_model]
    np.testing.assert_allclose(pipeline.predict(raw), stored, rtol=1e-5)
    np.testing.assert_allclose(pipeline.predict(raw.iloc[[0]]), stored[:1], rtol=1e-5)
    explanation = find_explanation(run, pipeline.best_model)
    assert explanation is not None
    total = explanation.values.sum(axis=1) + explanation.result.base_value
    np.testing.assert_allclose(total, explanation.predictions, rtol=1e-4)
    return pipeline


def test_only_categories_with_levels_that_training_never_saw(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"t": range(120), "c": rng.choice(["a", "b"], 120), "d": rng.choice(["x", "y", "z"], 120)})
    table.loc[110:, "c"] = "new"
    table.loc[115:, "d"] = None
    table["y"] = 100.0 + 20 * (table["c"] == "a") + rng.normal(0, 1, 120)
    experiment = quick(
        tmp_path,
        table,
        features=("c", "d"),
        split=Split(kind="time", column="t"),
        cleaning=Cleaning(drop_duplicates=False),
    )
    pipeline = check_completed(train(tmp_path, experiment))
    assert "new" not in pipeline.schema.field("c").levels
    rows = pd.DataFrame({"c": ["new", "a", None], "d": ["x", None, "w"]})
    for model in pipeline.models:
        assert np.isfinite(pipeline.predict(rows, model.name)).all()
    assert len(pipeline.schema.warnings(rows)) == 2


@pytest.mark.soak
def test_a_single_number(tmp_path: Path) -> None:
    x = np.linspace(1, 9, 100)
    pipeline = check_completed(train(tmp_path, quick(tmp_path, pd.DataFrame({"x": x, "y": 3 * x}))))
    assert pipeline.schema.names == ("x",)


@pytest.mark.soak
def test_only_text(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    words = ["house", "garden", "lake", "street", "noise", "sun", "balcony", "cellar"]
    y = rng.normal(50, 5, 120)
    text = [" ".join(rng.choice(words, 6)) + f" number {i}" for i in range(120)]
    check_completed(train(tmp_path, quick(tmp_path, pd.DataFrame({"t": text, "y": y + ["lake" in t for t in text]}))))


@pytest.mark.soak
def test_odd_names(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    names = [
        "a b",
        "[x]<y>",
        'say "hi"',
        "it's, here",
        "größe €",
        "prediction",
        "__target__",
        "size: was missing",
        "expected_prediction",
    ]
    table = pd.DataFrame(rng.uniform(1, 5, (100, len(names))).round(3), columns=names)
    table["place"] = rng.choice(["None", 'the "west"', "süd;"], 100)
    table["size"] = rng.uniform(1, 5, 100).round(3)
    table.loc[:9, "size"] = np.nan
    table["model: A"] = rng.integers(0, 9, 100)
    table["row"] = rng.uniform(0, 1, 100)
    table["actual"] = 2 * table["__target__"] + 5 * table["prediction"] + 30
    pipeline = check_completed(train(tmp_path, quick(tmp_path, table, target="actual")))
    assert set(pipeline.schema.names) == set(table.columns) - {"actual"}
    rows = table.drop(columns="actual")
    moved = pipeline.predict(rows.assign(**{"__target__": rows["__target__"] + 1}), "Ridge regression")
    assert (moved - pipeline.predict(rows, "Ridge regression")).mean() > 1, "the column called __target__ counts"
    run = next(RunFolder(path) for path in (tmp_path / "runs").iterdir())
    assert write_bundle(run, None, tmp_path / "model.zip").max_relative_difference < 1e-5
    loaded, _ = load_bundle(tmp_path / "model.zip", tmp_path / "out")
    np.testing.assert_allclose(loaded.predict(rows), pipeline.predict(rows), rtol=1e-5)


def failed(home: Path, experiment: Experiment) -> Done:
    run = train(home, experiment)
    done = done_of(run)
    assert done.state is RunState.FAILED
    assert run.result() is None
    assert not run.train_task().is_held()
    (summary,) = (r for r in open_store(Settings(home=home)).list("local") if r.run_id == run.id)
    store = open_store(Settings(home=home))
    assert store.refresh(run.id) is RunState.FAILED
    assert summary.best_model is None
    assert store.report(run.id).reason == done.reason
    assert "\n" not in done.reason
    return done


def test_what_can_not_work_fails_with_a_plain_reason(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"x": rng.normal(size=80), "same": ["k"] * 80, "y": [1.0] * 60 + list(range(20))})
    table["t"] = range(80)
    by_time = Split(kind="time", column="t")
    done = failed(tmp_path, quick(tmp_path, table, split=by_time))
    assert done.reason == "The target y has the same value in all training rows."
    done = failed(tmp_path, quick(tmp_path, table, features=("same",), cleaning=Cleaning(drop_duplicates=False)))
    assert done.reason.startswith("No column is left to predict from")
    done = failed(tmp_path, quick(tmp_path, table, features=("nowhere",)))
    assert done.reason == "The table has no column nowhere."
    experiment = quick(tmp_path, table)
    DatasetStore(tmp_path).delete(experiment.dataset_id)
    done = failed(tmp_path, experiment)
    assert "There is no data set" in done.reason
    assert done.hint


def test_a_model_that_does_not_exist_fails_with_the_names_of_those_that_do(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(size=80)
    table = pd.DataFrame({"x": x, "y": 2 * x})
    experiment = quick(tmp_path, table)
    plan = experiment.plan.model_copy(update={"models": ("XGBOOST",)})
    done = failed(tmp_path, experiment.model_copy(update={"plan": plan}))
    assert (done.reason, done.hint[:11]) == ("There is no network called XGBOOST.", "Choose from")


def test_a_task_is_done_once(trained: RunFolder) -> None:
    before = (trained.train_task().path / "DONE").read_bytes()
    with pytest.raises(ConflictError, match="already done"):
        work(trained.train_task())
    assert (trained.train_task().path / "DONE").read_bytes() == before
