"""What is heard of a network while it is trained, epoch by epoch, and whether it shall go on."""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from dlreg_core.array_types import Floats


@dataclass(frozen=True)
class EpochFigures:
    """What an epoch came to.

    Attributes
    ----------
    epoch : int
        Its number, from 1.
    validation : float or None
        RMSE of the validation rows after this epoch, not of the best one so far, in target units; None where it isn't
        a finite number. It is the figure by which the family chooses its best epoch. Where a transformed target is
        learned, it is an error of the target itself all the same.
    train_loss : float or None
        Mean loss of the training rows over the epoch, as the network was taught by it: with dropout, and while its
        weights were still moving. It may therefore lie above the validation error. None where no step was made, or
        where it isn't a finite number. In the units of the network's own loss, as `Family.loss` says: of a mean squared
        error of the standardised target, ``sqrt(train_loss) * target_std`` is an RMSE in target units; not so where a
        transformed target is learned.
    """

    epoch: int
    validation: float | None
    train_loss: float | None


@dataclass
class EpochWatch:
    """What is known of the training that is going on, and whether it shall go on.

    Parameters
    ----------
    on_epoch : callable, optional
        Called after each epoch with its figures.
    stop_now : callable, optional
        Asked after each epoch, once `on_epoch` has returned; the training ends there where it returns True. AutoGluon
        takes an exception in either callable for a failure of the network.
    stop_after : int, optional
        End the training after this epoch.
    target_mean, target_std : float
        Mean and standard deviation of what is learned: some families report errors of a standardised target.
    error : callable, optional
        From targets and predictions, both as they are learned, to an RMSE in the target's own unit; where a transformed
        target is learned. Families choose their best epoch by it then.
    """

    on_epoch: Callable[[EpochFigures], None] | None = None
    stop_now: Callable[[], bool] | None = None
    stop_after: int | None = None
    target_mean: float = 0.0
    target_std: float = 1.0
    error: Callable[[Floats, Floats], float] | None = None
    times: list[float] = field(default_factory=list)
    """Moments at which epochs ended, from ``time.perf_counter``."""
    validations: list[float] = field(default_factory=list)
    """Validation errors of the epochs, where a family tells them."""
    stopped: bool = False
    """Whether `stop_now` or `stop_after` ended the training before its last planned epoch."""
    _losses: list[tuple[torch.Tensor, int]] = field(default_factory=list, init=False, repr=False)

    @property
    def epochs(self) -> int:
        """Epochs that have ended."""
        return len(self.times)

    def seconds_per_epoch(self) -> float | None:
        """Return the median time between epochs' ends; None before the second one."""
        gaps = sorted(b - a for a, b in zip(self.times, self.times[1:], strict=False))
        return gaps[len(gaps) // 2] if gaps else None

    def second_half(self) -> float:
        """Return by how much the second half of the epochs has lowered the validation error; 0 where it isn't known."""
        known = self.validations
        return min(known[: len(known) // 2]) - min(known) if len(known) > 1 else 0.0

    def begun(self, validation: float) -> None:
        """Tell of the validation error that there was before the first epoch, where something was predicted already."""
        if self.on_epoch is not None:
            self.on_epoch(EpochFigures(0, _finite(validation), None))

    def stepped(self, loss: torch.Tensor, weight: int = 1) -> None:
        """Note the mean loss of a training step, which weighs more where the step had more rows."""
        # Its value stays where it is: reading it would make the processor wait for the GPU in every step.
        self._losses.append((loss.detach(), weight))

    def own_error(self, target: Any, predicted: Any, *, standardised: bool = False) -> float | None:
        """Return an RMSE in the target's own unit; None where the family's own figure is one."""
        if self.error is None:
            return None
        spread, middle = (self.target_std, self.target_mean) if standardised else (1.0, 0.0)
        pair = (as_array(values) * spread + middle for values in (target, predicted))
        return self.error(*pair)

    def passed(self, validation: float, planned: int | None) -> bool:
        """Note that an epoch of those `planned` has ended; True when the training shall end now."""
        self.times.append(time.perf_counter())
        figures = EpochFigures(self.epochs, _finite(validation), self._mean_loss())
        if figures.validation is not None:
            self.validations.append(figures.validation)
        if self.on_epoch is not None:
            self.on_epoch(figures)
        asked = self.stop_now is not None and self.stop_now()
        reached = self.stop_after is not None and self.epochs >= self.stop_after
        self.stopped = (asked or reached) and (planned is None or self.epochs < planned)
        return self.stopped

    def _mean_loss(self) -> float | None:
        if not self._losses:
            return None
        losses, weights = zip(*self._losses, strict=True)
        self._losses.clear()
        values = torch.stack(losses).tolist()
        return _finite(sum(value * weight for value, weight in zip(values, weights, strict=True)) / sum(weights))


def as_array(values: Any) -> Floats:
    """Return values of torch or NumPy as an array, wherever they are."""
    plain = values.detach().float().cpu().numpy() if isinstance(values, torch.Tensor) else values
    return np.asarray(plain, dtype=np.float64).ravel()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def own_metric(original: Callable[..., Any], watch: EpochWatch) -> Callable[..., Any]:
    """Return AutoGluon's way to a score, in the target's own unit where a transformed one is learned."""

    @functools.wraps(original)
    def compute_metric(*args: Any, **kwargs: Any) -> Any:
        error = watch.own_error(kwargs["y"], kwargs["y_pred"]) if watch.error is not None else None
        return original(*args, **kwargs) if error is None else -error

    return compute_metric
