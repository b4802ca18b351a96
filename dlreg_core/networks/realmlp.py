"""The RealMLP family."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from dlreg_core.networks.network_family import LARGE_TABLE, Cost, Family, Loss, Patch
from dlreg_core.networks.setting_spec import Setting
from dlreg_core.networks.shared_settings import (
    ACTIVATION_HELP,
    GOAL,
    LEARNING,
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

_WAVES = {"periodic": "pbld", "none": "none"}
_FALLS = {"cosine": "cos", "cosine_waves": "coslog4", "one_cycle": "one_cycle", "constant": "constant"}

_SETTINGS: tuple[Setting, ...] = (
    Setting("hidden", "Hidden layers", WIDTHS_HELP, "widths", [256, 256, 256], 1, 4096, target="hidden_sizes"),
    choice("activation", "Activation", ACTIVATION_HELP, "mish", ("mish", "relu", "silu", "selu"), target="act"),
    choice(
        "embedding",
        "Numbers as inputs",
        "As they are, or as waves of learned frequencies.",
        "periodic",
        ("none", "periodic"),
        translate=lambda value: {"num_emb_type": _WAVES[value]},
    ),
    dropout("p_drop", 0.15),
    weight_decay("wd", 0.02),
    early_stopping(
        0,
        translate=lambda n: {
            "use_early_stopping": n > 0,
            "early_stopping_additive_patience": n or NEVER,
            "early_stopping_multiplicative_patience": 1,
        },
    ),
    choice(
        "loss",
        "Loss",
        "**mse** makes large errors rare, **mae** is less moved by a few extreme values.",
        "mse",
        ("mse", "mae"),
        group=GOAL,
        target="train_metric_name",
    ),
    learning_rate(
        "lr", 0.2, "Length of a training step; its parts of the network are scaled, so that large values are usual."
    ),
    choice(
        "schedule",
        "Learning rate over time",
        "Several falls along a cosine, one fall, one cycle of rising and falling, or constant.",
        "cosine_waves",
        tuple(_FALLS),
        group=LEARNING,
        translate=lambda value: {"lr_sched": _FALLS[value]},
    ),
    batch_size("batch_size"),
    epochs("n_epochs"),
)


class _RealMLP(Family):
    """RealMLP, as pytabkit has it."""

    def places(self, watch: EpochWatch) -> list[Patch]:
        import torch
        from pytabkit.models.training.lightning_modules import Metrics, TabNNModule

        original_step, original_epoch = TabNNModule.training_step, TabNNModule.on_validation_epoch_end
        original_apply = Metrics.apply
        errors: list[torch.Tensor] = []

        @functools.wraps(original_step)
        def training_step(self: Any, batch: Any, batch_idx: int) -> Any:
            loss = original_step(self, batch, batch_idx)
            # The sum over the networks that are trained side by side.
            watch.stepped(loss.detach() / batch["y"].shape[0])
            return loss

        def apply(predicted: Any, target: Any, *args: Any, **kwargs: Any) -> Any:
            error = original_apply(predicted, target, *args, **kwargs)
            own = watch.own_error(target, predicted)
            error = error if own is None else torch.as_tensor(own, dtype=error.dtype)
            errors.append(error.detach())
            return error

        @functools.wraps(original_epoch)
        def on_validation_epoch_end(self: Any) -> Any:
            # The module itself keeps only the best error so far.
            errors.clear()
            value = original_epoch(self)
            if watch.passed(float(torch.stack(errors).mean()), self.progress.max_epochs):
                self.trainer.should_stop = True
            return value

        return [
            (TabNNModule, "training_step", training_step),
            (Metrics, "apply", staticmethod(apply)),
            (TabNNModule, "on_validation_epoch_end", on_validation_epoch_end),
        ]


REALMLP = _RealMLP(
    key="REALMLP",
    title="RealMLP",
    summary=(
        "A feed-forward network with a bag of tricks and defaults tuned on many tables. "
        "Among the best on medium-sized tables."
    ),
    paper="Holzmüller et al. 2024, Better by Default",
    licence="Apache-2.0",
    epochs_setting="n_epochs",
    batch_setting="batch_size",
    seed_setting="random_state",
    fewest_epochs=8,
    enough_epochs=256,
    most_epochs=256,
    has_schedule=True,
    weight=2.0,
    batches=((0, 64), (1_000, 128), (3_000, 256), (LARGE_TABLE, 512), (200_000, 1024)),
    cost=Cost(
        fixed=0.4,
        fixed_row=8.9e-5,
        fixed_cell=0.0,
        step=7.8e-3,
        row=3.8e-5,
        cell=3.9e-7,
        libraries_mb=300.0,
        row_kb=5.0,
        process_mb=2200.0,
        table_share=1.0,
        disk_mb=0.7,
        feature_disk_mb=0.005,
    ),
    loss=Loss(setting="train_metric_name"),
    # It imports torchvision through its trainer, and a torchvision of another build doesn't load.
    requirements=("autogluon.tabular[realmlp]", "torch", "torchvision"),
    preload=("pytabkit",),
    bytes_become_floats=True,
    offered=_SETTINGS,
)
