"""The TabM family."""

from __future__ import annotations

import functools
import math
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from dlreg_core.networks.network_family import Cost, Family, Loss, Patch, Size
from dlreg_core.networks.setting_spec import MOST_LAYERS, Setting
from dlreg_core.networks.shared_settings import (
    BY_SIZE,
    NEVER,
    WIDTHS_HELP,
    batch_size,
    choice,
    dropout,
    early_stopping,
    epochs,
    learning_rate,
    weight_decay,
)

if TYPE_CHECKING:
    from dlreg_core.networks.epoch_watch import EpochWatch

WIDE_TABLE = 300
"""Columns from which on each number gets half as many inputs, without which a pass takes more than in proportion to the
columns: they no longer fit into the processor's cache."""

_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "layers",
        "Hidden layers",
        "How many there are.",
        "int",
        None,
        1,
        MOST_LAYERS,
        automatic="2, or 3 without numbers",
        target="n_blocks",
    ),
    Setting("width", "Units in each layer", WIDTHS_HELP, "int", None, 1, 4096, automatic=BY_SIZE, target="d_block"),
    Setting(
        "members",
        "Networks inside",
        "How many networks share most of their weights; their mean is the prediction.",
        "int",
        None,
        1,
        128,
        automatic=BY_SIZE,
        target="tabm_k",
    ),
    choice(
        "embedding",
        "Numbers as inputs",
        "As they are, or in pieces between their quantiles.",
        "piecewise_linear",
        ("none", "piecewise_linear"),
        translate=lambda value: {"num_emb_type": {"piecewise_linear": "pwl"}.get(value, value)},
    ),
    dropout("dropout", 0.1),
    weight_decay("weight_decay", 3e-4),
    early_stopping(16, translate=lambda n: {"patience": n or NEVER}),
    learning_rate("lr", None, automatic="from the network's size"),
    batch_size("batch_size"),
    epochs("n_epochs"),
)


class _TabM(Family):
    """AutoGluon's TabM."""

    def places(self, watch: EpochWatch) -> list[Patch]:
        import torch
        from autogluon.tabular.models.tabm import _tabm_internal
        from torch.nn import functional

        from dlreg_core.networks.epoch_watch import own_metric

        original_fit = _tabm_internal.TabMImplementation.fit
        original_metric = own_metric(_tabm_internal.compute_metric, watch)
        original_loss = functional.mse_loss
        planned = None

        @functools.wraps(original_fit)
        def fit(self: Any, *args: Any, time_to_fit_in_seconds: float | None = None, **kwargs: Any) -> Any:
            nonlocal planned
            planned = self.config.get("n_epochs")
            # The clock is only looked at where there is a limit.
            limit = math.inf if time_to_fit_in_seconds is None else time_to_fit_in_seconds
            return original_fit(self, *args, time_to_fit_in_seconds=limit, **kwargs)

        def clock() -> float:
            # Looked at between epochs: a time beyond every limit ends the training before the next one.
            return math.inf if watch.stopped else time.time()

        @functools.wraps(original_loss)
        def mse_loss(predicted: torch.Tensor, target: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
            loss = original_loss(predicted, target, *args, **kwargs)
            watch.stepped(loss, target.numel())
            return loss

        @functools.wraps(original_metric)
        def compute_metric(*args: Any, **kwargs: Any) -> Any:
            value = original_metric(*args, **kwargs)
            watch.passed(-float(value), planned)
            return value

        return [
            (_tabm_internal.TabMImplementation, "fit", fit),
            (_tabm_internal, "time", SimpleNamespace(time=clock)),
            (functional, "mse_loss", mse_loss),
            (_tabm_internal, "compute_metric", compute_metric),
        ]


TABM = _TabM(
    key="TABM",
    title="TabM",
    summary=(
        "Many small networks in one, which share most of their weights and vote. "
        "Accurate and steady, and slower to predict."
    ),
    paper="Gorishniy et al. 2025, TabM: Advancing Tabular Deep Learning with Parameter-Efficient Ensembling",
    licence="Apache-2.0",
    epochs_setting="n_epochs",
    batch_setting="batch_size",
    seed_setting="random_state",
    fewest_epochs=12,
    enough_epochs=100,
    most_epochs=200,
    has_schedule=False,
    weight=2.0,
    sizes=(
        Size({"tabm_k": 8, "d_block": 128, "lr": 3e-3}),
        Size({"tabm_k": 16, "d_block": 256, "lr": 3e-3}, cost=4.0),
        Size({"tabm_k": 32, "d_block": 512}, cost=18.0),
    ),
    variants=({}, {"dropout": 0.0}, {"layers": 3}),
    mixed_precision={"allow_amp": True},
    # What each number becomes is as wide as all other inputs together: half of it where there are very many.
    from_columns=((WIDE_TABLE, {"d_embedding": 8}),),
    # The choices of its paper.
    batches=((0, 32), (2_800, 64), (4_500, 128), (6_400, 256), (32_000, 512), (108_000, 1024)),
    cost=Cost(
        fixed=0.4,
        fixed_row=0.0,
        fixed_cell=4e-6,
        step=3.3e-3,
        row=2.6e-5,
        cell=6.1e-6,
        libraries_mb=190.0,
        row_kb=0.9,
        process_mb=1600.0,
        table_share=0.7,
        disk_mb=0.2,
        feature_disk_mb=0.015,
    ),
    loss=Loss(),
    requirements=("autogluon.tabular[tabm]", "torch"),
    offered=_SETTINGS,
)
