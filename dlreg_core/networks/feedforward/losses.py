"""What a network is taught to make small, and the penalties that keep its weights small."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch.nn import functional

LossFunction = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""From predictions and targets, both of the standardised target, to the loss of each row."""


def loss_of(name: str, *, target_std: float, huber_delta: float, quantile: float) -> LossFunction:
    """Return the loss of each row of a standardised target.

    Parameters
    ----------
    name : {"mse", "mae", "huber", "quantile"}
        Squared error, absolute error, Huber's loss (1964) or the pinball loss (Koenker & Bassett 1978).
    target_std : float
        Standard deviation of the training target.
    huber_delta : float
        Error in target units from which on Huber's loss grows linearly.
    quantile : float
        The quantile that the pinball loss aims at.
    """
    delta = huber_delta / target_std

    def mse(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return functional.mse_loss(predicted, target, reduction="none")

    def mae(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return functional.l1_loss(predicted, target, reduction="none")

    def huber(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return functional.huber_loss(predicted, target, reduction="none", delta=delta)

    def pinball(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        error = target - predicted
        return torch.maximum(quantile * error, (quantile - 1) * error)

    losses: dict[str, LossFunction] = {"mse": mse, "mae": mae, "huber": huber, "quantile": pinball}
    return losses[name]


def penalty(weights: Iterable[torch.Tensor], l1: float, l2: float) -> torch.Tensor | float:
    """Return ``l1`` times the sum of the absolute weights plus ``l2`` times the sum of their squares."""
    total: torch.Tensor | float = 0.0
    for weight in weights:
        if l1:
            total = total + l1 * weight.abs().sum()
        if l2:
            total = total + l2 * weight.square().sum()
    return total
