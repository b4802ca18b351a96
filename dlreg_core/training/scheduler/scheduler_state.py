"""All that the scheduler knows: what there is to train with, what is under way and what has come of the rest."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

from dlreg_core.networks import family, fixes_size, is_pretrained
from dlreg_core.specs import Checkpoint, FinishedFit, PlannedFit, Preset, TrainPlan
from dlreg_core.training.scheduler.allocation import EXTRA_FITS, Capacity, Proposal
from dlreg_core.training.scheduler.fit_jobs import FoldJob, FoldOutcome, PilotJob
from dlreg_core.training.scheduler.measured_speeds import Speeds
from dlreg_core.training.scheduler.scheduler_messages import Moment, Question, TrialSuggested


@dataclass(frozen=True)
class Setup:
    """What doesn't change while a run trains.

    Attributes
    ----------
    plan : TrainPlan
        What a person asked for.
    rows, columns, folds : int
        Rows and columns that a training learns from, and how many trainings make a network.
    processes, threads : int
        How many trainings go on side by side, and processor threads of each.
    gpu : bool
        Whether there is a GPU.
    began : float
        Seconds that there were for training at its start.
    heavy_tails : bool
        Whether the target has heavy tails on both sides.
    taken : int
        How many networks an earlier task of the run has trained.
    largest : mapping of str to int
        The largest size of each family for which there is memory.
    folder : str
        Where networks are kept.
    timeless : bool
        True where an earlier run is repeated, whatever time it takes.
    """

    plan: TrainPlan
    rows: int
    columns: int
    folds: int
    processes: int
    threads: int = 1
    gpu: bool = False
    began: float = 0.0
    heavy_tails: bool = False
    taken: int = 0
    largest: Mapping[str, int] = field(default_factory=dict)
    folder: str = ""
    timeless: bool = False

    @property
    def waves(self) -> int:
        """How often all processes are filled by the folds of one network."""
        return math.ceil(self.folds / self.processes)

    @property
    def effort(self) -> Preset:
        """The effort: a person who gives a finished run more time wants more networks."""
        return "balanced" if self.taken and self.plan.preset == "fast" else self.plan.preset

    def largest_size(self, key: str) -> int | None:
        """Return the largest size of a family that may be trained; None where any may."""
        return 0 if fixes_size(key, self.plan.settings.get(key, {})) else self.largest.get(key)


@dataclass(frozen=True)
class RunningFold:
    """A fold that a process trains, and the moment at which that is expected to end."""

    job: FoldJob
    ends: float
    killed: bool = False


@dataclass(frozen=True)
class RunningFit:
    """A network whose folds are being trained.

    Attributes
    ----------
    planned : PlannedFit
        What to train.
    proposal : Proposal
        Where it came from.
    waiting : tuple of int
        Folds that no process has taken yet.
    running : mapping of int to RunningFold
        Folds that are being trained.
    outcomes : mapping of int to FoldOutcome
        Folds that are done.
    abandoned : bool
        True when nothing will come of it any more.
    tried_again : frozenset of int
        Folds whose process died once.
    late : bool
        True where it may end after all time is over, since there would be no network otherwise.
    """

    planned: PlannedFit
    proposal: Proposal
    waiting: tuple[int, ...]
    running: Mapping[int, RunningFold] = field(default_factory=dict)
    outcomes: Mapping[int, FoldOutcome] = field(default_factory=dict)
    abandoned: bool = False
    tried_again: frozenset[int] = frozenset()
    late: bool = False

    @property
    def complete(self) -> bool:
        """True when every fold is done."""
        return not self.waiting and not self.running and not self.abandoned

    @property
    def over(self) -> bool:
        """True when no process works on it and none will."""
        return not self.running and (self.abandoned or not self.waiting)

    @property
    def fills_gpu(self) -> bool:
        """True where it trains on a GPU and holds so much of its memory that one fold must follow the other."""
        return self.planned.device == "gpu" and is_pretrained(self.planned.family)

    def busy_seconds(self, now: float) -> float:
        """Return the seconds of processes' time that it will still take."""
        running = sum(max(0.0, fold.ends - now) for fold in self.running.values())
        return running + len(self.waiting) * self.proposal.seconds

    def without(self, fold: int) -> RunningFit:
        """Return it with a fold that no process trains any more."""
        return replace(self, running={number: other for number, other in self.running.items() if number != fold})

    def may_try_again(self, fold: int) -> bool:
        """Tell whether a fold may be trained anew whose process has died: a pre-trained network does no better then."""
        return not (self.abandoned or fold in self.tried_again or is_pretrained(self.planned.family))

    def finished(self, validation: float, rows: int) -> FinishedFit:
        """Return the network as it was carried out on so many rows, once it is complete."""
        outcomes = [self.outcomes[fold] for fold in sorted(self.outcomes)]
        stops = [outcome.epochs if outcome.stopped else None for outcome in outcomes]
        one = len(outcomes) == 1
        fell_back = any(outcome.fell_back for outcome in outcomes)
        carried_out = self.planned.model_copy(
            update={
                "device": "cpu" if fell_back else self.planned.device,
                "fell_back": fell_back,
                "stop_after": (stops[0] or self.planned.stop_after) if one else None,
                "fold_stops": () if one or not any(stops) else tuple(stops),
            }
        )
        trained = round(statistics.mean(outcome.epochs for outcome in outcomes))
        key = self.planned.family
        enough = 0 if is_pretrained(key) else family(key).enough(self.planned.rows or rows)
        ended_itself = trained < self.planned.epochs or self.planned.epochs >= enough
        return FinishedFit(
            fit=carried_out,
            seconds=sum(outcome.seconds for outcome in outcomes),
            validation=validation,
            size=self.proposal.size,
            trained=trained,
            converged=not any(outcome.stopped for outcome in outcomes) and ended_itself,
            variant=self.proposal.variant,
            second_half=statistics.mean(outcome.second_half for outcome in outcomes),
        )


