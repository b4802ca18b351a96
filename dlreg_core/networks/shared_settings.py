"""Settings that several families have, each under its own name with AutoGluon."""

from __future__ import annotations

from typing import Any

from dlreg_core.networks.setting_spec import Setting

NETWORK, OVERFITTING, LEARNING, GOAL = "Network", "Against overfitting", "Learning", "What is learned"

NEVER = 1_000_000
"""A patience that outlasts every training."""

BY_TIME = "from the time there is"
BY_ROWS = "from the row count"
BY_SIZE = "from the time there is"

ACTIVATION_HELP = "What each hidden unit does with its sum."
WIDTHS_HELP = (
    "Units in each hidden layer, from the first to the last. More can learn more, and take more time and rows."
)
DROPOUT_HELP = "Share of the hidden units that each training step leaves out at random."
DECAY_HELP = "How strongly weights are drawn towards zero in each step."
STOPPING_HELP = (
    "End the training after so many epochs without a better validation error; 0 trains all epochs. The best epoch is "
    "kept in any case."
)


def epochs(target: str, most: int = 10_000) -> Setting:
    """Return the number of passes."""
    help_ = "Passes over all training rows. A number chosen here holds even where it takes longer than planned."
    return Setting("epochs", "Epochs", help_, "int", None, 1, most, group=LEARNING, automatic=BY_TIME, target=target)


def batch_size(
    target: str, help_: str = "Rows of a training step. Small ones learn more a pass, large ones are quicker."
) -> Setting:
    """Return the rows of a training step."""
    return Setting(
        "batch_size",
        "Batch size",
        help_,
        "int",
        None,
        8,
        65_536,
        group=LEARNING,
        logarithmic=True,
        automatic=BY_ROWS,
        target=target,
    )


def learning_rate(
    target: str, default: float | None, help_: str = "Length of a training step.", automatic: str = ""
) -> Setting:
    """Return the length of a training step."""
    return Setting(
        "learning_rate",
        "Learning rate",
        help_,
        "float",
        default,
        1e-6,
        1.0,
        group=LEARNING,
        logarithmic=True,
        automatic=automatic,
        target=target,
    )


def dropout(target: str, default: float) -> Setting:
    """Return the share of hidden units that a step leaves out."""
    return Setting("dropout", "Dropout", DROPOUT_HELP, "float", default, 0.0, 0.9, group=OVERFITTING, target=target)


def weight_decay(target: str, default: float, help_: str = DECAY_HELP) -> Setting:
    """Return how strongly weights are drawn to zero."""
    return Setting("weight_decay", "Weight decay", help_, "float", default, 0.0, 1.0, group=OVERFITTING, target=target)


def early_stopping(default: int | None, automatic: str = "", **how: Any) -> Setting:
    """Return the patience in epochs."""
    return Setting(
        "early_stopping",
        "Early stopping",
        STOPPING_HELP,
        "int",
        default,
        0,
        10_000,
        group=OVERFITTING,
        automatic=automatic,
        **how,
    )


def choice(name: str, title: str, help_: str, default: str | None, choices: tuple[str, ...], **how: Any) -> Setting:
    """Return one of several words."""
    return Setting(name, title, help_, "choice", default, choices=choices, **{"group": NETWORK, **how})


def quantile() -> Setting:
    """Return the quantile of the pinball loss."""
    help_ = "The share of rows whose target shall lie below the prediction: 0.5 aims at the median."
    return Setting(
        "quantile",
        "Quantile",
        help_,
        "float",
        0.5,
        0.01,
        0.99,
        group=GOAL,
        only_with=("loss", ("quantile",)),
        translate=lambda value: {"quantile": value},
    )


def huber_delta() -> Setting:
    """Return the error from which on Huber's loss grows linearly."""
    help_ = "Errors above it, in the target's unit, count linearly, and smaller ones squared."
    return Setting(
        "huber_delta",
        "Huber's delta",
        help_,
        "float",
        None,
        1e-9,
        1e12,
        group=GOAL,
        logarithmic=True,
        automatic="one standard deviation of the target",
        only_with=("loss", ("huber",)),
    )


LOSS_HELP = (
    "**mse** makes large errors rare, **mae** is less moved by a few extreme values, **huber** lies between the two"
)
