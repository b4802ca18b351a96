"""The networks of a run: their rows, the shelf that they are kept on, and what they make of rows held out."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from autogluon.common.utils.log_utils import set_logger_verbosity
from autogluon.features.generators import AutoMLPipelineFeatureGenerator
from numpy.typing import NDArray

from dlreg_core.cleaning import AS_IT_IS, TargetTransform
from dlreg_core.networks import network
from dlreg_core.pipeline import silence_libraries
from dlreg_core.pipeline.network_store import NetworkStore, for_networks
from dlreg_core.specs import PlannedFit
from dlreg_core.training import ensemble
from dlreg_core.training.execution.fit_records import FoldResult, PreparedRows

_ROWS_FILE = "rows.pkl"


@dataclass(frozen=True)
class NetworkRows:
    """What networks learn from, and what they are compared on.

    Attributes
    ----------
    features, validation : pandas.DataFrame
        Cleaned rows.
    target, validation_target : ndarray of float64
        Their targets, in their own unit.
    folds : ndarray of int64, optional
        The fold in which each row of `features` validates; then there are no other validation rows.
    transform : TargetTransform
        From the target to what networks learn.
    outlying : ndarray of bool, optional
        Rows of `features` that teach nothing; with folds they choose all the same.
    """

    features: pd.DataFrame
    target: NDArray[np.float64]
    validation: pd.DataFrame
    validation_target: NDArray[np.float64]
    folds: NDArray[np.int64] | None = None
    transform: TargetTransform = AS_IT_IS
    outlying: NDArray[np.bool_] | None = None

    @property
    def taught(self) -> NDArray[np.bool_]:
        """Which rows of `features` teach."""
        return np.ones(len(self.features), dtype=bool) if self.outlying is None else ~self.outlying

    @property
    def choosing_target(self) -> NDArray[np.float64]:
        """Targets of the rows that networks are compared on."""
        return self.validation_target if self.folds is None else self.target


class Networks:
    """The networks of one run on one set of rows.

    Parameters
    ----------
    path : Path
        A new folder for their shelf; what only the training needs is kept beside it until `close`.
    rows : NetworkRows
        What they learn from.
    source : Path, optional
        The shelf of an earlier task on the same rows: its networks are taken over.
    taken : sequence of str
        Names of the networks to take over.
    """

    def __init__(self, path: Path, rows: NetworkRows, *, source: Path | None = None, taken: Sequence[str] = ()) -> None:
        set_logger_verbosity(0)
        silence_libraries()
        self.target = rows.choosing_target
        self._scratch = path.with_name("scratch")
        self._scratch.mkdir(parents=True, exist_ok=True)
        if source is None:
            self.shelf = NetworkStore.new(path, _fitted_generator(rows.features))
        else:
            # Copied, not linked: a finished task is never changed.
            NetworkStore(source).copy_to(path, taken)
            self.shelf = NetworkStore(path)
        self.prepared = self._prepare(rows)
        self.rows_file = self._scratch / _ROWS_FILE
        self.prepared.save(self.rows_file)
        self._names = list(taken)
        self._held_out = {name: self.shelf.held_out(name) for name in taken}

    def _prepare(self, rows: NetworkRows) -> PreparedRows:
        cleaned = rows.features if rows.folds is not None else pd.concat([rows.features, rows.validation])
        prepared = self.shelf.prepared(cleaned.reset_index(drop=True))
        if rows.folds is not None:
            target, fold = rows.target, rows.folds
        else:
            target = np.concatenate([rows.target, rows.validation_target])
            fold = np.repeat([-1, 0], [len(rows.target), len(rows.validation_target)])
        return PreparedRows(
            features=prepared,
            target=target,
            fold=fold.astype(np.int64),
            metadata=self.shelf.generator.feature_metadata,
            transform=rows.transform,
            taught=np.concatenate([rows.taught, np.ones(len(fold) - len(rows.features), dtype=bool)]),
        )

    @property
    def rows(self) -> int:
        """Rows that a training learns from."""
        return self.prepared.learned_from

    @property
    def columns(self) -> int:
        """Columns that a training learns from."""
        return self.prepared.features.shape[1]

    @property
    def folds(self) -> int:
        """How often a network is trained: once for each fold."""
        return self.prepared.folds

    @property
    def inputs(self) -> int:
        """How many columns the networks get, after AutoGluon has prepared them."""
        return int(self.prepared.features.shape[1])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the complete networks, in the order in which they were completed."""
        return tuple(self._names)

    @property
    def held_out(self) -> Mapping[str, NDArray[np.float64]]:
        """Each network's predictions for the rows that choose; see `target`."""
        return self._held_out

    def folder(self, name: str) -> Path:
        """Return where a network is kept."""
        return self.shelf.folder(name)

    def complete(self, name: str, family: str, results: Mapping[int, FoldResult]) -> float:
        """Put a network on the shelf whose folds have all been trained; return its validation RMSE."""
        fold = self.prepared.fold
        found = np.full(len(fold), np.nan)
        for number, result in results.items():
            found[fold == number] = result.held_out
        chosen = found[fold >= 0]
        if not np.isfinite(chosen).all():
            shutil.rmtree(self.folder(name), ignore_errors=True)
            raise ValueError("its predictions are not finite")
        self.shelf.complete(name, family, self.folds, chosen)
        self._names.append(name)
        self._held_out[name] = chosen
        return self.validation_rmse(name)

    def race(self, results: Mapping[int, FoldResult]) -> tuple[float, float, int]:
        """Compare a network that is trained for some of its folds with the best complete one, on the same rows.

        Returns
        -------
        tuple
            RMSE of the network, of the best other one, and how many rows that were.
        """
        fold = self.prepared.fold[self.prepared.fold >= 0]
        seen = np.isin(fold, list(results))
        found = np.full(len(fold), np.nan)
        for number, result in results.items():
            found[fold == number] = result.held_out
        target = self.target[seen]
        best = min(ensemble.rmse(values[seen], target) for values in self._held_out.values())
        return ensemble.rmse(found[seen], target), best, int(seen.sum())

    def validation_rmse(self, name: str) -> float:
        """Return the RMSE of a network on rows that it didn't learn from, in the target's unit."""
        return ensemble.rmse(self._held_out[name], self.target)

    def ensemble_rmse(self) -> float:
        """Return the RMSE of an ensemble of the networks so far, on rows that didn't choose its weights."""
        return ensemble.honest_rmse(self._held_out, self.target)

    def close(self) -> None:
        """Remove what only the training needs, and networks that were not completed."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self.shelf.sweep(self._names)


def _fitted_generator(features: pd.DataFrame) -> AutoMLPipelineFeatureGenerator:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        generator = AutoMLPipelineFeatureGenerator(verbosity=0)
        generator.fit_transform(for_networks(features.reset_index(drop=True)))
    return generator


def core_count() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def gpu_name() -> str | None:
    """Return the name of the GPU that would be used, or None where there is none."""
    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else None


def gpu_free_mb() -> float:
    """Return the free memory of the GPU that would be used, in MB; 0 where there is none."""
    return float(torch.cuda.mem_get_info()[0]) / 1e6 if torch.cuda.is_available() else 0.0


def device_note(wanted: str, listed: Sequence[str] = ()) -> tuple[bool, str]:
    """Say whether there is a GPU to train on, and why none is used where it is so. See `used_note` for the result.

    Parameters
    ----------
    wanted : {"auto", "cpu", "gpu"}
        What a person chose.
    listed : sequence of str
        Names of the GPUs that the machine's driver knows, whether they may be used or not.
    """
    name = gpu_name()
    on_cpu = _on_cpu()
    if wanted == "cpu":
        return False, f"{on_cpu}, as chosen."
    if name is not None:
        return True, f"Trains on the GPU {name}{', where that is faster' if wanted == 'auto' else ''}."
    if not listed:
        return False, f"{on_cpu}: this machine has no GPU that PyTorch can use."
    theirs = f"this machine's GPU ({listed[0]})" if len(listed) == 1 else f"this machine's {len(listed)} GPUs"
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0").strip() in {"", "-1"}:
        return False, f"{on_cpu}: {theirs} may not be used, as CUDA_VISIBLE_DEVICES is set to none."
    made_for = f"is made for CUDA {torch.version.cuda}" if torch.version.cuda else "is made for processors only"
    reason = f"PyTorch {torch.__version__.partition('+')[0]}, which {made_for}, can't use {theirs} with its driver"
    return False, f"{on_cpu}: {reason}."


def used_note(fits: Sequence[PlannedFit], gpu: str) -> str:
    """Say on what the networks of a run that has a GPU were really trained, and why not on it.

    Parameters
    ----------
    fits : sequence of PlannedFit
        Its networks, as they were carried out.
    gpu : str
        Name of the GPU.
    """
    elsewhere = [fit for fit in fits if fit.device == "cpu"]
    if not elsewhere:
        return f"Ran on the GPU: {gpu}."
    lacking = [fit for fit in elsewhere if fit.fell_back]
    if len(elsewhere) == len(fits):
        if not lacking:
            return f"{_on_cpu()}: on this table every network trained faster there than on the GPU {gpu}."
        if len(lacking) == len(fits):
            return f"{_on_cpu()}: the memory of the GPU {gpu} did not suffice for any network."
        return f"{_on_cpu()}: every network trained faster there than on the GPU {gpu}, or its memory did not suffice."
    why = "its memory did not suffice" if lacking else "it was faster"
    if lacking and len(lacking) < len(elsewhere):
        why = "it was faster or the GPU's memory did not suffice"
    titles = dict.fromkeys(network(fit.family).title for fit in elsewhere)
    return f"Ran on the GPU {gpu} and, where {why}, on the CPU: {', '.join(titles)}."


def _on_cpu() -> str:
    cores = core_count()
    return f"Ran on the CPU ({cores} core{'' if cores == 1 else 's'})"


def versions() -> dict[str, str]:
    """Return the versions that a trained model depends on."""
    from importlib.metadata import version

    names: list[Any] = ["autogluon.tabular", "torch", "pandas", "numpy", "scikit-learn"]
    return {name: version(name) for name in names}
