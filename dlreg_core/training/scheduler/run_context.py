"""What a campaign of trainings hears and tells, and what comes of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from dlreg_core.networks.epoch_watch import EpochFigures
from dlreg_core.specs import Checkpoint, FinishedFit, PlannedFit
from dlreg_core.training.planning.allocation import Outcome


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


@dataclass
class Trained:
    """What became of the families: models that exist, and reasons for those that don't."""

    done: list[FinishedFit] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)
    """By family: why it was skipped or failed."""
    stopped: bool = False
    """True when somebody said that it was enough."""
    late: list[str] = field(default_factory=list)
    """Networks that were trained although the time was over, since there would have been none otherwise."""

    @property
    def fits(self) -> tuple[PlannedFit, ...]:
        """The networks as they were really trained."""
        return tuple(done.fit for done in self.done)

    @property
    def seconds(self) -> dict[str, float]:
        """How long each network trained."""
        return {done.fit.model: done.seconds for done in self.done}


@dataclass(frozen=True)
class Surroundings:
    """What a campaign hears and tells.

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
    """

    time_left: Callable[[], float]
    emit: Emit
    enough: Callable[[], bool] = lambda: False
    keep: Callable[[Checkpoint], None] = lambda _: None
    afterwards: Callable[[], float] = lambda: 0.0
    contexts: Callable[[], Mapping[str, dict[str, Any]]] = dict


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


def outcome_of(done: FinishedFit, folds: int = 1) -> Outcome:
    """Return what the allocation must know of a network that was trained once for each of so many folds."""
    return Outcome(
        key=done.fit.family,
        size=done.size,
        epochs=done.fit.epochs,
        seed=done.fit.seed,
        validation=done.validation,
        seconds=done.seconds / folds,
        trained=done.trained,
        converged=done.converged,
        variant=done.variant,
        rows=done.fit.rows,
        second_half=done.second_half,
    )
