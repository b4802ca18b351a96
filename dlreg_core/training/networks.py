"""One AutoGluon predictor to which networks are added one by one, each with a plan of its own."""

from __future__ import annotations

import errno
import math
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from autogluon.common.utils.log_utils import set_logger_verbosity
from autogluon.core.metrics import root_mean_squared_error
from autogluon.core.models.greedy_ensemble.ensemble_selection import EnsembleSelection
from autogluon.core.utils.exceptions import NotEnoughCudaMemoryError, NotEnoughMemoryError
from autogluon.tabular import TabularPredictor
from autogluon.tabular.registry import ag_model_registry
from numpy.typing import NDArray

from dlreg_core.errors import TrainingError
from dlreg_core.specs import PlannedFit
from dlreg_core.training.allocation import Speed
from dlreg_core.training.catalogue import family, sample_settings
from dlreg_core.training.hooks import EpochWatch, watching
from dlreg_core.training.pipeline import for_networks, hush, load_predictor

LABEL = "__target__"
"""Name of the target inside the predictor; the names of features begin otherwise."""

_START = "Start"
_PILOT_EPOCHS = 3
_NO_SPACE = "[Errno 28]"
_TOO_LITTLE_MEMORY = "The memory did not suffice."
_NO_CHECK = {"ag.max_memory_usage_ratio": None}
"""AutoGluon would leave out networks that fit: some of its estimates count a whole process anew. What doesn't fit has
been left out before."""

_STEPS_OF_RUNNING_ENSEMBLE = 25


class FitFailedError(TrainingError):
    """One network could not be trained; the run goes on with the others."""


@dataclass(frozen=True)
class Rows:
    """What networks learn from, and what they are compared on.

    Attributes
    ----------
    features, validation : pandas.DataFrame
        Cleaned rows.
    target, validation_target : ndarray of float64
        Their targets.
    """

    features: pd.DataFrame
    target: NDArray[np.float64]
    validation: pd.DataFrame
    validation_target: NDArray[np.float64]


