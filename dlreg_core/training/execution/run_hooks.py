"""What the trainings of a run hear and tell, and what comes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dlreg_core.networks.epoch_watch import EpochFigures
from dlreg_core.specs import Checkpoint, FinishedFit, PlannedFit


class Emit(Protocol):
    """Takes an event: see `dlreg_core.specs.Event` for the kinds."""

    def __call__(self, kind: str, **data: Any) -> None:
        """Take it."""


@dataclass(frozen=True)
class Budget:
    """Seconds of a run and the moment at which it began, as ``time.monotonic`` tells it."""

    began: float
    seconds: float

    def used(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    def left(self) -> float:
        """Seconds left."""
        return self.seconds - self.used()


@dataclass(frozen=True)
class Trained:
    """What became of the families: models that exist, and reasons for those that don't.

    Attributes
    ----------
    done : tuple of FinishedFit
        The networks.
    reasons : mapping of str to str
        By family: why it was skipped or failed.
    stopped : bool
        True when somebody said that it was enough.
    late : tuple of str
        Networks that were trained although the time was over, since there would have been none otherwise.
    """

    done: tuple[FinishedFit, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    stopped: bool = False
    late: tuple[str, ...] = ()

    @property
    def fits(self) -> tuple[PlannedFit, ...]:
        """The networks as they were really trained."""
        return tuple(done.fit for done in self.done)

    @property
    def seconds(self) -> dict[str, float]:
        """How long each network trained."""
        return {done.fit.model: done.seconds for done in self.done}


@dataclass(frozen=True)
class RunHooks:
    """What the trainings of a run hear and tell.

    Attributes
    ----------
    time_left : callable
        Returns the seconds that training may still take.
    enough : callable
        Returns True once somebody has said that it is enough.
    emit : Emit
        Told what happens.
    keep : callable
        Given a checkpoint whenever a network is complete.
    afterwards : callable
        Returns the seconds that the run takes after its training.
    contexts : callable
        Returns AutoGluon's settings of the pre-trained families that are ready, by family.
    clock : callable
        Returns the seconds of a steady clock, the one by which trainings look when they are to end.
    """

    time_left: Callable[[], float]
    emit: Emit
    enough: Callable[[], bool] = lambda: False
    keep: Callable[[Checkpoint], None] = lambda _: None
    afterwards: Callable[[], float] = lambda: 0.0
    contexts: Callable[[], Mapping[str, dict[str, Any]]] = dict
    clock: Callable[[], float] = time.monotonic


class EpochReporter:
    """Tells of epochs at most once in `distance` seconds; what is passed over travels with the next event."""

    def __init__(self, planned: PlannedFit, emit: Emit, distance: float, fold: int | None = None) -> None:
        self._planned = planned
        self._fold = fold
        self._emit = emit
        self._distance = distance
        self._told = 0.0
        self._waiting: list[EpochFigures] = []

    def __call__(self, figures: EpochFigures) -> None:
        """Take the figures of an epoch."""
        self._waiting.append(figures)
        if time.monotonic() - self._told >= self._distance:
            self.flush()

    def flush(self) -> None:
        """Tell of what has been passed over."""
        if not self._waiting:
            return
        *earlier, last = self._waiting
        self._waiting = []
        self._told = time.monotonic()
        passed_over = [[figures.epoch, figures.validation, figures.train_loss] for figures in earlier]
        self._emit(
            "epoch",
            model=self._planned.model,
            epoch=last.epoch,
            epochs=self._planned.epochs,
            validation=last.validation,
            train_loss=last.train_loss,
            **({"earlier": passed_over} if passed_over else {}),
            **({"fold": self._fold} if self._fold is not None else {}),
        )
