"""How the networks of a run learned: their curves in units of the target, fold by fold, each with its verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from dlreg_core.evaluation.curve_evidence import Scale
from dlreg_core.evaluation.curve_verdict import CurveVerdict, judge_curves
from dlreg_core.networks import FAMILIES, Loss
from dlreg_core.runs import EpochLine, epoch_lines
from dlreg_core.specs import Event, LeaderboardRow, TrainResult


@dataclass(frozen=True)
class NetworkCurves:
    """How one network learned.

    Attributes
    ----------
    model, family : str
        Its name, and its family's key.
    scale : {"rmse", "mae", "relative"}
        What ``training`` is: an error in target units, or the network's own loss, which only compares with itself.
    folds : DataFrame
        ``fold``, ``epoch``, ``validation`` (RMSE, target units) and ``training``, NaN where there is no figure. Epoch
        0 is what a linear path predicts before its network is taught.
    mean : DataFrame
        ``epoch``, ``validation`` and ``training``: the mean over the folds, up to the end of the shortest one. It is
        what the verdict is about.
    verdict : CurveVerdict
        What it says.
    constant : float or None
        Validation RMSE of always predicting the mean.
    """

    model: str
    family: str
    scale: Scale
    folds: pd.DataFrame
    mean: pd.DataFrame
    verdict: CurveVerdict
    constant: float | None = None

    @property
    def count(self) -> int:
        """How many folds there are."""
        return int(self.folds["fold"].nunique())


def network_curves(result: TrainResult, events: Iterable[Event]) -> dict[str, NetworkCurves]:
    """Return the curves of the networks of a run by their names, in the order of the leaderboard.

    Parameters
    ----------
    result : TrainResult
        What the run came to: only networks on its leaderboard have curves here.
    events : iterable of Event
        What happened while they were trained.
    """
    lines: dict[str, list[EpochLine]] = {}
    for line in epoch_lines(events):
        lines.setdefault(line.model, []).append(line)
    settings = {fit.model: fit.settings for fit in result.plan.fits}
    rows = [row for row in result.leaderboard if row.trained and row.role == "network" and row.model in lines]
    return {row.model: _curves(row, lines[row.model], settings.get(row.model, {}), result) for row in rows}


def training_scale(family: str, settings: Mapping[str, Any], *, transformed: bool = False) -> Scale:
    """Return what a family's training loss can be turned into.

    Parameters
    ----------
    family : str
        Its key.
    settings : mapping
        The settings of the training, in AutoGluon's words.
    transformed : bool
        Whether a transformed target was learned: the loss is no error of the target then.
    """
    losses: dict[Any, Scale] = {} if transformed else {"mse": "rmse", "mae": "mae"}
    return losses.get(_loss(family).of(settings), "relative")


def training_error(
    family: str, settings: Mapping[str, Any], loss: float, target_std: float, *, transformed: bool = False
) -> float:
    """Return a training loss as an error in target units; the loss itself where it can't be turned into one.

    Parameters
    ----------
    family, settings : str, mapping
        See `training_scale`.
    loss : float
        What the network was taught by, in the units of `dlreg_core.networks.epoch_watch.EpochFigures`.
    target_std : float
        Standard deviation of the training target.
    transformed : bool
        See `training_scale`.
    """
    scale = training_scale(family, settings, transformed=transformed)
    if scale == "relative":
        return loss
    unit = target_std if _loss(family).standardised else 1.0
    return unit * (math.sqrt(loss) if scale == "rmse" and loss >= 0 else loss)


def _loss(family: str) -> Loss:
    """Return what a family is taught by; of one that isn't installed any more, nothing that could be turned."""
    return next((known.loss for known in FAMILIES if known.key == family), Loss(usual=""))


def _curves(
    row: LeaderboardRow, lines: Sequence[EpochLine], settings: Mapping[str, Any], result: TrainResult
) -> NetworkCurves:
    transformed = result.target_transform != "none" or result.target_rescaled
    turned = partial(training_error, row.family, settings, target_std=result.target_std, transformed=transformed)
    table = pd.DataFrame(
        [
            (
                line.fold,
                line.epoch,
                line.validation,
                turned(loss=line.train_loss) if line.train_loss is not None else np.nan,
            )
            for line in lines
        ],
        columns=["fold", "epoch", "validation", "training"],
    ).astype({"validation": "float64", "training": "float64"})
    scale = training_scale(row.family, settings, transformed=transformed)
    mean, several = _mean(table), table["fold"].nunique() > 1
    # Epoch 0 is what a network predicts before it has been taught.
    before, taught = mean[mean["epoch"] == 0], mean[mean["epoch"] > 0]
    start = float(before["validation"].iloc[0]) if before["validation"].notna().any() else None
    known = [other.rmse_validation for other in result.leaderboard if other.rmse_validation is not None]
    constant = next((other.rmse_validation for other in result.leaderboard if other.family == "MEAN"), None)
    verdict = judge_curves(
        taught["validation"],
        taught["training"],
        scale=scale,
        target_std=result.target_std,
        run_best=min(known, default=None),
        constant=constant,
        # Each row is a validation row of one of the folds.
        validation_rows=result.rows.validation + (result.rows.train if several else 0),
        start=start,
    )
    return NetworkCurves(row.model, row.family, scale, table, mean, verdict, constant)


def _mean(table: pd.DataFrame) -> pd.DataFrame:
    """Return the mean over the folds of each epoch that all of them have."""
    shared = int(table.groupby("fold")["epoch"].max().min())
    epochs = table[table["epoch"] <= shared].groupby("epoch")
    # Where one fold has no figure, the others' mean would be one of other rows.
    complete = epochs.mean()[["validation", "training"]].where(
        epochs[["validation", "training"]].count() >= table["fold"].nunique()
    )
    return complete.reset_index()
