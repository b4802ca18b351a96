"""A run's scheduler, driven by events that a test makes up."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dlreg_core.networks import family, is_pretrained
from dlreg_core.specs import Checkpoint, TrainPlan
from dlreg_core.training.scheduler.fit_jobs import FoldJob, FoldOutcome, PilotJob, PilotOutcome
from dlreg_core.training.scheduler.fit_speed import Speed
from dlreg_core.training.scheduler.scheduler_messages import (
    Action,
    CompareFolds,
    ContextReady,
    EnoughSaid,
    EnsembleJudged,
    Event,
    FitJudged,
    FoldsCompared,
    JobDone,
    JobFailed,
    JudgeEnsemble,
    JudgeFit,
    KillJob,
    Moment,
    Notice,
    SuggestTrial,
    TimePassed,
    TrialSuggested,
)
from dlreg_core.training.scheduler.scheduler_state import Setup, State
from dlreg_core.training.scheduler.scheduler_step import begun, step

MOST_STEPS = 5_000


@dataclass(frozen=True)
class Seen:
    """One step: what was known before, what happened when, and what was asked for and known then."""

    before: State
    event: Event
    at: Moment
    actions: tuple[Action, ...]
    state: State

    @property
    def jobs(self) -> list[FoldJob | PilotJob]:
        return [action for action in self.actions if isinstance(action, FoldJob | PilotJob)]

    @property
    def begun(self) -> list[str]:
        """Names of the networks that were begun."""
        return [a.data["model"] for a in self.actions if isinstance(a, Notice) and a.kind == "model_started"]


def is_notice(action: Action, kind: str) -> bool:
    return isinstance(action, Notice) and action.kind == kind


@dataclass
class Script:
    """What happens to a run.

    ``rng`` decides what a script leaves open: how good networks are, and which jobs fail (``failing`` and ``dying``
    are the shares of them). ``real`` returns how many times longer than measured a job takes. With ``watched`` it is
    looked at whether a step changes what it was given.
    """

    speeds: dict[str, Speed]
    seconds: float
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))
    failing: float = 0.0
    dying: float = 0.0
    unusable: float = 0.0
    real: Callable[[], float] = lambda: 1.0
    enough_at: float = np.inf
    contexts: dict[str, float] = field(default_factory=dict)
    trials: list[dict[str, Any]] = field(default_factory=list)
    watched: bool = False
    now: float = 0.0
    seen: list[Seen] = field(default_factory=list)
    state: State | None = None
    first_actions: tuple[Action, ...] = ()

    def at(self) -> Moment:
        return Moment(self.now, self.seconds - self.now)

    def run(self, setup: Setup, earlier: Checkpoint | None = None) -> State:
        """Drive a run to its end."""
        state, self.first_actions = begun(setup, self.at(), earlier)
        outside: list[tuple[float, Event]] = [(self.enough_at, EnoughSaid())] if self.enough_at < np.inf else []
        outside += [(moment, ContextReady(key, {})) for key, moment in self.contexts.items()]
        numbers = itertools.count()
        heap = [(moment, next(numbers), event) for moment, event in outside]
        heapq.heapify(heap)
        running: dict[FoldJob | PilotJob | int, int] = {}
        killed: set[int] = set()
        events: list[Event] = [TimePassed()]
        while not state.over:
            if not events:
                self.now, number, event = heapq.heappop(heap)
                if number in killed:
                    continue
                events.append(event)
            event = events.pop(0)
            before = deepcopy(state) if self.watched else state
            after, actions = step(state, event, self.at())
            assert state == before, "a step changes nothing that it was given"
            self.seen.append(Seen(before, event, self.at(), actions, after))
            assert len(self.seen) < MOST_STEPS, "it doesn't end"
            state = after
            for action in actions:
                if isinstance(action, FoldJob | PilotJob):
                    number = next(numbers)
                    running[id(action)] = number
                    took, event = self._fate(action, setup, state)
                    heapq.heappush(heap, (self.now + took, number, event))
                elif isinstance(action, KillJob):
                    killed.add(running[id(action.job)])
                    heapq.heappush(heap, (self.now, next(numbers), JobFailed(action.job, "it was ended", True)))
                elif (answer := self._answer(action)) is not None:
                    events.append(answer)
        self.state = state
        return state

    def _fate(self, job: FoldJob | PilotJob, setup: Setup, state: State) -> tuple[float, Event]:
        real, chance = self.real(), self.rng.random()
        if is_pretrained(job.family):
            return 10.0 * real, JobDone(job, FoldOutcome(0, False, 10.0 * real, None))
        speed = self.speeds[job.family].slower(real)
        if isinstance(job, PilotJob):
            took: float = 0.01 * speed.seconds(3)
            event: Event = JobDone(job, PilotOutcome(speed.fixed, speed.epoch))
        else:
            cost = family(job.family).sizes[state.fit(job.fit.model).proposal.size].cost
            drawn = replace(speed, rows=setup.rows).of(job.fit.rows)
            wanted = job.fit.epochs
            epochs = wanted if job.until == np.inf else min(wanted, max(1, drawn.epochs(job.until - self.now, cost)))
            took = drawn.seconds(epochs, cost)
            event = JobDone(job, FoldOutcome(epochs, epochs < wanted, took, drawn.epoch * cost))
        if chance < self.failing + self.dying:
            return 0.5 * took, JobFailed(job, "as it happens", died=chance >= self.failing)
        return took, event

    def _answer(self, action: Action) -> Event | None:
        if isinstance(action, JudgeFit):
            bad = self.rng.random() < self.unusable
            return FitJudged(action.model, None if bad else 1.0 + self.rng.random(), "its predictions are not finite")
        if isinstance(action, CompareFolds):
            return FoldsCompared(action.model, 1.0 + self.rng.random(), 1.0 + self.rng.random(), 50)
        if isinstance(action, JudgeEnsemble):
            return EnsembleJudged(1.0 + self.rng.random())
        if isinstance(action, SuggestTrial):
            asked = sum(isinstance(seen.event, TrialSuggested) for seen in self.seen)
            values = self.trials[asked] if asked < len(self.trials) else None
            return TrialSuggested(values, asked + 1)
        return None


def setup_for(keys: tuple[str, ...], *, processes: int = 2, folds: int = 1, rows: int = 1_000, **plan: Any) -> Setup:
    gpu = plan.pop("gpu", False)
    wanted = TrainPlan(models=keys, time_limit=60.0, **plan)
    return Setup(plan=wanted, rows=rows, columns=5, folds=folds, processes=processes, gpu=gpu)
