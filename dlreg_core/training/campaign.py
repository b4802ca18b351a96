"""The trainings of a run, side by side on its lanes, within its budget or exactly as an earlier run made them."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from dlreg_core.errors import TrainingError
from dlreg_core.runs.outlook import Outlook
from dlreg_core.specs import Checkpoint, PlannedFit, Preset, ResolvedPlan, TrainPlan
from dlreg_core.training.allocation import (
    EXTRA_FITS,
    GRACE_SECONDS,
    Capacity,
    Outcome,
    Proposal,
    first_fit,
    first_round_left,
    has_lost,
    next_fit,
    order,
    share,
)
from dlreg_core.training.catalogue import (
    chosen_for_autogluon,
    family,
    fixes_size,
    is_pretrained,
    sample_settings,
    title_of,
    variant_settings,
)
from dlreg_core.training.folds import Measured, Order, PilotOrder, Report
from dlreg_core.training.lanes import Lanes, Told
from dlreg_core.training.networks import Networks
from dlreg_core.training.speeds import Speeds
from dlreg_core.training.surroundings import EpochReporter, Surroundings, Trained, outcome_of
from dlreg_core.training.trials import Trials
from dlreg_core.training.under_way import NetworkUnderWay

_EVENT_SECONDS = 0.3
"""Epoch events of a training are not written more often than this."""

_MOST_EVENTS = 3_000
"""Epoch events of a whole run: their distance grows with its budget."""

_LATE_SHARE = 0.05
"""Share of the budget by which a network may be late whose schedule is nearly through."""

_LEAST_SECONDS = 2.0
"""With fewer seconds left, a family isn't even measured."""

_PILOT_SHARE, _LEAST_PILOT_SECONDS = 0.06, 1.5
"""Share of the time left that measuring a family may take before it makes do with what it has seen."""

