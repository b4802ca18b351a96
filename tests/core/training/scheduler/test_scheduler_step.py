"""The scheduler keeps its promises whatever happens: a budget is kept, no family is forgotten, and it ends."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg_core.networks import FAMILIES, family
from dlreg_core.specs import Checkpoint, FamilySpeed, FinishedFit, PlannedFit, Search
from dlreg_core.training.scheduler.fit_jobs import FoldJob, PilotJob
from dlreg_core.training.scheduler.fit_speed import Speed
from dlreg_core.training.scheduler.scheduler_messages import (
    EndWithEpoch,
    EnoughSaid,
    KeepCheckpoint,
    KillJob,
    Moment,
    TellSearch,
    TimePassed,
)
from dlreg_core.training.scheduler.scheduler_state import Setup, State
from dlreg_core.training.scheduler.scheduler_step import begun_replay, step
from tests.core.training.scheduler.scripted import Script, Seen, is_notice, setup_for

KEYS = tuple(chosen.key for chosen in FAMILIES)

speeds = st.builds(Speed, fixed=st.floats(0, 5), epoch=st.floats(1e-3, 20))
tables = st.fixed_dictionaries(
    {
        "processes": st.integers(1, 4),
        "folds": st.sampled_from([1, 2, 3, 5]),
        "rows": st.sampled_from([150, 5_000, 100_000]),
        "preset": st.sampled_from(["fast", "balanced", "best"]),
        "gpu": st.booleans(),
    }
)
families = st.dictionaries(st.sampled_from(KEYS), speeds, min_size=1)
budgets = st.floats(1, 600)
seeds = st.integers(0, 10_000)


def kept_to_the_plan(seen: Seen) -> None:
    """Check one step: what is begun fits into the time and the processes."""
    state, at = seen.state, seen.at
    assert state.idle >= 0
    assert not (seen.jobs and state.over)
    for job in seen.jobs:
        if isinstance(job, PilotJob):
            continue
        fit = next(other for other in state.running if other.planned.model == job.fit.model)
        # No training may go on beyond the end by more than the few seconds of the shortest, but for the only one.
        assert fit.late or job.until <= at.now + max(5.0, at.left)
        if job.fit.model not in seen.begun or not seen.before.done:
            continue
        # Once there is a network, another one is begun only where all its folds can be expected to end in time.
        waves = math.ceil(state.setup.folds / state.setup.processes)
        assert fit.proposal.seconds * waves <= at.left * (1 + 1e-9)


def no_family_is_starved(seen: Seen) -> None:
    """Check one step: a family is skipped for time only where its shortest useful training doesn't fit any more."""
    # What was given up for being far behind has had its chance.
    for key in seen.state.reasons.keys() - seen.before.reasons.keys():
        if key not in seen.state.speeds or key in seen.state.set_aside:
            continue
        setup, left = seen.state.setup, seen.at.left
        needed = seen.state.speeds[key].least(family(key))
        busy = sum(fit.busy_seconds(seen.at.now) for fit in seen.state.running)
        free = (left * setup.processes - busy) / setup.folds
        # The folds of a network wait together for processes that are busy.
        together = left - (busy / setup.processes if setup.folds > 1 else 0.0)
        assert needed > min(free, together / math.ceil(setup.folds / setup.processes)) * (1 - 1e-9)


@settings(max_examples=100, deadline=None)
@given(families, tables, budgets, seeds)
def test_a_budget_is_kept_and_no_family_is_starved(
    chosen: dict[str, Speed], table: dict[str, Any], budget: float, seed: int
) -> None:
    script = Script(chosen, budget, np.random.default_rng(seed))
    state = script.run(setup_for(tuple(chosen), **table))
    for seen in script.seen:
        kept_to_the_plan(seen)
        no_family_is_starved(seen)
        for model in seen.begun:
            # What has had its turn comes again only when no other family waits for its first one.
            key = next(fit.planned.family for fit in seen.state.running if fit.planned.model == model)
            again = key in {one.fit.family for one in seen.before.done} and model != seen.before.glance
            announced = seen.before.glance and len([one for one in seen.before.done if one.fit.family == key]) == 1
            assert not again or announced or not (seen.state.waiting or seen.state.late)
    assert state.done, "there is always a network"
    trained = {one.fit.family for one in state.done}
    assert trained | state.reasons.keys() == set(chosen)
    # One network exists that may be late; all else ends with the budget, but for the epoch that goes on then.
    if not state.beyond_time:
        longest = max(speed.seconds(1, family(key).sizes[-1].cost) for key, speed in chosen.items())
        assert script.now <= budget + 5.0 + 2 * longest


