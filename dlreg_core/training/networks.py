"""One AutoGluon predictor to which networks are added one by one, each with a plan of its own."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from autogluon.common.utils.log_utils import set_logger_verbosity
from autogluon.tabular import TabularPredictor
from autogluon.tabular.registry import ag_model_registry
from numpy.typing import NDArray

from dlreg_core.errors import TrainingError
from dlreg_core.specs import PlannedFit
from dlreg_core.training.allocation import Speed
from dlreg_core.training.catalogue import ENSEMBLE, family, sample_settings
from dlreg_core.training.hooks import EpochWatch, watching
from dlreg_core.training.pipeline import hush

LABEL = "__target__"
"""Name of the target inside the predictor; marked where a column of a person's table is called so."""

_START = "Start"
_PILOT_EPOCHS = 3


class FitFailedError(TrainingError):
    """One network could not be trained; the run goes on with the others."""


class NetworkTrainer:
    """Trains networks on one set of training and validation rows.

    Parameters
    ----------
    path : Path
        Where AutoGluon's predictor is kept.
    features, validation : pandas.DataFrame
        Cleaned rows.
    target, validation_target : ndarray of float64
        Their targets.
    gpu : bool
        Whether networks are trained on the GPU.
    """

    def __init__(
        self,
        path: Path,
        features: pd.DataFrame,
        target: NDArray[np.float64],
        validation: pd.DataFrame,
        validation_target: NDArray[np.float64],
        *,
        gpu: bool,
    ) -> None:
        self.path = path
        self.gpu = gpu
        self.rows = len(features)
        self.target_std = float(np.std(target))
        self._ensemble = ""
        set_logger_verbosity(0)
        hush()
        label = LABEL
        while label in features.columns:
            label += "_"
        self._predictor = TabularPredictor(
            label=label, problem_type="regression", eval_metric="rmse", path=str(path), verbosity=0
        )
        # A constant model makes AutoGluon prepare its features, and nothing else.
        self._predictor.fit(
            features.assign(**{label: target}),
            tuning_data=validation.assign(**{label: validation_target}),
            hyperparameters={"DUMMY": [{"ag_args": {"name": _START}}]},
            fit_weighted_ensemble=False,
            feature_prune_kwargs=None,
        )
        self._start = self._predictor.model_names()[0]
        self._validation_target = validation_target

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the networks trained so far, in order."""
        return tuple(n for n in self._predictor.model_names() if n not in (self._start, ENSEMBLE))

    # --- training -----------------------------------------------------------------------------------------------

    def measure(self, key: str, seed: int, threads: Sequence[int], batches: int) -> tuple[Speed, int]:
        """Measure how fast a family trains on this table.

        Trains the smallest network for a few epochs on the rows of `batches` steps, once for each number of threads.

        Returns
        -------
        speed : Speed
            Seconds for all rows.
        threads : int
            The number of threads that was fastest.

        Raises
        ------
        FitFailedError
            If the family can't be trained on this table at all.
        """
        # Twice at least: the first training of a process also pays for what its libraries load.
        counts = threads if len(threads) > 1 else [*threads, *threads]
        trials = [(n, self._pilot(key, seed, n, batches)) for n in counts]
        # More threads must be worth their price to the machine.
        best, speed = min(trials, key=lambda trial: trial[1].epoch * (1 if trial[0] == min(threads) else 1.15))
        return Speed(fixed=min(trial[1].fixed for trial in trials), epoch=speed.epoch), best

    def fit(self, planned: PlannedFit, watch: EpochWatch, time_limit: float | None) -> PlannedFit:
        """Train one network and add it to the predictor.

        Parameters
        ----------
        planned : PlannedFit
            What to train; its epochs are trained as planned.
        watch : EpochWatch
            Told about each epoch.
        time_limit : float or None
            A safety net in seconds, well above what was planned; None to never look at the clock.

        Returns
        -------
        PlannedFit
            The plan as it was carried out.

        Raises
        ------
        FitFailedError
            With the reason that AutoGluon gives.
        """
        chosen = family(planned.family)
        # Without a schedule, fewer epochs are the same as an early end.
        shortened = planned.stop_after is not None and not chosen.has_schedule
        settings = {
            **planned.settings,
            chosen.epochs_setting: planned.stop_after if shortened else planned.epochs,
            "ag_args": {"name": planned.model, "name_prefix": "", "name_suffix": ""},
            "ag_args_fit": {"num_cpus": planned.threads, "num_gpus": 1 if planned.device == "gpu" else 0},
        }
        watch.target_std = self.target_std
        watch.stop_after = planned.stop_after
        before = set(self._predictor.model_names())
        start = time.perf_counter()
        with watching(planned.family, watch):
            self._predictor.fit_extra(
                {planned.family: [settings]}, time_limit=time_limit, fit_weighted_ensemble=False, verbosity=0
            )
        if planned.model not in set(self._predictor.model_names()) - before:
            raise FitFailedError(self._reason(planned.model))
        cut = time_limit is not None and watch.epochs < planned.epochs and watch.near(start + time_limit)
        return planned.model_copy(update={"stop_after": watch.epochs if cut else planned.stop_after})

    def fit_ensemble(self) -> dict[str, float]:
        """Combine the networks by greedy selection on the validation rows.

        Returns
        -------
        dict of str to float
            The weight of each chosen network.

        References
        ----------
        Caruana et al. 2004, Ensemble Selection from Libraries of Models.
        """
        name = str(self._predictor.fit_weighted_ensemble(base_models=list(self.names), name_suffix="")[0])
        trainer = self._predictor._trainer
        weights = trainer.load_model(name)._get_model_weights()
        self._predictor.set_model_best(name, save_trainer=True)
        self._ensemble = name
        return {str(model): float(weight) for model, weight in weights.items()}

    # --- what came of it ----------------------------------------------------------------------------------------

    @property
    def ensemble_name(self) -> str:
        """AutoGluon's name of the ensemble."""
        return self._ensemble

    def validation_rmse(self, name: str) -> float:
        """Return the validation RMSE that AutoGluon measured, in target units."""
        return -float(self._predictor._trainer.get_model_attribute(model=name, attribute="val_score"))

    def finish(self) -> None:
        """Drop what only training needed, so that the predictor is as small as it can be."""
        self._predictor.delete_models(models_to_delete=[self._start], dry_run=False, allow_delete_cascade=False)

    def _pilot(self, key: str, seed: int, threads: int, batches: int) -> Speed:
        chosen = family(key)
        trainer = self._predictor._trainer
        x, y = trainer.load_X(), trainer.load_y()
        x_val, y_val = trainer.load_X_val(), trainer.load_y_val()
        few = min(len(x), max(200, batches * chosen.batch_size(self.rows)))
        few_val = max(2, len(x_val) * few // len(x))
        model_class = ag_model_registry.key_to_cls(key)
        settings = sample_settings(key, self.rows, seed) | {chosen.epochs_setting: _PILOT_EPOCHS}
        with watching(key, EpochWatch(target_std=self.target_std)) as watch, tempfile.TemporaryDirectory() as folder:
            model = model_class(
                path=folder, name="pilot", problem_type="regression", eval_metric="rmse", hyperparameters=settings
            )
            start = time.perf_counter()
            try:
                model.fit(
                    X=x.iloc[:few],
                    y=y.iloc[:few],
                    X_val=x_val.iloc[:few_val],
                    y_val=y_val.iloc[:few_val],
                    num_cpus=threads,
                    num_gpus=1 if self.gpu else 0,
                    verbosity=0,
                )
            except (RuntimeError, ValueError, TypeError, AssertionError, ImportError, MemoryError) as exc:
                raise FitFailedError(f"{type(exc).__name__}: {exc}") from exc
            took = time.perf_counter() - start
        epoch = watch.seconds_per_epoch() or took / _PILOT_EPOCHS
        fixed = max(0.0, took - watch.epochs * epoch)
        return Speed(fixed=fixed, epoch=max(1e-4, epoch * len(x) / few))

    def _reason(self, model: str) -> str:
        """Return why AutoGluon left a model out, in its own words."""
        failures = self._predictor.model_failures()
        mine = failures[failures["model"] == model] if len(failures) else failures
        if len(mine) == 0:
            return "AutoGluon left it out without a reason; the time may not have sufficed."
        last = mine.iloc[-1]
        if "TimeLimit" in str(last["exc_type"]):
            return "The time left did not suffice."
        return "{exc_type}: {exc_str}".format(**last)


def core_count() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpu_name() -> str | None:
    """Return the name of the GPU that would be used, or None where there is none."""
    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else None


def device_note(wanted: str) -> tuple[bool, str]:
    """Say whether the GPU is used, and why not where it isn't."""
    name = gpu_name()
    if wanted == "cpu":
        return False, f"Ran on the CPU ({core_count()} cores), as chosen."
    if name is None:
        return False, f"Ran on the CPU ({core_count()} cores): this machine has no GPU that PyTorch can use."
    return True, f"Ran on the GPU: {name}."


def versions() -> dict[str, str]:
    """Return the versions that a trained model depends on."""
    from importlib.metadata import version

    names: list[Any] = ["autogluon.tabular", "torch", "pandas", "numpy", "scikit-learn"]
    return {name: version(name) for name in names}
