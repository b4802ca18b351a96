"""The settings of each family, as far as it really honours them, and what AutoGluon calls them.

What AutoGluon's authors leave to a table's size or to the time is left to the program here as well: such a setting has
no default but a sentence on how it is chosen.
"""

from __future__ import annotations

from dlreg_core.networks.families import BASIC, NORMALISED_ROWS
from dlreg_core.networks.setting_spec import MOST_LAYERS, Setting
from dlreg_core.networks.shared_settings import (
    ACTIVATION_HELP,
    BY_SIZE,
    GOAL,
    LEARNING,
    LOSS_HELP,
    NETWORK,
    NEVER,
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

_FEEDFORWARD = (
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

_FASTAI = (
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

_NN_TORCH = (
    Setting("layers", "Hidden layers", "How many there are.", "int", 4, 1, MOST_LAYERS, target="num_layers"),
    Setting("width", "Units in each layer", WIDTHS_HELP, "int", 256, 1, 4096, target="hidden_size"),
    choice("activation", "Activation", ACTIVATION_HELP, "relu", ("relu", "elu", "tanh")),
    Setting(
        "batch_norm",
        "Batch normalisation",
        "Scale what enters each layer by its mean and spread over the rows of a step.",
        "bool",
        False,
        target="use_batchnorm",
    ),
    dropout("dropout_prob", 0.1),
    weight_decay("weight_decay", 1e-6),
    early_stopping(None, "longer and longer", translate=lambda n: {"epochs_wo_improve": n or NEVER}),
    choice("loss", "Loss", f"{LOSS_HELP}.", "mae", ("mse", "mae", "huber"), group=GOAL, target="loss_function"),
    huber_delta(),
    choice(
        "optimizer",
        "Optimizer",
        "The rule by which a step follows the gradient; sgd wants a larger learning rate.",
        "adam",
        ("adam", "adamw", "sgd"),
        group=LEARNING,
    ),
    learning_rate("learning_rate", 1e-3),
    batch_size("batch_size"),
    epochs("num_epochs"),
)

_TABM = (
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

_WAVES = {"periodic": "pbld", "none": "none"}
_FALLS = {"cosine": "cos", "cosine_waves": "coslog4", "one_cycle": "one_cycle", "constant": "constant"}

_REALMLP = (
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

OFFERED: dict[str, tuple[Setting, ...]] = {
    "FEEDFORWARD": _FEEDFORWARD,
    "FASTAI": _FASTAI,
    "NN_TORCH": _NN_TORCH,
    "TABM": _TABM,
    "REALMLP": _REALMLP,
}
