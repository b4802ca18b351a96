"""The trainings of a run, one after the other, within its budget or exactly as an earlier run made them."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Sequence

from dlreg_core.errors import TrainingError
from dlreg_core.runs.outlook import Outlook
from dlreg_core.specs import Checkpoint, FamilySpeed, FinishedFit, PlannedFit, Preset, ResolvedPlan, TrainPlan
from dlreg_core.training.allocation import (
    EXTRA_FITS,
    GRACE_SECONDS,
    Outcome,
    Proposal,
    Speed,
    first_fit,
    next_fit,
    order,
    share,
)
from dlreg_core.training.catalogue import Family, family, sample_settings
from dlreg_core.training.hooks import EpochWatch
from dlreg_core.training.networks import FitFailedError, NetworkTrainer
from dlreg_core.training.surroundings import EpochReporter, Surroundings, Trained, outcome_of

_EVENT_SECONDS = 0.3
"""Epoch events are not written more often than this."""

_MOST_EVENTS = 3_000
"""Epoch events of a whole run: their distance grows with its budget."""

_LATE_SHARE = 0.05
"""Share of the budget by which a network may be late whose schedule is nearly through."""

_MOST_THREADS = 8
_LEAST_SECONDS = 2.0
"""With fewer seconds left, a family isn't even measured."""

_PILOT_SHARE, _LEAST_PILOT_SECONDS = 0.08, 1.5
"""Share of the time left that measuring a family may take before it makes do with what it has seen."""

_SHORT = 60.0
"""With fewer seconds to train, trying out numbers of threads costs more than it gains."""


