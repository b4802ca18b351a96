"""What a training is given, and what comes of it."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.cleaning import AS_IT_IS, TargetTransform
from dlreg_core.networks.epoch_watch import EpochFigures

if TYPE_CHECKING:
    from autogluon.common.features.feature_metadata import FeatureMetadata


@dataclass(frozen=True)
class PreparedRows:
    """Rows as AutoGluon prepared them for the networks.

    Attributes
    ----------
    features : pandas.DataFrame
        Prepared rows, with a plain index.
    target : ndarray of float64
        Their targets, in their own unit.
    fold : ndarray of int64
        The fold in which a row validates; -1 for a row that always trains. One fold is a holdout.
    metadata : FeatureMetadata
        What AutoGluon knows of the columns.
    transform : TargetTransform
        From the target to what networks learn.
    taught : ndarray of bool, optional
        Rows that may be learned from; all of them where it is None.
    """

    features: pd.DataFrame
    target: NDArray[np.float64]
    fold: NDArray[np.int64]
    metadata: FeatureMetadata
    transform: TargetTransform = AS_IT_IS
    taught: NDArray[np.bool_] | None = None

    def teaching(self, fold: int) -> NDArray[np.bool_]:
        """Return which rows teach where a fold is held out."""
        others: NDArray[np.bool_] = self.fold != fold
        return others if self.taught is None else others & self.taught

    @property
    def learned_target(self) -> NDArray[np.float64]:
        """The targets as networks learn them."""
        return self.transform.forward(self.target)

    @property
    def folds(self) -> int:
        """How many folds there are."""
        return int(self.fold.max()) + 1

    @property
    def learned_from(self) -> int:
        """Rows that a training learns from; with folds, the fewest of them."""
        return min(int(self.teaching(fold).sum()) for fold in range(self.folds))

    def save(self, path: Path) -> None:
        """Write them for the lanes."""
        with path.open("wb") as file:
            pickle.dump(self, file, protocol=pickle.HIGHEST_PROTOCOL)

    @classmethod
    def load(cls, path: Path) -> PreparedRows:
        """Read what `save` wrote."""
        with path.open("rb") as file:
            found: PreparedRows = pickle.load(file)
        return found


@dataclass(frozen=True)
class Order:
    """A training to do.

    Attributes
    ----------
    network : str
        Name of the network.
    folder : str
        Where the network's models are kept.
    fold : int
        Which rows validate.
    family : str
        Its family.
    settings : dict
        Settings that JSON can hold, without epochs and seed.
    epochs, seed, threads : int
        As planned; each fold has a seed of its own.
    rows : int
        How many of the training rows are drawn to learn from; 0 for all of them.
    gpu : bool
        Whether it trains on the GPU.
    stop_after : int, optional
        End it after this epoch.
    until : float
        The moment (`time.monotonic`) after which it shall end with the epoch.
    late : float
        Seconds by which a training whose learning rate follows a schedule may be late, if that completes it.
    """

    network: str
    folder: str
    fold: int
    family: str
    settings: dict[str, Any]
    epochs: int
    seed: int
    threads: int
    gpu: bool
    rows: int = 0
    stop_after: int | None = None
    until: float = math.inf
    late: float = 0.0


@dataclass(frozen=True)
class PilotOrder:
    """A short training on a part of the rows, to see how fast a family trains."""

    family: str
    settings: dict[str, Any]
    batches: int
    threads: int
    gpu: bool
    seconds: float


@dataclass(frozen=True)
class Report:
    """What came of a training.

    ``held_out`` are the predictions of the fold's rows; ``epoch_seconds`` is None where one epoch alone was trained.
    ``second_half`` is by how much the second half of the epochs has lowered the error of these rows. ``fell_back`` is
    True where the processor trained it because the GPU's memory did not suffice.
    """

    held_out: NDArray[np.float64]
    epochs: int
    stopped: bool
    seconds: float
    epoch_seconds: float | None
    notes: tuple[str, ...] = ()
    second_half: float = 0.0
    fell_back: bool = False


@dataclass(frozen=True)
class Measured:
    """Seconds of a training on all rows: once, and for each epoch.

    ``fell_back`` is True where the processor was measured because the GPU's memory did not suffice.
    """

    fixed: float
    epoch: float
    fell_back: bool = False
    notes: tuple[str, ...] = ()


@dataclass
class Ears:
    """What a training hears and tells: `finish` says that it is enough, `told` takes the figures of each epoch."""

    finish: Callable[[], bool] = lambda: False
    told: Callable[[EpochFigures], None] = field(default=lambda _: None)
