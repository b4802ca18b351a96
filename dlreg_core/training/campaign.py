"""The trainings of a run, one after the other, within its budget or exactly as an earlier run made them."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from dlreg_core.errors import TrainingError
from dlreg_core.specs import PlannedFit, ResolvedPlan, TrainPlan
from dlreg_core.training.allocation import GRACE_SECONDS, Outcome, Proposal, Speed, first_fit, next_fit, order, share
from dlreg_core.training.catalogue import family, sample_settings
from dlreg_core.training.hooks import EpochWatch
from dlreg_core.training.networks import FitFailedError, NetworkTrainer

_EVENT_SECONDS = 0.3
"""Epoch events are not written more often than this."""

_MOST_THREADS = 8
_LEAST_SECONDS = 2.0
"""With fewer seconds left, a family isn't even measured."""

_SHORT = 60.0
"""With fewer seconds to train, trying out numbers of threads costs more than it gains."""


class Emit(Protocol):
    """Takes an event: see `dlreg_core.specs.Event` for the kinds."""

    def __call__(self, kind: str, **data: Any) -> None:
        """Take it."""


@dataclass(frozen=True)
class Budget:
    """Seconds of a run and the moment at which it began, as ``time.time`` tells it."""

    began: float
    seconds: float

    def used(self) -> float:
        """Seconds since the run began."""
        return time.time() - self.began

    def left(self) -> float:
        """Seconds left."""
        return self.seconds - self.used()


@dataclass
class Trained:
    """What became of the families: models that exist, and reasons for those that don't."""

    fits: list[PlannedFit] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    """By family: why it was skipped or failed."""


