"""Hearing of every epoch while AutoGluon trains, and ending a training after one.

AutoGluon's callbacks fire around models, not around epochs. Each family has a private place that is passed once an
epoch; for the time of a fit these are wrapped. Nothing of ours ends up in a saved model. The places belong to the
pinned version, and a test asserts that every family still passes its own.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest.mock import patch


@dataclass
class EpochWatch:
    """What is known of the training that is going on.

    Parameters
    ----------
    on_epoch : callable, optional
        Called after each epoch with its number (from 1) and the validation RMSE in target units, where known.
    stop_after : int, optional
        End the training after this epoch.
    target_std : float
        Standard deviation of the training target: some families report errors of a standardised target.
    """

    on_epoch: Callable[[int, float | None], None] | None = None
    stop_after: int | None = None
    target_std: float = 1.0
    times: list[float] = field(default_factory=list)
    """Moments at which epochs ended, from ``time.perf_counter``."""

    @property
    def epochs(self) -> int:
        """Epochs that have ended."""
        return len(self.times)

    def seconds_per_epoch(self) -> float | None:
        """Return the median time between epochs' ends; None before the second one."""
        gaps = sorted(b - a for a, b in zip(self.times, self.times[1:], strict=False))
        return gaps[len(gaps) // 2] if gaps else None

    def near(self, moment: float) -> bool:
        """Tell whether another two epochs would have reached a moment of ``time.perf_counter``."""
        return bool(self.times) and self.times[-1] + 2 * (self.seconds_per_epoch() or 0.0) >= moment

    def passed(self, validation: float | None) -> bool:
        """Note that an epoch has ended; True when the training shall end now."""
        self.times.append(time.perf_counter())
        if self.on_epoch is not None:
            self.on_epoch(self.epochs, validation)
        return self.stop_after is not None and self.epochs >= self.stop_after


@contextmanager
def watching(family: str, watch: EpochWatch) -> Iterator[EpochWatch]:
    """Report each epoch of a fit of `family` inside the block to `watch`."""
    with ExitStack() as stack:
        for target, name, wrapper in _PLACES[family]():
            stack.enter_context(patch.object(target, name, wrapper(getattr(target, name), watch)))
        yield watch


Wrapper = Callable[[Callable[..., Any], EpochWatch], Callable[..., Any]]


def _nn_torch() -> list[tuple[Any, str, Wrapper]]:
    from autogluon.tabular.models.tabular_nn.torch.tabular_nn_torch import TabularNeuralNetTorchModel

    def wrapper(original: Callable[..., Any], watch: EpochWatch) -> Callable[..., Any]:
        @functools.wraps(original)
        def score(self: Any, *args: Any, **kwargs: Any) -> Any:
            value = original(self, *args, **kwargs)
            # Only the training loop asks for a score without resetting the threads.
            if kwargs.get("_reset_threads") is False:
                watch.passed(-float(value))
            return value

        return score

    return [(TabularNeuralNetTorchModel, "score", wrapper)]


def _tabm() -> list[tuple[Any, str, Wrapper]]:
    from autogluon.tabular.models.tabm import _tabm_internal

    def wrapper(original: Callable[..., Any], watch: EpochWatch) -> Callable[..., Any]:
        @functools.wraps(original)
        def compute_metric(*args: Any, **kwargs: Any) -> Any:
            value = original(*args, **kwargs)
            watch.passed(-float(value))
            return value

        return compute_metric

    return [(_tabm_internal, "compute_metric", wrapper)]


def _fastai() -> list[tuple[Any, str, Wrapper]]:
    from autogluon.tabular.models.fastainn.callbacks import EarlyStoppingCallbackWithTimeLimit
    from fastai.callback.core import CancelFitException

    def wrapper(original: Callable[..., Any], watch: EpochWatch) -> Callable[..., Any]:
        @functools.wraps(original)
        def after_epoch(self: Any) -> Any:
            # The network learns a standardised target, and so does its validation.
            stop = watch.passed(float(self.recorder.values[-1][self.idx]) * watch.target_std)
            value = original(self)
            if stop:
                raise CancelFitException
            return value

        return after_epoch

    return [(EarlyStoppingCallbackWithTimeLimit, "after_epoch", wrapper)]


def _realmlp() -> list[tuple[Any, str, Wrapper]]:
    from pytabkit.models.training.lightning_modules import TabNNModule

    def wrapper(original: Callable[..., Any], watch: EpochWatch) -> Callable[..., Any]:
        @functools.wraps(original)
        def on_validation_epoch_end(self: Any) -> Any:
            value = original(self)
            best = next(iter(self.best_mean_val_errors.values()))[0]
            if watch.passed(float(best)):
                self.trainer.should_stop = True
            return value

        return on_validation_epoch_end

    return [(TabNNModule, "on_validation_epoch_end", wrapper)]


_PLACES: dict[str, Callable[[], list[tuple[Any, str, Wrapper]]]] = {
    "NN_TORCH": _nn_torch,
    "TABM": _tabm,
    "FASTAI": _fastai,
    "REALMLP": _realmlp,
}