@settings(max_examples=100, deadline=None)
@given(families, tables, budgets, seeds, st.floats(0, 0.5), st.floats(0, 0.5), st.floats(0, 700) | st.just(math.inf))
def test_whatever_fails_or_is_said_it_ends_with_every_family_accounted_for(
    chosen: dict[str, Speed],
    table: dict[str, Any],
    budget: float,
    seed: int,
    failing: float,
    dying: float,
    enough_at: float,
) -> None:
    rng = np.random.default_rng(seed)
    script = Script(
        chosen,
        budget,
        rng,
        failing=failing,
        dying=dying,
        unusable=0.1,
        real=lambda: float(rng.lognormal(0.0, 0.7)),
        enough_at=enough_at,
        contexts={"TABICL": 3.0},
    )
    state = script.run(setup_for(tuple(chosen), **table))
    for seen in script.seen:
        assert seen.state.idle >= 0
        said = seen.state.enough and seen.before.done
        assert not (said and seen.begun), "once it is enough and there is a network, none is begun"
        names = [fit.planned.model for fit in seen.state.running] + [one.fit.model for one in seen.state.done]
        assert len(set(names)) == len(names)
    assert state.running == ()
    assert state.measuring == {}
    assert state.awaited == frozenset()
    accounted = {one.fit.family for one in state.done} | state.reasons.keys()
    assert set(chosen) <= accounted
    assert not state.reasons.keys() & {one.fit.family for one in state.done}, "what is there isn't missing"
    checkpoints = [seen for seen in script.seen if any(isinstance(one, KeepCheckpoint) for one in seen.actions)]
    assert len(checkpoints) >= len(state.done), "every network is kept as soon as it is complete"


def test_a_step_depends_on_nothing_but_what_it_is_given() -> None:
    chosen = {key: Speed(0.1, 0.1 * (number + 1)) for number, key in enumerate(KEYS)}
    script = Script(chosen, 300.0, dying=0.05, contexts={"TABICL": 9.0}, enough_at=200.0, watched=True)
    script.run(setup_for(KEYS, folds=3, gpu=True, preset="best"))
    assert len(script.seen) > 40
    for seen in script.seen:
        assert step(seen.before, seen.event, seen.at) == (seen.state, seen.actions)


def test_what_was_said_to_be_enough_is_passed_on_once() -> None:
    script = Script({"FEEDFORWARD": Speed(0.1, 1.0)}, 60.0, enough_at=20.0)
    script.run(setup_for(("FEEDFORWARD",), folds=3))
    assert sum(isinstance(action, EndWithEpoch) for seen in script.seen for action in seen.actions) == 1


def test_with_enough_said_at_once_the_rows_are_seen_once() -> None:
    script = Script({"FEEDFORWARD": Speed(0.1, 1.0)}, 60.0, enough_at=0.0)
    state = script.run(setup_for(("FEEDFORWARD",), processes=1))
    assert len(state.done) >= 1
    assert state.enough


def test_a_pretrained_network_that_is_late_is_ended_once() -> None:
    # The clock is looked at now and then, as the worker does.
    state, _ = started_context(setup_for(("FEEDFORWARD",), preset="fast", processes=1))
    late, actions = step(state, TimePassed(), Moment(100.0, -40.0))
    assert [action.job.family for action in actions if isinstance(action, KillJob)] == ["TABICL"]
    _, again = step(late, TimePassed(), Moment(101.0, -41.0))
    assert not any(isinstance(action, KillJob) for action in again)


def started_context(setup: Setup) -> tuple[State, FoldJob]:
    """Return a run in which a pre-trained network is under way."""
    script = Script({"FEEDFORWARD": Speed(0.1, 0.05)}, 60.0, contexts={"TABICL": 0.0})
    script.run(setup)
    seen = next(seen for seen in script.seen if any(isinstance(j, FoldJob) and j.family == "TABICL" for j in seen.jobs))
    return seen.state, next(job for job in seen.jobs if isinstance(job, FoldJob) and job.family == "TABICL")


