"""The FastAI family."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dlreg_core.networks.network_family import LARGE_TABLE, Cost, Family, Loss, Patch
from dlreg_core.networks.setting_spec import Setting
from dlreg_core.networks.shared_settings import (
    GOAL,
    NEVER,
    OVERFITTING,
    WIDTHS_HELP,
    batch_size,
    dropout,
    early_stopping,
    epochs,
    learning_rate,
)

if TYPE_CHECKING:
    from dlreg_core.networks.epoch_watch import EpochWatch

_SETTINGS: tuple[Setting, ...] = (
    Setting("hidden", "Hidden layers", WIDTHS_HELP, "widths", [200, 100], 1, 4096, target="layers"),
    dropout("ps", 0.1),
    Setting(
        "embedding_dropout",
        "Dropout of embeddings",
        "Share of what is known of the categories that each training step leaves out at random.",
        "float",
        0.1,
        0.0,
        0.9,
        group=OVERFITTING,
        target="emb_drop",
    ),
    early_stopping(20, target="early.stopping.patience", translate=lambda n: {"early.stopping.patience": n or NEVER}),
    Setting(
        "clip",
        "Stay within range",
        "Cut predictions off a little outside the range of the training target.",
        "bool",
        True,
        group=GOAL,
        target="clipping",
    ),
    learning_rate("lr", 1e-2, "Length of a training step at the highest point of the cycle."),
    batch_size("bs", "Rows of a training step; 32 for a table with no more training rows than this."),
    epochs("epochs"),
)


class _FastAI(Family):
    """AutoGluon's feed-forward network made with fastai."""

    def places(self, watch: EpochWatch) -> list[Patch]:
        import torch
        from autogluon.tabular.models.fastainn.callbacks import EarlyStoppingCallbackWithTimeLimit
        from autogluon.tabular.models.fastainn.tabular_nn_fastai import NNFastAiTabularModel
        from fastai.callback.core import CancelFitException
        from fastai.learner import AvgSmoothLoss
        from fastai.metrics import rmse

        from dlreg_core.networks.epoch_watch import as_array

        original_epoch, original_accumulate = EarlyStoppingCallbackWithTimeLimit.after_epoch, AvgSmoothLoss.accumulate
        original_rows = NNFastAiTabularModel._preprocess_train
        # Of the standardised target: the least gain that its early stopping looks for is in this unit.
        unit = watch.target_std or 1.0
        scaler: Any = None
        held: Any = None

        @functools.wraps(original_rows)
        def preprocess_train(self: Any, X: Any, y: Any, X_val: Any, y_val: Any) -> Any:  # noqa: N803
            nonlocal scaler, held
            data = original_rows(self, X, y, X_val, y_val)
            scaler, held = self.y_scaler, y_val
            return data

        @functools.wraps(original_accumulate)
        def accumulate(self: Any, learn: Any) -> Any:
            # The figure that fastai itself calls the training loss forgets only slowly what was before this epoch.
            # fastai's own kind of tensor would make the few operations on it several times as slow.
            watch.stepped(learn.loss.as_subclass(torch.Tensor))
            return original_accumulate(self, learn)

        @functools.wraps(original_epoch)
        def after_epoch(self: Any) -> Any:
            stop = watch.passed(float(self.recorder.values[-1][self.idx]) * unit, self.learn.n_epoch)
            value = original_epoch(self)
            if stop:
                # The best epoch was saved by the callback before this one, and is loaded when the fit is cancelled.
                raise CancelFitException
            return value

        @functools.wraps(rmse.func)
        def own_rmse(predicted: Any, *_: Any, **__: Any) -> float:
            # fastai has targets that are clipped to the range of the training ones, and predictions that aren't yet.
            standardised = as_array(predicted)
            if not np.isfinite(standardised).all():
                return math.nan
            answered = as_array(scaler.inverse_transform(standardised.reshape(-1, 1)))
            error = watch.own_error(held, answered)
            if error is None:
                error = float(np.sqrt(np.mean((as_array(held) - answered) ** 2)))
            return error / unit

        return [
            (NNFastAiTabularModel, "_preprocess_train", preprocess_train),
            (rmse, "func", own_rmse),
            (AvgSmoothLoss, "accumulate", accumulate),
            (EarlyStoppingCallbackWithTimeLimit, "after_epoch", after_epoch),
        ]


FASTAI = _FastAI(
    key="FASTAI",
    title="FastAI",
    summary=(
        "A plain feed-forward network with embeddings for categories, trained with one cycle of the learning rate. "
        "Quick, and a good first answer."
    ),
    paper="Howard & Gugger 2020, fastai: A Layered API for Deep Learning",
    licence="Apache-2.0",
    epochs_setting="epochs",
    batch_setting="bs",
    seed_setting="random_seed",
    fewest_epochs=4,
    enough_epochs=30,
    most_epochs=90,
    has_schedule=True,
    weight=1.0,
    quantiles=True,
    batches=((0, 32), (500, 128), (5_000, 256), (LARGE_TABLE, 512), (200_000, 1024)),
    cost=Cost(
        fixed=0.7,
        fixed_row=1.2e-5,
        fixed_cell=0.0,
        step=9.4e-3,
        row=1.0e-5,
        cell=4e-8,
        libraries_mb=80.0,
        row_kb=0.3,
        process_mb=0.0,
        table_share=1.0,
        disk_mb=0.2,
        feature_disk_mb=0.001,
    ),
    loss=Loss(),
    requirements=("autogluon.tabular[fastai]", "torch"),
    preload=("fastai.tabular.all",),
    offered=_SETTINGS,
)
