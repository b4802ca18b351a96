"""The trainings of a run, side by side on its lanes, within its budget or exactly as an earlier run made them."""

from __future__ import annotations

import math
import time

from dlreg_core.formatting import percent
from dlreg_core.networks import family, is_pretrained, network
from dlreg_core.runs.expectations import Outlook
from dlreg_core.specs import Checkpoint, PlannedFit, ResolvedPlan, TrainPlan
from dlreg_core.training.execution.fit_records import Measured, Order, PilotOrder, Report
from dlreg_core.training.execution.process_pool import LaneDiedError, Lanes, Told
from dlreg_core.training.execution.run_networks import Networks
from dlreg_core.training.planning.allocation import Proposal, has_lost, order
from dlreg_core.training.scheduler.choose_next import Rounds
from dlreg_core.training.scheduler.fit_queue import Fleet
from dlreg_core.training.scheduler.measured_speeds import Speeds
from dlreg_core.training.scheduler.network_progress import NetworkUnderWay
from dlreg_core.training.scheduler.run_context import EpochReporter, Surroundings, Trained
from dlreg_core.training.scheduler.search_trials import Trials

_EVENT_SECONDS = 0.3
"""Epoch events of a training are not written more often than this."""

_MOST_EVENTS = 3_000
"""Epoch events of a whole run: their distance grows with its budget."""

_LOOK_SECONDS = 0.2