class NetworkTrainer:
    """Trains networks on one set of training and validation rows.

    Parameters
    ----------
    path : Path
        Where AutoGluon's predictor is kept.
    rows : Rows
        Training and validation rows.
    gpu : bool
        Whether networks are trained on the GPU.
    source : Path, optional
        The predictor of an earlier task on the same rows: its networks are taken over.
    taken : sequence of str
        Names of the networks to take over.
    snapshot : Path, optional
        What `save_state` wrote last in the earlier task, where that didn't end by itself.
    """

    def __init__(
        self,
        path: Path,
        rows: Rows,
        *,
        gpu: bool,
        source: Path | None = None,
        taken: Sequence[str] = (),
        snapshot: Path | None = None,
    ) -> None:
        self.path = path
        self.gpu = gpu
        self.rows = len(rows.features)
        self.target_std = float(np.std(rows.target))
        self._validation_target = rows.validation_target
        self._names = list(taken)
        self._ensemble = ""
        self._earlier_ensemble = ""
        set_logger_verbosity(0)
        hush()
        if source is None:
            self._predictor = _new_predictor(path, rows)
        else:
            self._predictor = self._taken_over(source, snapshot)

    def _taken_over(self, source: Path, snapshot: Path | None) -> TabularPredictor:
        # Copied, not linked: AutoGluon writes into its files, and a finished task is never changed.
        shutil.copytree(source, self.path)
        if snapshot is not None:
            shutil.copyfile(snapshot, self.path / "models" / "trainer.pkl")
        predictor = load_predictor(self.path)
        known = set(predictor.model_names())
        for folder in (self.path / "models").iterdir():
            # A network that was being written when the earlier task died.
            if folder.is_dir() and folder.name not in known:
                shutil.rmtree(folder)
        others = known - set(self._names)
        self._earlier_ensemble = next((name for name in others if name.startswith("WeightedEnsemble")), "")
        superfluous = sorted(others - {self._earlier_ensemble})
        if superfluous:
            predictor.delete_models(models_to_delete=superfluous, dry_run=False, allow_delete_cascade=False)
        return predictor

    @property
    def inputs(self) -> int:
        """How many columns the networks get, after AutoGluon has prepared them."""
        return len(self._predictor.features("transformed"))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the networks trained so far, in order."""
        return tuple(self._names)

    def save_state(self, path: Path) -> None:
        """Copy what the predictor knows of its networks to `path`, in one step; see `snapshot` of the class."""
        building = path.with_name(f".{path.name}")
        shutil.copyfile(self.path / "models" / "trainer.pkl", building)
        building.replace(path)

    # --- training -----------------------------------------------------------------------------------------------

    def measure(
        self,
        key: str,
        seed: int,
        threads: Sequence[int],
        batches: int,
        most_seconds: float = math.inf,
        stop_now: Callable[[], bool] = lambda: False,
    ) -> tuple[Speed, int]:
        """Measure how fast a family trains on this table.

        Trains the smallest network for a few epochs on the rows of `batches` steps, once for each number of threads;
        where that takes more than `most_seconds`, or `stop_now` turns true meanwhile, for as few as can be.

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
        end = time.monotonic() + most_seconds
        trials: list[tuple[int, Speed]] = []
        for n in counts:
            if not trials or not (stop_now() or time.monotonic() > end):
                trials.append((n, self._pilot(key, seed, n, batches, end, stop_now)))
        # More threads must be worth their price to the machine.
        best, speed = min(trials, key=lambda trial: trial[1].epoch * (1 if trial[0] == min(threads) else 1.15))
        return Speed(min(trial[1].fixed for trial in trials), speed.epoch, self.rows), best

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
        settings = {
            **planned.settings,
            chosen.epochs_setting: planned.epochs,
            "ag_args": {"name": planned.model, "name_prefix": "", "name_suffix": ""},
            **_NO_CHECK,
            "ag_args_fit": {"num_cpus": planned.threads, "num_gpus": 1 if planned.device == "gpu" else 0},
        }
        watch.target_std = self.target_std
        watch.stop_after = planned.stop_after
        before = set(self._predictor.model_names())
        with watching(planned.family, watch):
            self._predictor.fit_extra(
                {planned.family: [settings]}, time_limit=time_limit, fit_weighted_ensemble=False, verbosity=0
            )
        if planned.model not in set(self._predictor.model_names()) - before:
            raise self._failure(planned.model)
        self._names.append(planned.model)
        return planned.model_copy(update={"stop_after": watch.epochs if watch.stopped else planned.stop_after})

    def fit_ensemble(self, members: Sequence[str] = ()) -> dict[str, float]:
        """Combine the networks by greedy selection on the validation rows.

        Parameters
        ----------
        members : sequence of str
            The networks to choose from; all without it.

        Returns
        -------
        dict of str to float
            The weight of each chosen network.

        References
        ----------
        Caruana et al. 2004, Ensemble Selection from Libraries of Models.
        """
        name = str(self._predictor.fit_weighted_ensemble(base_models=list(members or self.names), name_suffix="")[0])
        earlier = self._earlier_ensemble
        if earlier and self.validation_rmse(earlier) < self.validation_rmse(name):
            # The greedy choice from more networks is hardly ever worse; where it is, what there was stays.
            name, superfluous = earlier, name
        else:
            superfluous = earlier
        if superfluous:
            self._predictor.delete_models(models_to_delete=[superfluous], dry_run=False, allow_delete_cascade=False)
        trainer = self._predictor._trainer
        weights = trainer.load_model(name)._get_model_weights()
        self._predictor.set_model_best(name, save_trainer=True)
        self._ensemble = name
        return {str(model): float(weight) for model, weight in weights.items()}

    @property
    def kept_earlier_ensemble(self) -> bool:
        """True when the ensemble of the earlier task was better than the new one."""
        return bool(self._ensemble) and self._ensemble == self._earlier_ensemble

    # --- what came of it ----------------------------------------------------------------------------------------

    @property
    def ensemble_name(self) -> str:
        """AutoGluon's name of the ensemble."""
        return self._ensemble

    def validation_rmse(self, name: str) -> float:
        """Return the validation RMSE that AutoGluon measured, in target units."""
        return -float(self._predictor._trainer.get_model_attribute(model=name, attribute="val_score"))

    def ensemble_rmse(self) -> float:
        """Return the validation RMSE that an ensemble of the networks so far would have, in target units.

        From the predictions that AutoGluon keeps of each network's validation rows; nothing is predicted anew.
        """
        trainer = self._predictor._trainer
        found = [trainer._load_model_y_pred_proba_val(name) for name in self.names]
        predictions = [np.asarray(values, dtype=np.float64).ravel() for values in found]
        selection = EnsembleSelection(
            ensemble_size=_STEPS_OF_RUNNING_ENSEMBLE, problem_type="regression", metric=root_mean_squared_error
        )
        selection.fit(predictions, self._validation_target)
        mixed = np.average(predictions, axis=0, weights=selection.weights_)
        return float(np.sqrt(np.mean((mixed - self._validation_target) ** 2)))

    def _pilot(
        self, key: str, seed: int, threads: int, batches: int, end: float, stop_now: Callable[[], bool]
    ) -> Speed:
        chosen = family(key)
        trainer = self._predictor._trainer
        x, y = trainer.load_X(), trainer.load_y()
        x_val, y_val = trainer.load_X_val(), trainer.load_y_val()
        few = min(len(x), max(200, batches * chosen.batch_size(self.rows)))
        few_val = max(2, len(x_val) * few // len(x))
        model_class = ag_model_registry.key_to_cls(key)
        settings = {**sample_settings(key, self.rows, seed), chosen.epochs_setting: _PILOT_EPOCHS, **_NO_CHECK}
        watch = EpochWatch(target_std=self.target_std)
        # The first epoch alone can't be told from what comes before it.
        watch.stop_now = lambda: stop_now() or (watch.epochs > 1 and time.monotonic() > end)
        with watching(key, watch), tempfile.TemporaryDirectory() as folder:
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
            except (MemoryError, NotEnoughMemoryError, NotEnoughCudaMemoryError) as exc:
                raise FitFailedError(_TOO_LITTLE_MEMORY) from exc
            except (RuntimeError, ValueError, TypeError, AssertionError, ImportError) as exc:
                raise FitFailedError(f"{type(exc).__name__}: {exc}") from exc
            took = time.perf_counter() - start
        epoch = watch.seconds_per_epoch() or took / max(1, watch.epochs)
        fixed = max(0.0, took - watch.epochs * epoch)
        return Speed(fixed, max(1e-4, epoch * len(x) / few), self.rows)

    def _failure(self, model: str) -> Exception:
        """Return why AutoGluon left a model out, in its own words."""
        failures = self._predictor.model_failures()
        mine = failures[failures["model"] == model] if len(failures) else failures
        if len(mine) == 0:
            return FitFailedError("AutoGluon left it out without a reason; the time may not have sufficed.")
        last = mine.iloc[-1]
        if _NO_SPACE in str(last["exc_str"]):
            return OSError(errno.ENOSPC, "No space left on device")
        if "Memory" in str(last["exc_type"]):
            return FitFailedError(_TOO_LITTLE_MEMORY)
        if "TimeLimit" in str(last["exc_type"]):
            return FitFailedError("The time left did not suffice.")
        return FitFailedError("{exc_type}: {exc_str}".format(**last))


def _new_predictor(path: Path, rows: Rows) -> TabularPredictor:
    predictor = TabularPredictor(
        label=LABEL, problem_type="regression", eval_metric="rmse", path=str(path), verbosity=0
    )
    # A constant model makes AutoGluon prepare its features, and nothing else.
    predictor.fit(
        for_networks(rows.features).assign(**{LABEL: rows.target}),
        tuning_data=for_networks(rows.validation).assign(**{LABEL: rows.validation_target}),
        hyperparameters={"DUMMY": [{"ag_args": {"name": _START}}]},
        fit_weighted_ensemble=False,
        feature_prune_kwargs=None,
    )
    predictor.delete_models(models_to_delete=predictor.model_names(), dry_run=False, allow_delete_cascade=False)
    return predictor


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