class Campaign:
    """Trains networks until the budget for it is spent.

    Parameters
    ----------
    trainer : NetworkTrainer
        Where the networks go.
    plan : TrainPlan
        What a person asked for.
    time_left : callable
        Returns the seconds that training may still take.
    cores : int
        Processor cores that this run may use.
    emit : Emit
        Told what happens.
    """

    def __init__(
        self, trainer: NetworkTrainer, plan: TrainPlan, time_left: Callable[[], float], cores: int, emit: Emit
    ) -> None:
        self._trainer = trainer
        self._plan = plan
        self._left = time_left
        self._cores = cores
        self._emit = emit
        self._speeds: dict[str, Speed] = {}
        self._threads: dict[str, int] = {}
        self._done: list[Outcome] = []
        self._began = 0.0
        self.trained = Trained()

    def replay(self, plan: ResolvedPlan) -> Trained:
        """Train what an earlier run trained, without looking at the clock."""
        self._emit("plan", models=[fit.model for fit in plan.fits])
        for planned in plan.fits:
            self._train(planned, expected=0.0, time_limit=None)
        return self._checked()

    def run(self) -> Trained:
        """Measure and train one family after the other, then train more where it pays, for as long as there is time."""
        keys = order([family(key).key for key in self._plan.models])
        self._emit("plan", models=[family(key).title for key in keys])
        self._began = self._left()
        late = [key for place, key in enumerate(keys) if not self._first(key, keys[place:])]
        for place, key in enumerate(late):
            if key not in self.trained.reasons and not self._first(key, late[place:]):
                self._skip(key)
        while (proposal := next_fit(self._done, self._speeds, self._left(), self._plan.preset)) is not None:
            self._carry_out(proposal)
        return self._checked()

    def _first(self, key: str, waiting: Sequence[str]) -> bool:
        """Train a family for the first time; False when its share doesn't suffice, or it can't be trained at all."""
        hopeless = self._left() < (_LEAST_SECONDS if self._done else -GRACE_SECONDS)
        if key not in self._speeds and (hopeless or not self._measure(key)):
            return False
        speed = self._speeds[key]
        given = share(key, speed, waiting, self._left(), first=not self._done)
        proposal = first_fit(key, speed, given, self._plan.seed) if given is not None else None
        if proposal is None:
            return False
        self._carry_out(proposal)
        return True

    def _measure(self, key: str) -> bool:
        title = family(key).title
        self._emit("stage", name=f"Measuring how fast {title} trains")
        many = min(self._cores, _MOST_THREADS)
        threads = [1] if many == 1 or self._began < _SHORT else [1, many]
        batches = int(min(20, max(4, self._began / 6)))
        try:
            self._speeds[key], self._threads[key] = self._trainer.measure(key, self._plan.seed, threads, batches)
        except FitFailedError as exc:
            self._fail(key, exc.message)
            return False
        return True

    def _carry_out(self, proposal: Proposal) -> None:
        chosen = family(proposal.key)
        count = 1 + sum(outcome.key == proposal.key for outcome in self._done)
        planned = PlannedFit(
            model=chosen.title if count == 1 else f"{chosen.title} {count}",
            family=proposal.key,
            settings=sample_settings(proposal.key, self._trainer.rows, proposal.seed, proposal.size),
            epochs=proposal.epochs,
            seed=proposal.seed,
            threads=self._threads[proposal.key],
            device="gpu" if self._trainer.gpu else "cpu",
        )
        # The safety net: schedules are sized to fit, so it only catches a machine that became much slower.
        limit = max(10.0, min(2.0 * proposal.seconds + 5.0, self._left()))
        watch = self._train(planned, expected=proposal.seconds, time_limit=limit)
        took = self.trained.seconds.get(planned.model)
        if watch is None or took is None:
            # It would fail again: further repetitions of this family are pointless.
            self._done = [outcome for outcome in self._done if outcome.key != proposal.key]
            return
        self._learn_speed(proposal, watch, took)
        self._done.append(
            Outcome(
                key=proposal.key,
                size=proposal.size,
                epochs=proposal.epochs,
                seed=proposal.seed,
                validation=self._trainer.validation_rmse(planned.model),
                seconds=took,
                trained=watch.epochs,
                converged=watch.epochs < proposal.epochs or proposal.epochs >= chosen.enough_epochs,
            )
        )

    def _train(self, planned: PlannedFit, expected: float, time_limit: float | None) -> EpochWatch | None:
        """Train one network; None where that failed."""
        start = time.perf_counter()
        self._emit(
            "model_started", model=planned.model, family=planned.family, epochs=planned.epochs, expected=expected
        )
        watch = EpochWatch(on_epoch=self._epoch_reporter(planned))
        try:
            carried_out = self._trainer.fit(planned, watch, time_limit)
        except FitFailedError as exc:
            self._fail(planned.family, exc.message, planned.model)
            return None
        took = time.perf_counter() - start
        self.trained.fits.append(carried_out)
        self.trained.seconds[planned.model] = took
        validation = self._trainer.validation_rmse(planned.model)
        self._emit(
            "model_finished", model=planned.model, validation=validation, seconds=took, epochs_trained=watch.epochs
        )
        return watch

    def _epoch_reporter(self, planned: PlannedFit) -> Callable[[int, float | None], None]:
        last = 0.0

        def report(epoch: int, validation: float | None) -> None:
            nonlocal last
            if time.monotonic() - last >= _EVENT_SECONDS or epoch == planned.epochs:
                last = time.monotonic()
                self._emit("epoch", model=planned.model, epoch=epoch, epochs=planned.epochs, validation=validation)

        return report

    def _learn_speed(self, proposal: Proposal, watch: EpochWatch, took: float) -> None:
        """Replace the pilot's estimate by what the whole training showed."""
        epoch = watch.seconds_per_epoch()
        if epoch is not None:
            cost = family(proposal.key).sizes[proposal.size].cost
            fixed = max(0.0, took - watch.epochs * epoch)
            self._speeds[proposal.key] = Speed(fixed=fixed, epoch=max(1e-4, epoch / cost))

    def _skip(self, key: str) -> None:
        chosen = family(key)
        if key in self.trained.reasons:
            return
        if key in self._speeds:
            needed = self._speeds[key].seconds(chosen.fewest_epochs)
            needs = f"it needs about {max(1, round(needed)):,} s to train to something useful on this table, and "
        else:
            needs = ""
        reason = f"Skipped: {needs}{max(0, round(self._left())):,} s were left for it."
        self.trained.reasons[key] = reason
        self._emit("model_skipped", model=chosen.title, reason=reason)

    def _fail(self, key: str, reason: str, model: str | None = None) -> None:
        if all(fit.family != key for fit in self.trained.fits):
            self.trained.reasons[key] = f"Failed: {reason}"
        self._emit("model_failed", model=model or family(key).title, reason=reason)

    def _checked(self) -> Trained:
        if not self.trained.fits:
            why = "; ".join(f"{family(key).title}: {reason}" for key, reason in self.trained.reasons.items())
            raise TrainingError(f"No network could be trained. {why}", "Give the run more time, or fewer rows.")
        return self.trained
