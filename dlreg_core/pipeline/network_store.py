"""Where the networks of a run are kept: one folder each, with one fitted model for each fold that they validated on.

This module and what it imports are also what an exported model carries along.
"""

from __future__ import annotations

import json
import pickle
import shutil
import warnings
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.cleaning import AS_IT_IS, TargetTransform
from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.networks import network
from dlreg_core.pipeline.gpu_memory import predicted_in_parts
from dlreg_core.pipeline.quiet_libraries import silence_libraries
from dlreg_core.specs import Spec

if TYPE_CHECKING:
    from autogluon.core.models import AbstractModel
    from autogluon.features.generators import AbstractFeatureGenerator

_FEATURES = "features.pkl"
_VERSIONS = "versions.json"
_ABOUT = "network.json"
_HELD_OUT = "held_out.npy"


class KeptNetwork(Spec):
    """What a network on the shelf is: the content of its ``network.json``, which is written last."""

    family: str
    folds: int
    """Fitted models in its folder; its prediction is their mean."""


class NetworkStore:
    """The networks of a run, and how AutoGluon prepares cleaned rows for them.

    Parameters
    ----------
    path : Path
        Folder with ``features.pkl``, ``versions.json`` and a folder for each network.

    Raises
    ------
    ConflictError
        If its models were made with another version of AutoGluon.

    Notes
    -----
    Loading runs code that is stored in the folder. Load only folders that this program wrote, or whose hashes were
    checked against a manifest from somebody you trust.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not (path / _VERSIONS).exists():
            raise ConflictError(
                "These networks were kept by an earlier version of this program, or are not there.", "Train again."
            )
        made_with = json.loads((path / _VERSIONS).read_text(encoding="utf-8"))["autogluon.tabular"]
        here = version("autogluon.tabular")
        if made_with != here:
            raise ConflictError(
                f"These networks were made with AutoGluon {made_with}, and {here} is installed.",
                "Use the version that they were made with, or train again.",
            )
        silence_libraries()
        self._generator = _loaded(path / _FEATURES)
        self._kept: dict[str, list[AbstractModel]] = {}

    @classmethod
    def new(cls, path: Path, generator: AbstractFeatureGenerator) -> NetworkStore:
        """Make an empty shelf for rows that `generator` prepares."""
        path.mkdir(parents=True)
        _store(path / _FEATURES, generator)
        made_with = {"autogluon.tabular": version("autogluon.tabular")}
        (path / _VERSIONS).write_text(json.dumps(made_with) + "\n", encoding="utf-8")
        return cls(path)

    # --- what is there ------------------------------------------------------------------------------------------

    def folder(self, name: str) -> Path:
        """Return the folder of a network, whether it is there or not."""
        return self.path / name

    def names(self) -> tuple[str, ...]:
        """Return the complete networks, sorted by name."""
        return tuple(sorted(about.parent.name for about in self.path.glob(f"*/{_ABOUT}")))

    def about(self, name: str) -> KeptNetwork:
        """Return what a network is.

        Raises
        ------
        NotFoundError
            If there is none of that name.
        """
        try:
            return KeptNetwork.model_validate_json((self.folder(name) / _ABOUT).read_bytes())
        except FileNotFoundError as exc:
            raise NotFoundError(
                f"There is no network {name!r} here.", f"Choose from {', '.join(self.names())}."
            ) from exc

    def held_out(self, name: str) -> NDArray[np.float64]:
        """Return a network's predictions for the rows that chose, each by models that have not learned from it."""
        values: NDArray[np.float64] = np.load(self.folder(name) / _HELD_OUT)
        return values

    def size_mb(self, names: Iterable[str]) -> float:
        """Return the size of networks' files in megabytes."""
        files = (file for name in names for file in self.folder(name).rglob("*") if file.is_file())
        return sum(file.stat().st_size for file in files) / 1e6

    # --- putting on and taking off ------------------------------------------------------------------------------

    def complete(self, name: str, family: str, folds: int, held_out: NDArray[np.float64]) -> None:
        """Note that a network is complete; its models are in its folder already, as ``fold-0`` and so on."""
        np.save(self.folder(name) / _HELD_OUT, held_out)
        building = self.folder(name) / f".{_ABOUT}"
        building.write_text(KeptNetwork(family=family, folds=folds).model_dump_json() + "\n", encoding="utf-8")
        building.replace(self.folder(name) / _ABOUT)

    def sweep(self, names: Iterable[str] = ()) -> None:
        """Remove networks that are not complete, and those that are but are not among `names`, where some are given."""
        wanted = set(names) or set(self.names())
        for folder in self.path.iterdir():
            if folder.is_dir() and (folder.name not in wanted or not (folder / _ABOUT).exists()):
                shutil.rmtree(folder)

    def copy_to(self, target: Path, names: Iterable[str], *, bare: bool = False) -> None:
        """Write a copy with some of the networks; a bare one has only what predicting needs."""
        target.mkdir(parents=True)
        for name in (_FEATURES, _VERSIONS):
            shutil.copyfile(self.path / name, target / name)
        for name in names:
            ignored = shutil.ignore_patterns(_HELD_OUT) if bare else None
            shutil.copytree(self.folder(name), target / name, ignore=ignored)

    # --- predicting ---------------------------------------------------------------------------------------------

    @property
    def generator(self) -> AbstractFeatureGenerator:
        """What prepares cleaned rows for the networks."""
        return self._generator

    def prepared(self, cleaned: pd.DataFrame) -> pd.DataFrame:
        """Return cleaned rows as the networks take them."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found: pd.DataFrame = self._generator.transform(for_networks(cleaned))
        return found

    def persist(self, name: str) -> None:
        """Keep a network in memory, so that every later prediction is quick."""
        if name not in self._kept:
            self._kept[name] = self._models(name)

    def predict(self, prepared: pd.DataFrame, name: str, transform: TargetTransform = AS_IT_IS) -> NDArray[np.float64]:
        """Return a network's predictions for prepared rows: the mean of its models, in the target's own unit."""
        models = self._kept.get(name) or self._models(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            learned = [_predicted(model, prepared) for model in models]
        found = [transform.inverse(values) for values in learned]
        return np.asarray(np.mean(found, axis=0))

    def _models(self, name: str) -> list[AbstractModel]:
        # Imported here: whoever asks only what is there must not wait for AutoGluon.
        from dlreg_core.pipeline.earlier_names import know_earlier_names

        know_earlier_names()

        about = self.about(name)
        kind = network(about.family).model_class()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return [kind.load(str(fold_folder(self.folder(name), fold)), verbose=False) for fold in range(about.folds)]


def _predicted(model: AbstractModel, prepared: pd.DataFrame) -> NDArray[np.float64]:
    # A GPU may have less memory left than when the network was trained on it.
    found, _ = predicted_in_parts(lambda rows: np.asarray(model.predict(rows), dtype=np.float64).ravel(), prepared)
    return found


def fold_folder(network: Path, fold: int) -> Path:
    """Return where the model of one fold is kept."""
    return network / f"fold-{fold}"


def for_networks(frame: pd.DataFrame) -> pd.DataFrame:
    """Return cleaned rows under the names that the networks' libraries get to see.

    Some names mean something to them: fastai takes a column called ``c`` for the number of classes.
    """
    return frame.add_prefix("column ")


def _loaded(path: Path) -> Any:
    with path.open("rb") as file:
        return pickle.load(file)


def _store(path: Path, value: object) -> None:
    with path.open("wb") as file:
        pickle.dump(value, file)
