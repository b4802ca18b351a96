"""The feed-forward family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dlreg_core.networks.network_family import Cost, Family, Loss, Size
from dlreg_core.networks.setting_spec import Setting
from dlreg_core.networks.shared_settings import (
    ACTIVATION_HELP,
    BY_SIZE,
    GOAL,
    LEARNING,
    LOSS_HELP,
    NETWORK,
    OVERFITTING,
    WIDTHS_HELP,
    batch_size,
    choice,
    dropout,
    early_stopping,
    epochs,
    huber_delta,
    learning_rate,
    quantile,
    weight_decay,
)

if TYPE_CHECKING:
    from autogluon.core.models import AbstractModel

NORMALISED_ROWS = 1_500
"""Training rows from which on feed-forward networks normalise their batches: they then learn more in fewer passes, and
with fewer rows they were no better or worse for it (seven tables that aren't used to judge this program)."""

BASIC: dict[str, Any] = {
    "activation": "relu",
    "batch_norm": False,
    "embedding": "piecewise_linear",
    "dropout": 0.0,
    "weight_decay": 0.1,
    "l1": 0.0,
    "l2": 0.0,
    "early_stopping": 0,
    "loss": "mse",
    "optimizer": "adamw",
    "learning_rate": 4e-3,
    "schedule": "cosine",
    "warmup": 0.05,
}
"""What feed-forward networks do where neither a person nor the table's size says otherwise: best on the whole on six
tables of 280 to 2,100 training rows, of which none is used to judge this program."""

_SETTINGS: tuple[Setting, ...] = (
    Setting("hidden", "Hidden layers", WIDTHS_HELP, "widths", None, 1, 4096, group=NETWORK, automatic=BY_SIZE),
    choice(
        "activation", "Activation", ACTIVATION_HELP, BASIC["activation"], ("relu", "sigmoid", "tanh", "gelu", "silu")
    ),
    Setting(
        "batch_norm",
        "Batch normalisation",
        "Scale what enters each activation by its mean and spread over the rows of a step.",
        "bool",
        None,
        group=NETWORK,
        automatic=f"on from {NORMALISED_ROWS:,} training rows",
    ),
    choice(
        "embedding",
        "Numbers as inputs",
        "How a number is given to the network: as it is, in pieces between its quantiles, or as waves of learned "
        "frequencies (Gorishniy et al. 2022). Both help with relations that bend sharply.",
        BASIC["embedding"],
        ("none", "piecewise_linear", "periodic"),
    ),
    Setting(
        "linear_path",
        "Linear path",
        "A straight way from the inputs to the target beside the layers (Cheng et al. 2016), solved for by ridge "
        "regression: the layers learn what a line leaves.",
        "bool",
        None,
        group=NETWORK,
        automatic="on where a line does as well as quick boosted trees on the validation rows",
    ),
    Setting(
        "members",
        "Networks side by side",
        "How many networks of different seeds are trained together; their mean is the prediction.",
        "int",
        None,
        1,
        32,
        group=NETWORK,
        automatic=BY_SIZE,
    ),
    dropout("dropout", BASIC["dropout"]),
    weight_decay(
        "weight_decay",
        BASIC["weight_decay"],
        "With adamw, weights shrink by this part of the learning rate in each step (decoupled decay); with the other "
        "optimizers it is added to the gradient, as L2 is.",
    ),
    Setting(
        "l1",
        "L1 penalty",
        "Adds so much of the sum of all absolute weights to the loss, which draws small ones to zero.",
        "float",
        BASIC["l1"],
        0.0,
        1.0,
        group=OVERFITTING,
    ),
    Setting(
        "l2",
        "L2 penalty",
        "Adds so much of the sum of all squared weights to the loss.",
        "float",
        BASIC["l2"],
        0.0,
        1.0,
        group=OVERFITTING,
    ),
    early_stopping(BASIC["early_stopping"]),
    choice(
        "loss",
        "Loss",
        f"{LOSS_HELP}, and **quantile** (pinball loss) aims at a quantile instead of the middle. Without a choice it "
        "is mse, or huber where the target has extreme values on both sides.",
        None,
        ("mse", "mae", "huber", "quantile"),
        group=GOAL,
        automatic="from the target's extremes",
    ),
    huber_delta(),
    quantile(),
    choice(
        "optimizer",
        "Optimizer",
        "The rule by which a step follows the gradient. sgd has a momentum of 0.9, and wants a larger learning rate.",
        BASIC["optimizer"],
        ("adam", "adamw", "sgd", "rmsprop"),
        group=LEARNING,
    ),
    learning_rate(
        "learning_rate", BASIC["learning_rate"], "Length of a training step at the schedule's highest point."
    ),
    choice(
        "schedule",
        "Learning rate over time",
        "Constant, falling to zero along a cosine, or one cycle of rising (30 % of the steps) and falling.",
        BASIC["schedule"],
        ("constant", "cosine", "one_cycle"),
        group=LEARNING,
    ),
    Setting(
        "warmup",
        "Warm-up",
        "Share of the steps in which the learning rate rises from zero, before a constant or a cosine.",
        "float",
        BASIC["warmup"],
        0.0,
        0.9,
        group=LEARNING,
        only_with=("schedule", ("constant", "cosine")),
    ),
    batch_size("batch_size"),
    epochs("epochs"),
)


class _FeedForward(Family):
    """The networks of this program, which call their watch themselves."""

    def model_class(self) -> type[AbstractModel]:
        """Return the class of its networks."""
        from dlreg_core.networks.feedforward.model import FeedForwardModel

        return FeedForwardModel


FEEDFORWARD = _FeedForward(
    key="FEEDFORWARD",
    title="Feed-forward",
    summary=(
        "Plain layers of units, several networks of different seeds side by side, every setting open to choice. "
        "Quick on small tables, and the family to learn with."
    ),
    paper="Rumelhart, Hinton & Williams 1986; numbers as inputs after Gorishniy et al. 2022",
    licence="Apache-2.0",
    epochs_setting="epochs",
    batch_setting="batch_size",
    seed_setting="seed",
    fewest_epochs=5,
    enough_epochs=100,
    most_epochs=150,
    has_schedule=True,
    weight=1.5,
    sizes=(
        Size({"hidden": [64, 64], "members": 4}),
        Size({"hidden": [128, 128], "members": 8}, cost=2.5),
        Size({"hidden": [256, 256], "members": 8}, cost=6.0),
    ),
    variants=(
        {},
        {"loss": "huber"},
        {"embedding": "periodic", "batch_norm": False},
        {"activation": "silu", "dropout": 0.1},
    ),
    quantiles=True,
    from_rows=((NORMALISED_ROWS, {"batch_norm": True}),),
    heavy_tails={"loss": "huber"},
    batches=((0, 32), (1_000, 64), (4_000, 128), (20_000, 256), (100_000, 512)),
    cost=Cost(
        fixed=0.1,
        fixed_row=1e-6,
        fixed_cell=0.0,
        step=1.2e-3,
        row=6e-6,
        cell=5e-7,
        libraries_mb=100.0,
        row_kb=0.4,
        process_mb=80.0,
        table_share=1.0,
        disk_mb=0.6,
        feature_disk_mb=0.03,
    ),
    loss=Loss(setting="loss", usual="mse"),
    offered=_SETTINGS,
)
