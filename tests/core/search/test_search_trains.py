"""A search over real networks: what is asked for can be trained with, and its errors lead on."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from autogluon.common.utils.log_utils import set_logger_verbosity

from dlreg_core.networks import family, network, to_autogluon
from dlreg_core.networks.epoch_watch import EpochWatch
from dlreg_core.pipeline.quiet_libraries import hush
from dlreg_core.search import Searcher
from dlreg_core.specs import FinishedFit, PlannedFit, Search, TrainPlan
from dlreg_core.training.planning.fit_speed import Speed
from dlreg_core.training.scheduler.search_trials import Trials


def table(rows: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.uniform(-2, 2, rows), "b": rng.normal(size=rows)})
    return frame, (100 + 5 * frame["a"] + rng.normal(size=rows)).rename("y")


@pytest.mark.parametrize("method", ["grid", "bayes"])
def test_trials_are_trained_and_told(tmp_path: Path, method: str) -> None:
    set_logger_verbosity(0)
    hush()
    train, validation = table(160, 0), table(60, 1)
    std = float(np.std(train[1]))
    # Too slow to learn anything in 12 epochs, and as fast as it should be.
    ranges = {"learning_rate": (1e-5, 3e-3), "loss": ("mse", "huber")}
    searcher = Searcher(Search(method=method, family="NN_TORCH", ranges=ranges, trials=4, seed=3), {"epochs": 12})
    errors = {}
    while (values := searcher.ask()) is not None:
        kept = json.loads(
            json.dumps(family("NN_TORCH").sample_settings(len(train[0]), 0) | to_autogluon("NN_TORCH", values))
        )
        model = network("NN_TORCH").model_class()(
            path=str(tmp_path / str(len(errors))),
            name="trial",
            problem_type="regression",
            eval_metric="rmse",
            hyperparameters=network("NN_TORCH").model_settings(kept, std),
        )
        with network("NN_TORCH").training(model, EpochWatch(target_std=std)):
            model.fit(
                X=train[0], y=train[1], X_val=validation[0], y_val=validation[1], num_cpus=1, num_gpus=0, verbosity=0
            )
        rmse = float(np.sqrt(np.mean((model.predict(validation[0]) - validation[1]) ** 2)))
        errors[values["learning_rate"], values["loss"]] = rmse
        searcher.tell(values, rmse)
    assert len(errors) == 4
    for loss in ("mse", "huber"):
        assert errors[3e-3, loss] < errors[1e-5, loss]


def test_what_failed_in_an_earlier_task_is_not_tried_again() -> None:
    search = Search(method="grid", family="FEEDFORWARD", ranges={"dropout": (0.0, 0.1, 0.2)}, trials=3, seed=0)
    plan = TrainPlan(models=("FEEDFORWARD",), time_limit=60.0, search=search)
    first = FinishedFit(
        fit=PlannedFit(model="x", family="FEEDFORWARD", epochs=5, seed=0, threads=1, device="cpu"),
        seconds=1.0,
        validation=1.0,
    )
    speeds = {"FEEDFORWARD": Speed(0.0, 0.1)}
    trials = Trials(plan, [first])
    trial = trials.next(speeds, 60.0)
    assert trial is not None
    trials.tell(trial.values, None)
    assert trials.failed == [trial.values]
    later = Trials(plan, [first], trials.failed)
    assert later.failed == [trial.values]
    others = [found.values for _ in range(2) if (found := later.next(speeds, 60.0)) is not None]
    assert len(others) == 2
    assert trial.values not in others
    assert later.next(speeds, 60.0) is None
