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
from dlreg_core.pipeline.quiet_libraries import silence_libraries
from dlreg_core.search import Searcher
from dlreg_core.specs import Search


def table(rows: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"a": rng.uniform(-2, 2, rows), "b": rng.normal(size=rows)})
    return frame, (100 + 5 * frame["a"] + rng.normal(size=rows)).rename("y")


@pytest.mark.parametrize("method", ["grid", "bayes"])
def test_trials_are_trained_and_told(tmp_path: Path, method: str) -> None:
    set_logger_verbosity(0)
    silence_libraries()
    train, validation = table(160, 0), table(60, 1)
    std = float(np.std(train[1]))
    # Too slow to learn anything in 12 epochs, and as fast as it should be.
    ranges = {"learning_rate": (1e-5, 3e-3), "loss": ("mse", "huber")}
    searcher = Searcher(Search(method=method, family="NN_TORCH", ranges=ranges, trials=4, seed=3), {"epochs": 12})
    errors: dict[tuple[float, str], float] = {}
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
