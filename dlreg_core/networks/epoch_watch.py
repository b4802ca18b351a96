"""Hearing of every epoch while AutoGluon trains, and ending a training after one.

AutoGluon's callbacks fire around models, not around epochs. Each family has private places that are passed in every
step and every epoch; for the time of a fit these are wrapped. Nothing of it ends up in a saved model. The places belong
to the pinned version, and a test asserts that every family still passes its own.

A training is ended by the family's own means, its early stopping or its time limit, so that what is kept is what the
family itself would keep: the network of the best epoch so far.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

from dlreg_core.networks.feedforward import FeedForwardModel

FloatArray = NDArray[np.float64]


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
        where it isn't a finite number. In the units of the network's own loss: NN_TORCH's is the mean absolute error
        in target units; FEEDFORWARD's is the loss that was chosen, of the standardised target; FASTAI's, TABM's and
        REALMLP's is the mean squared error of the standardised target (with FASTAI clipped to a little more than its
        range, with TABM averaged over the networks inside), so that
        ``sqrt(train_loss) * target_std`` is an RMSE in target units; not so where a transformed target is learned.
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
    error: Callable[[FloatArray, FloatArray], float] | None = None
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
        pair = (_numbers(values) * spread + middle for values in (target, predicted))
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


def _numbers(values: Any) -> FloatArray:
    plain = values.detach().float().cpu().numpy() if isinstance(values, torch.Tensor) else values
    return np.asarray(plain, dtype=np.float64).ravel()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


@contextmanager
def watching(family: str, watch: EpochWatch) -> Iterator[EpochWatch]:
    """Report each epoch of a single fit of `family` inside the block to `watch`, and end the fit where it says so."""
    with ExitStack() as stack:
        for target, name, replacement in _PLACES[family](watch):
            stack.enter_context(patch.object(target, name, replacement))
        yield watch


Place = tuple[Any, str, Any]
"""Whose attribute is replaced, its name, and what it is replaced by."""


def _nn_torch(watch: EpochWatch) -> list[Place]:
    from autogluon.core.models.abstract import abstract_model
    from autogluon.core.utils.early_stopping import AdaptiveES, NoES, SimpleES
    from autogluon.tabular.models.tabular_nn.torch.tabular_nn_torch import TabularNeuralNetTorchModel
    from autogluon.tabular.models.tabular_nn.torch.torch_network_modules import EmbedNet

    original_loss, original_score = EmbedNet.compute_loss, TabularNeuralNetTorchModel.score
    validation, planned = math.nan, None

    @functools.wraps(original_loss)
    def compute_loss(self: Any, *args: Any, **kwargs: Any) -> Any:
        loss = original_loss(self, *args, **kwargs)
        watch.stepped(loss)
        return loss

    @functools.wraps(original_score)
    def score(self: Any, *args: Any, **kwargs: Any) -> Any:
        nonlocal validation, planned
        value = original_score(self, *args, **kwargs)
        # Only the training loop asks for a score without resetting the threads.
        if kwargs.get("_reset_threads") is False:
            validation, planned = -float(value), self.params.get("num_epochs")
        return value

    def updating(original: Callable[..., bool]) -> Callable[..., bool]:
        @functools.wraps(original)
        def update(self: Any, *args: Any, **kwargs: Any) -> bool:
            # Asked once an epoch, when the best network has been put by; True leaves the loop.
            own = original(self, *args, **kwargs)
            return watch.passed(validation, planned) or own

        return update

    return [
        (abstract_model, "compute_metric", _own_metric(abstract_model.compute_metric, watch)),
        (EmbedNet, "compute_loss", compute_loss),
        (TabularNeuralNetTorchModel, "score", score),
        *((strategy, "update", updating(strategy.update)) for strategy in (AdaptiveES, NoES, SimpleES)),
    ]


def _own_metric(original: Callable[..., Any], watch: EpochWatch) -> Callable[..., Any]:
    """Return AutoGluon's way to a score, in the target's own unit where a transformed one is learned."""

    @functools.wraps(original)
    def compute_metric(*args: Any, **kwargs: Any) -> Any:
        error = watch.own_error(kwargs["y"], kwargs["y_pred"]) if watch.error is not None else None
        return original(*args, **kwargs) if error is None else -error

    return compute_metric


def _tabm(watch: EpochWatch) -> list[Place]:
    from autogluon.tabular.models.tabm import _tabm_internal
    from torch.nn import functional

    original_fit = _tabm_internal.TabMImplementation.fit
    original_metric = _own_metric(_tabm_internal.compute_metric, watch)
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


def _fastai(watch: EpochWatch) -> list[Place]:
    from autogluon.tabular.models.fastainn.callbacks import EarlyStoppingCallbackWithTimeLimit
    from autogluon.tabular.models.fastainn.tabular_nn_fastai import NNFastAiTabularModel
    from fastai.callback.core import CancelFitException
    from fastai.learner import AvgSmoothLoss
    from fastai.metrics import rmse

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
            # The best epoch has been saved by the callback before this one, and is loaded when the fit is cancelled.
            raise CancelFitException
        return value

    @functools.wraps(rmse.func)
    def own_rmse(predicted: Any, *_: Any, **__: Any) -> float:
        # fastai has targets that are clipped to the range of the training ones, and predictions that aren't yet.
        standardised = _numbers(predicted)
        if not np.isfinite(standardised).all():
            return math.nan
        answered = _numbers(scaler.inverse_transform(standardised.reshape(-1, 1)))
        error = watch.own_error(held, answered)
        if error is None:
            error = float(np.sqrt(np.mean((_numbers(held) - answered) ** 2)))
        return error / unit

    return [
        (NNFastAiTabularModel, "_preprocess_train", preprocess_train),
        (rmse, "func", own_rmse),
        (AvgSmoothLoss, "accumulate", accumulate),
        (EarlyStoppingCallbackWithTimeLimit, "after_epoch", after_epoch),
    ]


def _realmlp(watch: EpochWatch) -> list[Place]:
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


def _feedforward(watch: EpochWatch) -> list[Place]:
    def begun(_: Any, validation: float) -> None:
        watch.begun(validation)

    def stepped(_: Any, loss: torch.Tensor, rows: int) -> None:
        watch.stepped(loss, rows)

    def epoch_ended(_: Any, validation: float, planned: int) -> bool:
        return watch.passed(validation, planned)

    original_error = FeedForwardModel._error

    def error(self: Any, predicted: torch.Tensor, target: torch.Tensor) -> float:
        own = watch.own_error(target, predicted, standardised=True)
        return original_error(self, predicted, target) if own is None else own

    return [
        (FeedForwardModel, "_begun", begun),
        (FeedForwardModel, "_stepped", stepped),
        (FeedForwardModel, "_epoch_ended", epoch_ended),
        (FeedForwardModel, "_error", error),
    ]


_PLACES: dict[str, Callable[[EpochWatch], list[Place]]] = {
    "FEEDFORWARD": _feedforward,
    "NN_TORCH": _nn_torch,
    "TABM": _tabm,
    "FASTAI": _fastai,
    "REALMLP": _realmlp,
}