class Campaign:
    """Trains networks until the budget for it is spent.

    Parameters
    ----------
    trainer : NetworkTrainer
        Where the networks go.
    plan : TrainPlan
        What a person asked for.
    cores : int
        Processor cores that this run may use.
    surroundings : Surroundings
        What it hears and tells.
    earlier : Checkpoint, optional
        What an earlier task of the run has trained, and the trainer has taken over.
    """

    def __init__(
        self,
        trainer: NetworkTrainer,
        plan: TrainPlan,
        cores: int,
        surroundings: Surroundings,
        earlier: Checkpoint | None = None,
    ) -> None:
        self._trainer = trainer
        self._plan = plan
        self._around = surroundings
        self._left = surroundings.time_left
        self._emit = surroundings.emit
        self._cores = cores
        earlier = earlier or Checkpoint()
        self._speeds = {key: Speed(speed.fixed, speed.epoch, trainer.rows) for key, speed in earlier.speeds.items()}
        self._threads = {key: speed.threads for key, speed in earlier.speeds.items()}
        self.trained = Trained(done=list(earlier.fits))
        self._taken = len(earlier.fits)
        self._broken: set[str] = set()
        self._largest: dict[str, int] = {}
        self._began = 0.0

    def heed(self, outlook: Outlook) -> None:
        """Leave out families for which there is no memory, and keep the others to sizes for which there is some."""
        self._largest = {model.family: max(0, model.largest_size) for model in outlook.models}
        for model in outlook.models:
            if model.lacks == "memory":
                reason = f"Skipped: it {model.reason}."
                self.trained.reasons[model.family] = reason
                self._emit("model_skipped", model=model.title, reason=reason)

    def replay(self, plan: ResolvedPlan) -> Trained:
        """Train what an earlier run trained, without looking at the clock."""
        self._emit("plan", models=[fit.model for fit in plan.fits])
        for planned in plan.fits:
            if not self._enough():
                self._train(planned, expected=0.0, time_limit=None)
        return self._checked()

    def run(self) -> Trained:
        """Measure and train one family after the other, then train more where it pays, for as long as there is time."""
        for done in self.trained.done:
            self._emit("model_taken", model=done.fit.model, validation=done.validation, seconds=done.seconds)
        have = {done.fit.family for done in self.trained.done}
        left_out = have | self.trained.reasons.keys()
        keys = tuple(key for key in order([family(key).key for key in self._plan.models]) if key not in left_out)
        self._emit("plan", models=[family(key).title for key in keys])
        self._began = self._left()
        late = [key for place, key in enumerate(keys) if not self._first(key, keys[place:])]
        for place, key in enumerate(late):
            if key not in self.trained.reasons and not self._first(key, late[place:]):
                self._skip(key)
        self._go_on()
        return self._checked()

    def _enough(self) -> bool:
        """Tell whether to train nothing more: somebody said so, and there is a network to make a result of."""
        self.trained.stopped = self.trained.stopped or self._around.enough()
        return self.trained.stopped and bool(self.trained.done)

    def _go_on(self) -> None:
        """Train more of what did well; beyond what the effort asks for only while it helps."""
        errors = [self._trainer.ensemble_rmse()] if self.trained.done else []
        while not self._enough():
            proposal = next_fit(
                self._outcomes(), self._speeds, self._left(), self._effort(), taken=self._taken, errors=errors
            )
            if proposal is None:
                return
            self._forecast(proposal.seconds, more=True)
            self._carry_out(proposal)
            errors.append(self._trainer.ensemble_rmse())

    def _effort(self) -> Preset:
        """Return the effort: a person who gives a finished run more time wants more networks."""
        return "balanced" if self._taken and self._plan.preset == "fast" else self._plan.preset

    def _outcomes(self) -> list[Outcome]:
        """Return what was trained, in order, without families that can't be trained again."""
        return [outcome_of(done) for done in self.trained.done if done.fit.family not in self._broken]

    def _first(self, key: str, waiting: Sequence[str]) -> bool:
        """Train a family for the first time; False when its share doesn't suffice, or it can't be trained at all."""
        if self._enough():
            return False
        hopeless = self._left() < (_LEAST_SECONDS if self.trained.done else -GRACE_SECONDS)
        if key not in self._speeds and (hopeless or not self._measure(key)):
            return False
        if self._enough():
            return False
        speed = self._speeds[key]
        given = share(key, speed, waiting, self._left(), first=not self.trained.done)
        proposal = self._fit_within(key, given) if given is not None else None
        if proposal is None and self._around.enough():
            # Whoever says that it is enough before there is a network gets one that has seen the rows once.
            proposal = Proposal(key, 0, family(key).fewest_epochs, self._plan.seed, 0.0)
        if proposal is None:
            return False
        self._forecast(proposal.seconds, more=len(waiting) > 1)
        self._carry_out(proposal)
        return True

    def _fit_within(self, key: str, seconds: float) -> Proposal | None:
        return first_fit(key, self._speeds[key], seconds, self._plan.seed, at_most=self._largest.get(key))

    def _measure(self, key: str) -> bool:
        title = family(key).title
        self._emit("stage", name=f"Measuring how fast {title} trains")
        many = min(self._cores, _MOST_THREADS)
        threads = [1] if many == 1 or self._began < _SHORT else [1, many]
        batches = int(min(20, max(4, self._began / 6)))
        most = max(_LEAST_PILOT_SECONDS, _PILOT_SHARE * self._left())
        try:
            self._speeds[key], self._threads[key] = self._trainer.measure(
                key, self._plan.seed, threads, batches, most, self._around.enough
            )
        except FitFailedError as exc:
            self._fail(key, exc.message)
            return False
        return True

    def _carry_out(self, proposal: Proposal) -> None:
        chosen = family(proposal.key)
        planned = PlannedFit(
            model=self._free_name(chosen),
            family=proposal.key,
            settings=sample_settings(proposal.key, self._trainer.rows, proposal.seed, proposal.size),
            epochs=proposal.epochs,
            seed=proposal.seed,
            threads=self._threads[proposal.key],
            device="gpu" if self._trainer.gpu else "cpu",
        )
        # The safety net: schedules are sized to fit, so it only catches a machine that became much slower.
        limit = max(10.0, min(2.0 * proposal.seconds + 5.0, self._left()))
        if self._train(planned, expected=proposal.seconds, time_limit=limit, size=proposal.size) is None:
            # It would fail again: further repetitions of this family are pointless.
            self._broken.add(proposal.key)

    def _free_name(self, chosen: Family) -> str:
        """Return the first name of a family that no network has; one of an earlier task may have any."""
        taken = {done.fit.model for done in self.trained.done}
        names = (chosen.title if count == 1 else f"{chosen.title} {count}" for count in itertools.count(1))
        return next(name for name in names if name not in taken)

    def _train(
        self, planned: PlannedFit, expected: float, time_limit: float | None, size: int = 0
    ) -> FinishedFit | None:
        """Train one network; None where that failed."""
        start = time.perf_counter()
        self._emit(
            "model_started", model=planned.model, family=planned.family, epochs=planned.epochs, expected=expected
        )
        # A training of hours needs no line every few moments.
        reporter = EpochReporter(planned, self._emit, max(_EVENT_SECONDS, self._began / _MOST_EVENTS))
        watch = EpochWatch(on_epoch=reporter)
        watch.stop_now = self._stopper(planned, watch, time_limit)
        # AutoGluon's own limit would shorten schedules by guesses of its own; ours stops between epochs.
        longest = None if time_limit is None else 2.0 * time_limit + 60.0
        try:
            carried_out = self._trainer.fit(planned, watch, longest)
        except FitFailedError as exc:
            self._fail(planned.family, exc.message, planned.model)
            return None
        reporter.flush()
        took = time.perf_counter() - start
        self._learn_speed(planned, size, watch, took)
        enough = family(planned.family).enough_epochs
        done = FinishedFit(
            fit=carried_out,
            seconds=took,
            validation=self._trainer.validation_rmse(planned.model),
            size=size,
            trained=watch.epochs,
            converged=not watch.stopped and (watch.epochs < planned.epochs or planned.epochs >= enough),
        )
        self.trained.done.append(done)
        self._emit(
            "model_finished",
            model=planned.model,
            validation=done.validation,
            seconds=took,
            epochs_trained=watch.epochs,
        )
        self._around.keep(self._checkpoint())
        return done

    def _stopper(self, planned: PlannedFit, watch: EpochWatch, time_limit: float | None) -> Callable[[], bool]:
        """Return what tells after each epoch whether the training shall end there."""
        begun = time.monotonic()

        def stop_now() -> bool:
            if self._around.enough():
                return True
            if time_limit is None:
                return False
            late = time.monotonic() - begun - time_limit
            if late <= 0:
                return False
            # A schedule that is cut loses more than the little time that its last epochs take.
            rest = (planned.epochs - watch.epochs) * (watch.seconds_per_epoch() or math.inf)
            scheduled = family(planned.family).has_schedule
            return not (scheduled and late + rest <= _LATE_SHARE * max(self._began, 0.0))

        return stop_now

    def _learn_speed(self, planned: PlannedFit, size: int, watch: EpochWatch, took: float) -> None:
        """Replace the pilot's estimate by what the whole training showed."""
        epoch = watch.seconds_per_epoch()
        if epoch is not None:
            cost = family(planned.family).sizes[size].cost
            fixed = max(0.0, took - watch.epochs * epoch)
            self._speeds[planned.family] = Speed(fixed, max(1e-4, epoch / cost), self._trainer.rows)

    def _checkpoint(self) -> Checkpoint:
        speeds = {
            key: FamilySpeed(fixed=speed.fixed, epoch=speed.epoch, threads=self._threads.get(key, 1))
            for key, speed in self._speeds.items()
        }
        return Checkpoint(fits=tuple(self.trained.done), speeds=speeds, reasons=dict(self.trained.reasons))

    def _forecast(self, current: float, *, more: bool) -> None:
        """Tell in how many seconds the run will be over: all that is left, unless nothing follows this training."""
        left = max(0.0, self._left())
        if not more and EXTRA_FITS[self._effort()] == 0:
            left = min(left, current)
        self._emit("forecast", seconds=left + self._around.afterwards())

    def _skip(self, key: str) -> None:
        chosen = family(key)
        if key in self.trained.reasons:
            return
        if self._enough():
            reason = "Skipped: training was ended before its turn."
        elif key in self._speeds:
            needed = self._speeds[key].seconds(self._speeds[key].fewest(chosen))
            reason = (
                f"Skipped: it needs about {max(1, round(needed)):,} s to train to something useful on this table, "
                f"and {max(0, round(self._left())):,} s were left for it."
            )
        else:
            reason = f"Skipped: {max(0, round(self._left())):,} s were left for it."
        self.trained.reasons[key] = reason
        self._emit("model_skipped", model=chosen.title, reason=reason)

    def _fail(self, key: str, reason: str, model: str | None = None) -> None:
        if all(fit.family != key for fit in self.trained.fits):
            self.trained.reasons[key] = f"Failed: {reason}"
        self._emit("model_failed", model=model or family(key).title, reason=reason)

    def _checked(self) -> Trained:
        if not self.trained.done:
            why = "; ".join(f"{family(key).title}: {reason}" for key, reason in self.trained.reasons.items())
            raise TrainingError(f"No network could be trained. {why}", "Give the run more time, or fewer rows.")
        return self.trained