@dataclass(frozen=True)
class State:
    """What has happened so far, and what is wanted next.

    Attributes
    ----------
    setup : Setup
        What doesn't change.
    speeds : Speeds
        How fast families train, as far as that is measured.
    done : tuple of FinishedFit
        Networks that exist, in the order in which they were completed.
    reasons : mapping of str to str
        By family: why it was skipped or failed.
    running : tuple of RunningFit
        Networks that are under way, in the order in which they were begun.
    measuring : mapping of str to PilotJob
        Families that are being measured.
    waiting, late : tuple of str
        Families that haven't had their turn, and those that had it and for which there was too little time.
    broken : frozenset of str
        Families that can't be trained again.
    set_aside : tuple of str
        Families of networks that were given up for being far behind.
    died : frozenset of str
        Families whose measuring process died once.
    errors : tuple of float
        Of the ensemble on rows that didn't choose it: after the first round, and after each network since.
    contexts : mapping of str to dict
        Pre-trained families that are ready and haven't had their turn, with their settings.
    names : frozenset of str
        Names that networks have or had.
    glance : str
        Name of the network that was only meant to show something soon; empty where there is none.
    beyond_time : tuple of str
        Networks that were trained although the time was over, since there would have been none otherwise.
    awaited : frozenset
        Questions that haven't been answered: nothing is begun meanwhile.
    suggestion : TrialSuggested, optional
        What the search wants to try next, where it has been asked.
    failed_trials : tuple of dict
        What a search has tried without getting a network.
    enough : bool
        True once somebody has said so.
    over : bool
        True once nothing is under way and nothing will follow.
    """

    setup: Setup
    speeds: Speeds
    done: tuple[FinishedFit, ...] = ()
    reasons: Mapping[str, str] = field(default_factory=dict)
    running: tuple[RunningFit, ...] = ()
    measuring: Mapping[str, PilotJob] = field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    late: tuple[str, ...] = ()
    broken: frozenset[str] = frozenset()
    set_aside: tuple[str, ...] = ()
    died: frozenset[str] = frozenset()
    errors: tuple[float, ...] = ()
    contexts: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    names: frozenset[str] = frozenset()
    glance: str = ""
    beyond_time: tuple[str, ...] = ()
    awaited: frozenset[Question] = frozenset()
    suggestion: TrialSuggested | None = None
    failed_trials: tuple[dict[str, Any], ...] = ()
    enough: bool = False
    over: bool = False

    @property
    def idle(self) -> int:
        """Processes without work."""
        return self.setup.processes - len(self.measuring) - sum(len(fit.running) for fit in self.running)

    @property
    def nothing(self) -> bool:
        """True while no network is complete or under way."""
        return not (self.done or self.running)

    @property
    def ended(self) -> bool:
        """True where nothing more shall be trained: somebody said so, and there is a network to make a result of."""
        return self.enough and bool(self.done)

    @property
    def more_to_come(self) -> bool:
        """True while something may follow what is under way."""
        return bool(self.waiting or self.late or self.measuring) or EXTRA_FITS[self.setup.effort] > 0

    def busy_seconds(self, now: float) -> float:
        """Return the seconds of processes' time that what is under way will still take."""
        return sum(fit.busy_seconds(now) for fit in self.running)

    def capacity(self, at: Moment, left: float | None = None) -> Capacity:
        """Return what there is to train with in the next `left` seconds: in all that are left where it is None."""
        seconds = at.left if left is None else left
        return Capacity(seconds, self.setup.processes, self.setup.folds, self.busy_seconds(at.now))

    def fit(self, model: str) -> RunningFit:
        """Return a network that is under way."""
        return next(fit for fit in self.running if fit.planned.model == model)

    def checkpoint(self) -> Checkpoint:
        """Return what is complete, in the form in which it is kept."""
        return Checkpoint(
            fits=self.done,
            speeds=self.speeds.kept(self.setup.threads),
            reasons=dict(self.reasons),
            failed_trials=self.failed_trials,
        )


class Turn:
    """One step of the scheduler: the state as it becomes, and what is asked for.

    Parameters
    ----------
    state : State
        What was known before; it isn't changed.
    at : Moment
        When the step is made.
    """

    def __init__(self, state: State, at: Moment) -> None:
        # A copy that nobody else knows is changed in place: making it anew for each field would cost most of a step.
        self.state = copy(state)
        self.at = at
        self.actions: list[Any] = []

    def change(self, **changes: Any) -> None:
        """Replace some of what is known."""
        vars(self.state).update(changes)

    def ask(self, question: Question) -> None:
        """Ask what must be known before anything else is begun."""
        self.actions.append(question)
        self.change(awaited=self.state.awaited | {question})

    def put(self, fit: RunningFit, **changes: Any) -> None:
        """Replace what is known of a network that is under way, and some of the rest."""
        model = fit.planned.model
        running = tuple(fit if other.planned.model == model else other for other in self.state.running)
        self.change(running=running, **changes)

    def drop(self, model: str) -> None:
        """Forget a network that is no longer under way."""
        self.change(running=tuple(fit for fit in self.state.running if fit.planned.model != model))