_CONTEXT_SHARE, _LEAST_CONTEXT_SECONDS = 0.5, 5.0
"""Share of the time left that a pre-trained network may take, and what there must be."""

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
        self._left = surroundings.time_left
        self._emit = surroundings.emit
        self._threads = threads
        self._gpu = gpu
        earlier = earlier or Checkpoint()
        choose = plan.device == "auto"
        self._speeds = Speeds(networks.rows, gpu=gpu, choose=choose, earlier=earlier.speeds)
        self.trained = Trained(done=list(earlier.fits))
        self._trials = Trials(plan, self.trained.done)
        self._taken = len(earlier.fits)
        self._broken: set[str] = set()
        self._largest: dict[str, int] = {}
        self._began = 0.0
        self._waiting: list[str] = []
        self._late: list[str] = []
        self._measuring: dict[str, PilotOrder] = {}
        self._under_way: list[NetworkUnderWay] = []
        self._errors: list[float] = []
        self._timeless = False
        self._asked: set[str] = set()

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
            self._begin(Proposal(planned.family, 0, planned.epochs, planned.seed, 0.0), planned)
        self._timeless = True
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
        self._waiting = [key for key in order([family(key).key for key in self._plan.models]) if key not in left_out]
        self._emit("plan", models=[family(key).title for key in self._waiting])
        self._began = self._left()
        self._work_on()
        for key in [*self._waiting, *self._late]:
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
            for network in self._under_way:
                network.abandoned = network.abandoned or bool(network.waiting)
            self._drop_abandoned()

    def _enough(self) -> bool:
        """Tell whether to train nothing more: somebody said so, and there is a network to make a result of."""
        self.trained.stopped = self.trained.stopped or self._around.enough()
        return self.trained.stopped and bool(self.trained.done)

    def _next_order(self) -> Order | PilotOrder | None:
        for network in self._under_way:
            if network.waiting and not network.abandoned:
                return self._fold_order(network)
        if self._timeless or self._enough() or (self._around.enough() and self._under_way):
            return None
        if self._around.enough():
            return self._first_glance()
        found = self._first_round()
        if found is not None or self._measuring:
            return found
        return self._late_round() or self._context() or self._trial() or self._more()

    def _first_glance(self) -> Order | PilotOrder | None:
        """Whoever says that it is enough before there is a network gets one that has seen the rows once."""
        waiting = [*self._waiting, *self._late]
        if not waiting:
            return None
        key = waiting[0]
        self._waiting = [other for other in waiting if other != key]
        self._late = []
        network = self._begin(Proposal(key, 0, family(key).fewest_epochs, self._plan.seed, 0.0))
        return self._fold_order(network)

    def _first_round(self) -> Order | PilotOrder | None:
        """Measure or train the next family that hasn't had its turn."""
        for key in tuple(self._waiting):
            if key in self._measuring:
                continue
            if key not in self._speeds:
                if self._left() < (_LEAST_SECONDS if self.trained.done or self._under_way else -GRACE_SECONDS):
                    self._waiting.remove(key)
                    self._late.append(key)
                    continue
                return self._pilot(key, gpu=self._gpu)
            left = self._left()
            ours = first_round_left(left, self._began, self._effort())
            waiting = tuple(self._waiting)
            self._waiting.remove(key)
            found = self._try(key, waiting, ours, spare=left - ours)
            if found is not None:
                return found
            self._late.append(key)
        return None

    def _late_round(self) -> Order | None:
        """Try the families again whose share didn't suffice, those that need least first."""
        self._late.sort(key=self._speeds.needed)
        while self._late:
            waiting = tuple(self._late)
            key = self._late.pop(0)
            if key in self.trained.reasons:
                continue
            nothing = not (self.trained.done or self._under_way)
            found = self._try(key, waiting, self._left(), first=nothing) if key in self._speeds else None
            if found is not None:
                return found
            self._skip(key)
        return None

    def _try(
        self, key: str, waiting: Sequence[str], left: float, *, spare: float = 0.0, first: bool = False
    ) -> Order | None:
        given = share(key, self._speeds[key], waiting, self._capacity(left), first=first, spare=spare)
        if given is None:
            return None
        given = self._trials.share(key, given, self._speeds[key], self._capacity(self._left()))
        proposal = first_fit(key, self._speeds[key], given, self._plan.seed, at_most=self._at_most(key))
        return self._fold_order(self._begin(proposal)) if proposal is not None else None

    def _context(self) -> Order | None:
        """Give the rows to the next pre-trained network that is ready, in half of the time that is left."""
        for key, settings in self._around.contexts().items():
            if key in self._asked:
                continue
            self._asked.add(key)
            seconds = _CONTEXT_SHARE * self._capacity(self._left()).longest
            if seconds < _LEAST_CONTEXT_SECONDS:
                continue
            planned = PlannedFit(
                model=self._free_name(title_of(key)),
                family=key,
                settings=settings,
                epochs=0,
                seed=self._plan.seed,
                threads=self._threads,
                device="gpu" if self._gpu else "cpu",
            )
            return self._fold_order(self._begin(Proposal(key, 0, 0, self._plan.seed, seconds), planned))
        return None

    def _end_slow_contexts(self) -> None:
        """End pre-trained networks that can't be asked to end: those that are late, and all once it is enough."""
        for work in self._lanes.work:
            if isinstance(work, Order) and is_pretrained(work.family) and (self._enough() or time.time() > work.until):
                self._lanes.kill(work)

    def _trial(self) -> Order | None:
        """Train the searched family with the values that the search asks for next."""
        trial = self._trials.next(self._speeds, self._capacity(self._left()).longest)
        if trial is None or trial.proposal.key in self._broken:
            return None
        return self._fold_order(self._begin(trial.proposal, chosen=trial.values, trial=trial.number))

    # --- more ---------------------------------------------------------------------------------------------------

    def _more(self) -> Order | None:
        """Train more of what did well; beyond what the effort asks for only while it helps."""
        if not self.trained.done:
            return self._beside_the_first()
        if not self._errors:
            self._errors.append(self._networks.ensemble_rmse())
        proposal = next_fit(
            [outcome for outcome in self._outcomes() if outcome.key in self._speeds],
            self._speeds,
            self._capacity(self._left()),
            self._effort(),
            taken=self._taken,
            errors=self._errors,
            under_way=[network.planned.family for network in self._under_way],
            largest={key: most for key in self._speeds if (most := self._at_most(key)) is not None},
        )
        return self._fold_order(self._begin(proposal)) if proposal is not None else None

    def _beside_the_first(self) -> Order | None:
        """Train the only family that there is with another seed as well, where a lane would wait for its first network."""
        if self._networks.folds > 1 or self._effort() == "fast" or not self._under_way:
            return None
        like = self._under_way[0].proposal
        if len(self._under_way) > EXTRA_FITS[self._effort()] or like.seconds > self._capacity(self._left()).longest:
            return None
        another = replace(like, seed=like.seed + len(self._under_way), variant=len(self._under_way))
        return self._fold_order(self._begin(another))

    def _at_most(self, key: str) -> int | None:
        """Return the largest size of a family that may be trained; None where any may."""
        return 0 if fixes_size(key, self._plan.settings.get(key, {})) else self._largest.get(key)

    def _capacity(self, left: float) -> Capacity:
        busy = sum(network.busy_seconds() for network in self._under_way)
        return Capacity(left, len(self._lanes), self._networks.folds, busy)

    def _effort(self) -> Preset:
        """Return the effort: a person who gives a finished run more time wants more networks."""
        return "balanced" if self._taken and self._plan.preset == "fast" else self._plan.preset

    def _outcomes(self) -> list[Outcome]:
        """Return what was trained, in order, without families that can't be trained again."""
        folds = self._networks.folds
        return [outcome_of(done, folds) for done in self.trained.done if done.fit.family not in self._broken]

    # --- measuring ----------------------------------------------------------------------------------------------

    def _pilot(self, key: str, *, gpu: bool) -> PilotOrder:
        self._emit("stage", name=f"Measuring how fast {family(key).title} trains")
        pilot = PilotOrder(
            family=key,
            settings=self._settings(key, self._plan.seed, 0, 0, self._plan.settings.get(key, {})),
            batches=int(min(20, max(4, self._began / 6))),
            threads=self._threads,
            gpu=gpu,
            seconds=max(_LEAST_PILOT_SECONDS, _PILOT_SHARE * self._left()),
        )
        self._measuring[key] = pilot
        return pilot

    # --- training -----------------------------------------------------------------------------------------------

    def _settings(self, key: str, seed: int, size: int, variant: int, chosen: dict[str, Any]) -> dict[str, Any]:
        """Return AutoGluon's settings: those of the size, of the variant, and above all those that were chosen."""
        return sample_settings(key, self._networks.rows, seed, size) | chosen_for_autogluon(
            key, variant_settings(key, variant, chosen) | chosen
        )

    def _begin(
        self,
        proposal: Proposal,
        planned: PlannedFit | None = None,
        chosen: dict[str, Any] | None = None,
        trial: int | None = None,
    ) -> NetworkUnderWay:
        key = proposal.key
        if planned is None:
            best = self._trials.best(key)
            if chosen is None:
                chosen = self._plan.settings.get(key, {}) if best is None else best
            # Whatever a trial has found is repeated as it is; other networks of a family differ in their settings.
            variant = 0 if trial is not None or best is not None else proposal.variant
            planned = PlannedFit(
                model=self._free_name(family(key).title),
                family=key,
                settings=self._settings(key, proposal.seed, proposal.size, variant, chosen),
                epochs=chosen.get("epochs", proposal.epochs),
                seed=proposal.seed,
                threads=self._threads,
                device="gpu" if self._speeds.on_gpu(key) else "cpu",
                chosen=chosen,
                trial=trial,
            )
        network = NetworkUnderWay(planned, proposal, list(range(self._networks.folds)))
        self._under_way.append(network)
        waves = math.ceil(self._networks.folds / len(self._lanes))
        self._emit(
            "model_started",
            model=planned.model,
            family=key,
            epochs=planned.epochs,
            expected=proposal.seconds * waves,
            folds=self._networks.folds,
        )
        self._forecast()
        return network

    def _fold_order(self, network: NetworkUnderWay) -> Order:
        until = math.inf
        if not self._timeless:
            waves = math.ceil(len(network.waiting) / len(self._lanes))
            # The safety net: schedules are sized to fit, so it only catches a machine that became much slower.
            limit = max(5.0 / waves, min(2.0 * network.proposal.seconds + 5.0, self._left() / waves))
            until = time.time() + limit
        folder = str(self._networks.folder(network.planned.model))
        return network.order(folder, until=until, late=_LATE_SHARE * max(self._began, 0.0))

    def _free_name(self, title: str) -> str:
        """Return the first name of a family that no network has; one of an earlier task may have any."""
        taken = {done.fit.model for done in self.trained.done} | {n.planned.model for n in self._under_way}
        names = (title if count == 1 else f"{title} {count}" for count in itertools.count(1))
        return next(name for name in names if name not in taken)

    # --- hearing ------------------------------------------------------------------------------------------------

    def _hear(self, told: Told) -> None:
        if isinstance(told.order, PilotOrder):
            self._hear_of_pilot(told, told.order)
        else:
            self._hear_of_fold(told, told.order)

    def _hear_of_pilot(self, told: Told, pilot: PilotOrder) -> None:
        key = pilot.family
        if isinstance(told.result, Measured):
            del self._measuring[key]
            note = self._speeds.hear(pilot, told.result)
            if note:
                self._emit("log", text=note)
            if self._speeds.wants_other_device(pilot) and not self._enough() and self._lanes.idle:
                self._lanes.submit(self._lanes.idle[0], self._pilot(key, gpu=False))
        elif told.error is not None:
            del self._measuring[key]
            if isinstance(told.error, OSError):
                raise told.error
            if key not in self._speeds:
                self._waiting.remove(key)
                self._fail(key, _words(told.error))

    def _hear_of_fold(self, told: Told, todo: Order) -> None:
        network = next(n for n in self._under_way if n.planned.model == todo.network)
        if told.epoch is not None:
            reporter = network.reporters.get(todo.fold)
            if reporter is None:
                # A training of hours needs no line every few moments.
                distance = max(_EVENT_SECONDS, self._began / _MOST_EVENTS)
                fold = todo.fold if self._networks.folds > 1 else None
                reporter = network.reporters[todo.fold] = EpochReporter(network.planned, self._emit, distance, fold)
            reporter(told.epoch)
            return
        del network.running[todo.fold]
        if isinstance(told.result, Report):
            network.reports[todo.fold] = told.result
            if todo.fold in network.reporters:
                network.reporters[todo.fold].flush()
            self._speeds.learn(network)
            for note in told.result.notes:
                self._emit("log", text=note)
            if network.complete:
                self._complete(network)
            elif not self._timeless:
                self._race(network)
        elif told.error is not None:
            if isinstance(told.error, OSError):
                raise told.error
            if not network.abandoned:
                network.abandoned = True
                self._give_up(network.planned, _words(told.error))
        self._drop_abandoned()

    def _race(self, network: NetworkUnderWay) -> None:
        """Train a network no further that is far behind on the rows of the folds that are done."""
        if not network.waiting or network.abandoned or network.planned.trial is not None:
            return
        found = self._networks.race(network.reports)
        if found is None:
            return
        error, best, rows = found
        if has_lost(error, best, len(network.reports), rows):
            network.abandoned = True
            done, folds = len(network.reports), self._networks.folds
            reason = (
                f"Set aside after {done} of {folds} folds: its error was {error / best - 1:.0%} above that of the best "
                "network on the same rows."
            )
            key = network.planned.family
            if all(fit.family != key for fit in self.trained.fits):
                self.trained.reasons[key] = reason
            self._emit("model_skipped", model=network.planned.model, reason=reason)

    def _drop_abandoned(self) -> None:
        self._under_way = [network for network in self._under_way if not (network.abandoned and network.over)]

    def _complete(self, network: NetworkUnderWay) -> None:
        planned = network.planned
        self._under_way.remove(network)
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
        if self._errors:
            self._errors.append(self._networks.ensemble_rmse())
        self._around.keep(self._checkpoint())

    # --- telling ------------------------------------------------------------------------------------------------

    def _checkpoint(self) -> Checkpoint:
        return Checkpoint(
            fits=tuple(self.trained.done),
            speeds=self._speeds.kept(self._threads),
            reasons=dict(self.trained.reasons),
        )

    def _forecast(self) -> None:
        """Tell in how many seconds the run will be over: all that is left, unless nothing follows what is under way."""
        left = max(0.0, self._left())
        more = bool(self._waiting or self._late or self._measuring) or EXTRA_FITS[self._effort()] > 0
        if not more:
            left = min(left, _longest(self._under_way, len(self._lanes)))
        self._emit("forecast", seconds=left + self._around.afterwards())

    def _skip(self, key: str) -> None:
        chosen = family(key)
        if key in self.trained.reasons:
            return
        if self._enough():
            reason = "Skipped: training was ended before its turn."
        elif key in self._speeds:
            speed = self._speeds[key]
            waves = math.ceil(self._networks.folds / len(self._lanes))
            needed = speed.seconds(speed.fewest(chosen)) * waves
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
        self._emit("model_failed", model=model or title_of(key), reason=reason)

    def _give_up(self, planned: PlannedFit, reason: str) -> None:
        self._fail(planned.family, reason, planned.model)
        if planned.trial is not None:
            self._trials.tell(planned.chosen, None)
        else:
            # It would fail again: further repetitions of this family are pointless.
            self._broken.add(planned.family)

    def _checked(self) -> Trained:
        if not self.trained.done:
            why = "; ".join(f"{title_of(key)}: {reason}" for key, reason in self.trained.reasons.items())
            raise TrainingError(f"No network could be trained. {why}", "Give the run more time, or fewer rows.")
        return self.trained


def _longest(networks: Iterable[NetworkUnderWay], lanes: int) -> float:
    return sum(network.busy_seconds() for network in networks) / lanes


def _words(error: Exception) -> str:
    return getattr(error, "message", str(error))