class Campaign:
    """Trains networks until the budget for it is spent.

    Parameters
    ----------
    networks : Networks
        Where the networks go.
    lanes : Lanes
        Where they are trained.
    plan : TrainPlan
        What a person asked for.
    threads : int
        Processor threads of a lane.
    surroundings : Surroundings
        What it hears and tells.
    gpu : bool
        Whether there is a GPU to train on.
    earlier : Checkpoint, optional
        What an earlier task of the run has trained, and `networks` has taken over.
    """

    def __init__(
        self,
        networks: Networks,
        lanes: Lanes,
        plan: TrainPlan,
        surroundings: Surroundings,
        *,
        threads: int = 1,
        gpu: bool = False,
        earlier: Checkpoint | None = None,
    ) -> None:
        self._networks = networks
        self._lanes = lanes
        self._plan = plan
        self._around = surroundings
        self._gpu = gpu
        self._left = surroundings.time_left
        self._emit = surroundings.emit
        earlier = earlier or Checkpoint()
        self.trained = Trained(done=list(earlier.fits))
        self._trials = Trials(plan, self.trained.done, earlier.failed_trials)
        self._speeds = Speeds(
            networks.rows, gpu=gpu, choose=plan.device == "auto", earlier=earlier.speeds, lanes=len(lanes)
        )
        names = [done.fit.model for done in earlier.fits]
        self._fleet = Fleet(plan, networks, len(lanes), threads, self._speeds, self._trials, surroundings, names)
        self._died: set[str] = set()
        self._rounds = Rounds(self._fleet, self.trained, surroundings, self._skip, gpu=gpu)

    def heed(self, outlook: Outlook) -> None:
        """Leave out families for which there is no memory, and keep the others to sizes for which there is some."""
        self._rounds.largest = {model.family: max(0, model.largest_size) for model in outlook.models}
        for model in outlook.models:
            if model.lacks == "memory":
                reason = f"Skipped: it {model.reason}."
                self.trained.reasons[model.family] = reason
                self._emit("model_skipped", model=model.title, reason=reason)

    def replay(self, plan: ResolvedPlan) -> Trained:
        """Train what an earlier run trained, without looking at the clock."""
        self._emit("plan", models=[fit.model for fit in plan.fits])
        for planned in plan.fits:
            # A machine without a GPU repeats what another one has trained there as well as it can.
            here = planned if self._gpu else planned.model_copy(update={"device": "cpu"})
            self._fleet.begin(Proposal(planned.family, 0, planned.epochs, planned.seed, 0.0), here)
        self._fleet.timeless = True
        self._work_on()
        names = [fit.model for fit in plan.fits]
        self.trained.done.sort(key=lambda done: names.index(done.fit.model))
        return self._checked()

    def run(self) -> Trained:
        """Measure and train one family after the other, then train more where it pays, for as long as there is time."""
        for done in self.trained.done:
            self._emit("model_taken", model=done.fit.model, validation=done.validation, seconds=done.seconds)
        have = {done.fit.family for done in self.trained.done}
        left_out = have | self.trained.reasons.keys()
        keys = [key for key in order([family(key).key for key in self._plan.models]) if key not in left_out]
        self._rounds.waiting = keys
        self._emit("plan", models=[family(key).title for key in keys])
        self._fleet.began = self._left()
        self._work_on()
        for key in [*self._rounds.waiting, *self._rounds.late]:
            self._skip(key)
        return self._checked()

    # --- the loop -----------------------------------------------------------------------------------------------

    def _work_on(self) -> None:
        while True:
            self._look_for_the_end()
            self._end_slow_contexts()
            for lane in self._lanes.idle:
                todo = self._next_order()
                if todo is None:
                    break
                self._lanes.submit(lane, todo)
            if not self._lanes.work:
                return
            for told in self._lanes.wait(_LOOK_SECONDS):
                self._hear(told)

    def _look_for_the_end(self) -> None:
        """Once somebody has said that it is enough: end every training with its epoch, and drop what is incomplete."""
        if not self._around.enough():
            return
        self._lanes.finish()
        if self._enough():
            for network in self._fleet.under_way:
                network.abandoned = network.abandoned or bool(network.waiting)
            self._fleet.drop_abandoned()

    def _enough(self) -> bool:
        """Tell whether to train nothing more: somebody said so, and there is a network to make a result of."""
        self.trained.stopped = self.trained.stopped or self._around.enough()
        return self.trained.stopped and bool(self.trained.done)

    def _next_order(self) -> Order | PilotOrder | None:
        waiting = self._fleet.waiting_fold()
        if waiting is not None:
            return waiting
        if self._fleet.timeless or self._enough() or (self._around.enough() and self._fleet.under_way):
            return None
        found = self._rounds.first_glance() if self._around.enough() else self._rounds.next()
        if found is not None:
            self._forecast()
        return found

    def _end_slow_contexts(self) -> None:
        """End pre-trained networks that can't be asked to end: those that are late, and all once it is enough."""
        for work in self._lanes.work:
            if (
                isinstance(work, Order)
                and is_pretrained(work.family)
                and (self._enough() or time.monotonic() > work.until)
            ):
                self._lanes.kill(work)

    # --- hearing ------------------------------------------------------------------------------------------------

    def _hear(self, told: Told) -> None:
        if isinstance(told.order, PilotOrder):
            self._hear_of_pilot(told, told.order)
        else:
            self._hear_of_fold(told, told.order)

    def _hear_of_pilot(self, told: Told, pilot: PilotOrder) -> None:
        key = pilot.family
        if isinstance(told.result, Measured):
            del self._rounds.measuring[key]
            for note in (*told.result.notes, self._speeds.hear(pilot, told.result)):
                if note:
                    self._emit("log", text=note)
            if self._speeds.wants_other_device(pilot) and not self._enough() and self._lanes.idle:
                self._lanes.submit(self._lanes.idle[0], self._rounds.pilot(key, gpu=False))
        elif told.error is not None:
            del self._rounds.measuring[key]
            if isinstance(told.error, OSError):
                raise told.error
            if isinstance(told.error, LaneDiedError) and key not in self._died:
                # It waits for its turn to be measured once more.
                self._died.add(key)
            elif key not in self._speeds:
                self._rounds.waiting.remove(key)
                self._fail(key, _words(told.error))

    def _hear_of_fold(self, told: Told, todo: Order) -> None:
        network = next(n for n in self._fleet.under_way if n.planned.model == todo.network)
        if told.epoch is not None:
            reporter = network.reporters.get(todo.fold)
            if reporter is None:
                # A training of hours needs no line every few moments.
                distance = max(_EVENT_SECONDS, self._fleet.began / _MOST_EVENTS)
                fold = todo.fold if self._networks.folds > 1 else None
                reporter = network.reporters[todo.fold] = EpochReporter(network.planned, self._emit, distance, fold)
            reporter(told.epoch)
            return
        del network.running[todo.fold]
        if isinstance(told.result, Report):
            network.reports[todo.fold] = told.result
            if todo.fold in network.reporters:
                network.reporters[todo.fold].flush()
            for note in (*told.result.notes, self._speeds.learn(network)):
                if note:
                    self._emit("log", text=note)
            if network.complete:
                self._complete(network)
            elif not self._fleet.timeless:
                self._race(network)
        elif told.error is not None:
            if isinstance(told.error, OSError):
                raise told.error
            died = isinstance(told.error, LaneDiedError) and not is_pretrained(todo.family)
            if not (died and network.try_again(todo.fold)) and not network.abandoned:
                network.abandoned = True
                self._give_up(network.planned, _words(told.error))
        self._fleet.drop_abandoned()

    def _race(self, network: NetworkUnderWay) -> None:
        """Train a network no further that is far behind on the rows of the folds that are done."""
        if not network.waiting or network.abandoned or network.planned.trial is not None:
            return
        # Of a family that has shown what it can do, another seed is only now and then so much worse on a few rows.
        if any(fit.family == network.planned.family for fit in self.trained.fits):
            return
        found = self._networks.race(network.reports)
        if found is None:
            return
        error, best, rows = found
        if has_lost(error, best, len(network.reports), rows):
            network.abandoned = True
            done, folds = len(network.reports), self._networks.folds
            reason = (
                f"Skipped: after {done} of {folds} folds its error was {percent(error / best - 1)} above that of the "
                "best network on the same rows."
            )
            self.trained.reasons[network.planned.family] = reason
            self._rounds.set_aside.append(network.planned.family)
            self._emit("model_skipped", model=network.planned.model, reason=reason)

    def _complete(self, network: NetworkUnderWay) -> None:
        planned = network.planned
        self._fleet.under_way.remove(network)
        try:
            validation = self._networks.complete(planned.model, planned.family, network.reports)
        except ValueError as exc:
            self._give_up(planned, str(exc))
            return
        done = network.finished(validation, self._networks.rows)
        self.trained.done.append(done)
        if planned.trial is not None:
            self._trials.tell(planned.chosen, validation)
        self._emit(
            "model_finished",
            model=planned.model,
            validation=validation,
            seconds=done.seconds,
            epochs_trained=done.trained,
        )
        if self._rounds.errors:
            self._rounds.errors.append(self._networks.ensemble_rmse())
        self._around.keep(self._checkpoint())

    # --- telling ------------------------------------------------------------------------------------------------

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            fits=tuple(self.trained.done),
            speeds=self._speeds.kept(self._fleet.threads),
            reasons=dict(self.trained.reasons),
            failed_trials=tuple(self._trials.failed),
        )

    def _forecast(self) -> None:
        """Tell in how many seconds the run will be over: all that is left, unless nothing follows what is under way."""
        left = max(0.0, self._left())
        if not self._rounds.more_to_come:
            busy = sum(network.busy_seconds() for network in self._fleet.under_way)
            left = min(left, busy / len(self._lanes))
        self._emit("forecast", seconds=left + self._around.afterwards())

    def _skip(self, key: str) -> None:
        chosen = family(key)
        if key in self.trained.reasons:
            return
        if self._enough():
            reason = "Skipped: training was ended before its turn."
        elif key in self._speeds:
            needed = self._speeds[key].least(chosen) * self._fleet.waves
            left = max(0.0, self._fleet.capacity(self._left()).longest * self._fleet.waves)
            reason = f"Skipped: {too_late_words(needed, left)}"
        else:
            reason = "Skipped: too little time was left even to measure how fast it trains."
        self.trained.reasons[key] = reason
        self._emit("model_skipped", model=chosen.title, reason=reason)

    def _fail(self, key: str, reason: str, model: str | None = None) -> None:
        if all(fit.family != key for fit in self.trained.fits):
            self.trained.reasons[key] = f"Failed: {reason}"
        self._emit("model_failed", model=model or network(key).title, reason=reason)

    def _give_up(self, planned: PlannedFit, reason: str) -> None:
        self._fail(planned.family, reason, planned.model)
        if planned.trial is not None:
            self._trials.tell(planned.chosen, None)
            if self.trained.done:
                self._around.keep(self._checkpoint())
        else:
            # It would fail again: further repetitions of this family are pointless.
            self._rounds.broken.add(planned.family)

    def _checked(self) -> Trained:
        if not self.trained.done:
            self._emit("log", text="No network could be trained.")
        return self.trained


def too_late_words(needed: float, left: float) -> str:
    """Return why there was no time for a family, by the seconds that it needs and those that were left for it."""
    need = f"it needs about {math.ceil(needed):,} s to train to something useful on this table"
    if needed <= left:
        # A search keeps most of it for its trials.
        return f"{need}, which is more than its share of the time."
    # Rounded apart: 12.3 of 12.1 s must not read as 12 of 12.
    return f"{need}, and {math.floor(left):,} s were left for it."


def _words(error: Exception) -> str:
    return getattr(error, "message", str(error))
