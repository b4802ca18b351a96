"""Real workers that are told to finish, killed, and continued."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest

from dlreg_core.jobs import Dispatcher, open_dispatcher
from dlreg_core.networks import FAMILIES, family
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.runs import RunFolder, TaskFolder, find_explanation, load_predictions
from dlreg_core.settings import Settings
from dlreg_core.specs import RunState
from dlreg_core.splitting import prepared_of
from tests.conftest import add_table, experiment_on, small_table, wait_for, wait_until_ended

SLOW_TO_END = 25.0
"""Well above what `benchmarks/budget.py` measures: other tests may use the machine at this moment."""


def start(home: Path, *models: str, rows: int = 2000, choose_by: str = "holdout") -> tuple[Dispatcher, RunFolder]:
    """Start a run with far more time than it will get."""
    dispatcher = open_dispatcher(Settings(home=home))
    experiment = experiment_on(
        add_table(home, small_table(rows)), "price", models=models, time_limit=600.0, preset="best"
    )
    split = experiment.recipe.split.model_copy(update={"choose_by": choose_by})
    experiment = experiment.model_copy(update={"recipe": experiment.recipe.model_copy(update={"split": split})})
    return dispatcher, dispatcher.store.folder(dispatcher.submit(experiment))


def epochs_of(task: TaskFolder, model: str) -> int:
    events = [e for e in task.events().events if e.kind == "epoch" and e.data["model"] == model]
    return int(events[-1].data["epoch"]) if events else 0


def check_usable(run: RunFolder) -> None:
    """The run's pipeline predicts what it stored, and its best model is explained."""
    pipeline = Pipeline(run.model_path())
    raw = prepared_of(run.home, run.experiment()).test
    stored = load_predictions(run)
    for model in pipeline.models:
        np.testing.assert_allclose(pipeline.predict(raw, model.name), stored.predicted[model.name], rtol=1e-5)
    assert find_explanation(run, pipeline.best_model) is not None


@pytest.mark.parametrize(
    "key", [pytest.param(f.key, marks=[] if f.key == "TABM" else pytest.mark.soak) for f in FAMILIES]
)
def test_a_run_that_is_told_to_finish_stops_inside_the_network_and_is_complete(key: str, tmp_path: Path) -> None:
    dispatcher, run = start(tmp_path, key)
    task, title = run.train_task(), family(key).title
    wait_for(lambda: epochs_of(task, title) >= 2, 120)
    asked = time.monotonic()
    dispatcher.finish(run)
    assert wait_until_ended(dispatcher, run.id) is RunState.COMPLETED, task.done()
    assert time.monotonic() - asked < SLOW_TO_END
    result = run.result()
    assert result is not None
    assert result.stopped_early
    # The second process may have begun with another seed.
    fit = next(fit for fit in result.plan.fits if fit.model == title)
    assert fit.stop_after is not None
    assert 2 <= fit.stop_after < fit.epochs
    assert result.row(title).note == f"Its training was ended after epoch {fit.stop_after} of {fit.epochs}."
    check_usable(run)


@pytest.mark.soak
def test_a_run_that_is_told_to_finish_before_its_first_network_still_gets_one(tmp_path: Path) -> None:
    dispatcher, run = start(tmp_path, "FASTAI", "TABM")
    task = run.train_task()
    wait_for(lambda: any(e.kind == "plan" for e in task.events().events), 120)
    dispatcher.finish(run)
    assert wait_until_ended(dispatcher, run.id) is RunState.COMPLETED, task.done()
    result = run.result()
    assert result is not None
    # Each process may have begun with one.
    assert {fit.model for fit in result.plan.fits} <= {"FastAI", "TabM"}
    for row in result.leaderboard:
        assert row.trained or row.note == "Skipped: training was ended before its turn."
    assert result.stopped_early


@pytest.mark.soak
def test_with_folds_a_run_that_is_told_to_finish_completes_the_first_network(tmp_path: Path) -> None:
    dispatcher, run = start(tmp_path, "TABM", rows=400, choose_by="folds")
    task = run.train_task()
    wait_for(lambda: epochs_of(task, "TabM") >= 2, 120)
    dispatcher.finish(run)
    assert wait_until_ended(dispatcher, run.id) is RunState.COMPLETED, task.done()
    result = run.result()
    assert result is not None
    (fit,) = result.plan.fits
    assert result.rows.folds == 8
    # The folds that were under way end with their epoch, and the others get one each.
    assert len(fit.fold_stops) == 8
    assert fit.fold_stops[-1] == 1
    assert result.row("TabM").note == f"Its trainings were ended early, the first after 1 of {fit.epochs} epochs."
    check_usable(run)


@pytest.mark.soak
def test_a_killed_run_keeps_what_was_finished_and_is_continued(tmp_path: Path) -> None:
    dispatcher, run = start(tmp_path, "FASTAI", "NN_TORCH", rows=400)
    task = run.train_task()
    wait_for(lambda: len(task.checkpoint().fits) == 1, 120)
    process = task.process()
    assert process is not None
    os.kill(process.pid, signal.SIGKILL)
    assert wait_until_ended(dispatcher, run.id) is RunState.FAILED
    report = dispatcher.store.report(run.id)
    finished = report.keepable
    assert finished
    assert f"{finished[0]} was finished and is still there" in report.hint
    # What was finished becomes the result, without more training.
    dispatcher.finish(run)
    assert wait_until_ended(dispatcher, run.id) is RunState.COMPLETED, run.train_task().done()
    kept = run.result()
    assert kept is not None
    assert tuple(fit.model for fit in kept.plan.fits) == finished
    assert kept.stopped_early
    check_usable(run)
    before = {path: path.read_bytes() for path in run.task(2).path.rglob("*") if path.is_file()}
    # And more is added to it.
    dispatcher.go_on(run, 25.0)
    assert wait_until_ended(dispatcher, run.id) is RunState.COMPLETED, run.train_task().done()
    more = run.result()
    assert more is not None
    assert {*finished, "FastAI", "NN Torch"} <= {fit.model for fit in more.plan.fits}
    assert more.row(finished[0]).rmse_validation == kept.row(finished[0]).rmse_validation
    best, earlier = (r.row(r.best_model).rmse_validation for r in (more, kept))
    assert best is not None
    assert earlier is not None
    assert best <= earlier
    assert more.seconds > kept.seconds
    check_usable(run)
    assert {path: path.read_bytes() for path in before} == before, "a finished task is never changed"
