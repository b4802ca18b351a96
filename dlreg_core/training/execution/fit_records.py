"""What a training is given, and what comes of it."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.cleaning import AS_IT_IS, TargetTransform
from dlreg_core.networks.epoch_watch import EpochFigures
from dlreg_core.training.scheduler.fit_jobs import FoldOutcome

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
        """Write them for the processes."""
        with path.open("wb") as file:
            pickle.dump(self, file, protocol=pickle.HIGHEST_PROTOCOL)

    @classmethod
    def load(cls, path: Path) -> PreparedRows:
        """Read what `save` wrote."""
        with path.open("rb") as file:
            found: PreparedRows = pickle.load(file)
        return found


@dataclass(frozen=True)
class FoldResult:
    """What a training gives: its figures, and the network's predictions of the fold's rows in the target's unit."""

    held_out: NDArray[np.float64]
    outcome: FoldOutcome


@dataclass
class FitCallbacks:
    """What a training hears and tells: `finish` says that it is enough, `told` takes the figures of each epoch."""

    finish: Callable[[], bool] = lambda: False
    told: Callable[[EpochFigures], None] = field(default=lambda _: None)