def test_what_a_search_tries_is_told_to_it_and_kept_where_it_fails() -> None:
    search = Search(method="grid", family="FEEDFORWARD", ranges={"dropout": (0.0, 0.1, 0.2)}, trials=3, seed=0)
    trials = [{"dropout": value} for value in (0.0, 0.1, 0.2)]
    script = Script({"FEEDFORWARD": Speed(0.1, 0.005)}, 60.0, trials=trials)
    setup = setup_for(("FEEDFORWARD",), processes=1, search=search)
    state = script.run(setup)
    told = [action for seen in script.seen for action in seen.actions if isinstance(action, TellSearch)]
    assert [one.values for one in told] == trials
    assert [one.fit.trial for one in state.done if one.fit.trial is not None] == [1, 2, 3]
    best = min((one for one in state.done if one.fit.trial is not None), key=lambda one: one.validation)
    after = [one for one in state.done if one.fit.trial is None][1:]
    assert after, "what the search found is repeated"
    assert all(one.fit.chosen == best.fit.chosen for one in after)
    # A trial that gives no network is told as that, and is remembered by the run's next task.
    script = Script({"FEEDFORWARD": Speed(0.1, 0.05)}, 60.0, trials=trials[:1])

    def failing(job: Any, setup: Setup, state: State) -> Any:
        took, event = Script._fate(script, job, setup, state)
        if isinstance(job, FoldJob) and job.fit.trial is not None:
            from dlreg_core.training.scheduler.scheduler_messages import JobFailed

            return took, JobFailed(job, "as it happens")
        return took, event

    script._fate = failing  # type: ignore[method-assign]
    state = script.run(setup)
    assert state.failed_trials == ({"dropout": 0.0},)
    assert state.checkpoint().failed_trials == ({"dropout": 0.0},)
    told = [action for seen in script.seen for action in seen.actions if isinstance(action, TellSearch)]
    assert told == [TellSearch({"dropout": 0.0}, None)]
    assert "FEEDFORWARD" not in state.broken


def test_more_time_goes_on_from_what_is_there() -> None:
    fit = PlannedFit(model="Feed-forward", family="FEEDFORWARD", epochs=20, seed=0, threads=1, device="cpu")
    earlier = Checkpoint(
        fits=(FinishedFit(fit=fit, seconds=3.0, validation=1.2, trained=20),),
        speeds={"FEEDFORWARD": FamilySpeed(fixed=0.1, epoch=0.1)},
        failed_trials=(),
    )
    script = Script({"FEEDFORWARD": Speed(0.1, 0.1), "FASTAI": Speed(0.1, 0.3)}, 60.0)
    state = script.run(setup_for(("FEEDFORWARD", "FASTAI"), preset="fast"), earlier)
    assert any(is_notice(action, "model_taken") for action in script.first_actions)
    assert state.done[0].fit == fit
    names = [one.fit.model for one in state.done]
    assert len(set(names)) == len(names)
    # The family that is known isn't measured again, and gets a longer training than it had.
    assert [job.family for seen in script.seen for job in seen.jobs if isinstance(job, PilotJob)] == ["FASTAI"]
    assert max(one.fit.epochs for one in state.done if one.fit.family == "FEEDFORWARD") > 20


def test_a_repetition_looks_at_no_clock() -> None:
    fits = [
        PlannedFit(model=f"n{i}", family="TABM", epochs=5, seed=i, threads=1, device="gpu", fold_stops=(3, None))
        for i in range(3)
    ]
    state, actions = begun_replay(setup_for(("TABM",), folds=2), Moment(0.0, -100.0), fits)
    assert sum(is_notice(action, "model_started") for action in actions) == 3
    _, actions = step(state, TimePassed(), Moment(5.0, -105.0))
    jobs = [action for action in actions if isinstance(action, FoldJob)]
    assert [(job.fit.model, job.fold, job.stop_after, job.until) for job in jobs] == [
        ("n0", 0, 3, math.inf),
        ("n0", 1, None, math.inf),
    ]
    assert {job.fit.device for job in jobs} == {"cpu"}, "there is no GPU here"


def test_nothing_is_begun_while_a_question_is_open() -> None:
    script = Script({"FEEDFORWARD": Speed(0.1, 0.05)}, 60.0)
    script.run(setup_for(("FEEDFORWARD",)))
    open_questions = [seen for seen in script.seen if seen.state.awaited]
    assert open_questions
    for seen in open_questions:
        _, actions = step(seen.state, TimePassed(), seen.at)
        assert not any(isinstance(action, FoldJob | PilotJob) for action in actions)
        later, _ = step(seen.state, EnoughSaid(), seen.at)
        assert later.enough


@pytest.mark.parametrize("processes", [1, 2])
def test_a_process_that_dies_is_asked_once_more(processes: int) -> None:
    script = Script({"FEEDFORWARD": Speed(0.1, 0.05)}, 60.0, dying=1.0)
    state = script.run(setup_for(("FEEDFORWARD",), processes=processes))
    pilots = [job for seen in script.seen for job in seen.jobs if isinstance(job, PilotJob)]
    assert len(pilots) == 2
    assert state.reasons == {"FEEDFORWARD": "Failed: as it happens"}
