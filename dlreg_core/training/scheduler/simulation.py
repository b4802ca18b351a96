"""The scheduler on a virtual clock: what a run would do whose trainings take what a cost model says."""

from __future__ import annotations

import heapq
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dlreg_core.networks import family
from dlreg_core.training.scheduler.fit_jobs import FoldJob, FoldOutcome, PilotJob, PilotOutcome
from dlreg_core.training.scheduler.fit_speed import Speed
from dlreg_core.training.scheduler.scheduler_messages import (
    Action,
    CompareFolds,
    EnsembleJudged,
    Event,
    FitJudged,
    FoldsCompared,
    JobDone,
    JudgeEnsemble,
    JudgeFit,
    Moment,
    SuggestTrial,
    TimePassed,
    TrialSuggested,
)
from dlreg_core.training.scheduler.scheduler_state import Setup, State
from dlreg_core.training.scheduler.scheduler_step import begun, step

_PILOT_EPOCHS, _FEWEST_PILOT_EPOCHS = 3, 2
"""Epochs of a measurement, and after how many of them it ends where it takes too long."""

_PILOT_ROWS = 200
"""The fewest rows of a measurement."""


@dataclass(frozen=True)
class Step:
    """One step of a simulated run: when it was made, what the scheduler asked for, and what it knew then."""

    at: Moment
    actions: tuple[Action, ...]
    state: State


def simulated(setup: Setup, seconds: float, speed_of: Callable[[str], Speed]) -> Iterator[Step]:
    """Yield the steps of a run whose families are as fast as is given, and whose networks are all equally good.

    Parameters
    ----------
    setup : Setup
        What there is to train with.
    seconds : float
        Seconds for training.
    speed_of : callable
        Returns the speed of a family's smallest network on all rows.

    Yields
    ------
    Step
        Until nothing follows; whoever has seen enough stops.
    """
    state, actions = begun(setup, Moment(0.0, seconds))
    now = 0.0
    yield Step(Moment(now, seconds), actions, state)
    # By the moment at which they are over; of jobs that end together, the one that began first.
    numbers = itertools.count()
    under_way: list[tuple[float, int, Event]] = []
    events: list[Event] = [TimePassed()]
    while not state.over:
        if not events:
            now, _, event = heapq.heappop(under_way)
            events.append(event)
        at = Moment(now, seconds - now)
        state, actions = step(state, events.pop(0), at)
        for action in actions:
            if isinstance(action, FoldJob | PilotJob):
                speed = replace(speed_of(action.family), rows=setup.rows)
                took, event = _carried_out(action, setup.rows, speed, state, now)
                heapq.heappush(under_way, (now + took, next(numbers), event))
            elif (answer := _answer(action)) is not None:
                events.append(answer)
        yield Step(at, actions, state)


def pilot_seconds(job: PilotJob, speed: Speed, rows: int) -> float:
    """Return what it takes to measure a family: a short training on a few batches, cut short where it is too long."""
    batch = family(job.family).batch_size(rows)
    part = min(rows, max(_PILOT_ROWS, job.batches * batch)) / max(1, rows)
    whole, least = (part * speed.seconds(epochs) for epochs in (_PILOT_EPOCHS, _FEWEST_PILOT_EPOCHS))
    return min(whole, max(least, job.seconds))


def _carried_out(job: FoldJob | PilotJob, rows: int, speed: Speed, state: State, now: float) -> tuple[float, JobDone]:
    """Return how long a job takes, and what is told of it then."""
    if isinstance(job, PilotJob):
        return pilot_seconds(job, speed, rows), JobDone(job, PilotOutcome(speed.fixed, speed.epoch))
    size = state.fit(job.fit.model).proposal.size
    drawn, cost = speed.of(job.fit.rows), family(job.family).sizes[size].cost
    epochs = job.fit.epochs
    if not math.isinf(job.until):
        epochs = min(epochs, max(1, drawn.epochs(job.until - now, cost)))
    seconds = drawn.seconds(epochs, cost)
    return seconds, JobDone(job, FoldOutcome(epochs, epochs < job.fit.epochs, seconds, drawn.epoch * cost))


def _answer(action: Action) -> Event | None:
    if isinstance(action, JudgeFit):
        return FitJudged(action.model, 1.0)
    if isinstance(action, CompareFolds):
        return FoldsCompared(action.model, 1.0, 1.0, 0)
    if isinstance(action, JudgeEnsemble):
        return EnsembleJudged(1.0)
    return TrialSuggested(None) if isinstance(action, SuggestTrial) else None
