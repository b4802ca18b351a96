"""What is trained next: from the first measurement of each family to the last network that still helps.

Every function looks at a turn of the scheduler, and begins what it returns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dlreg_core.networks import family, is_pretrained, network
from dlreg_core.specs import FinishedFit, PlannedFit
from dlreg_core.training.scheduler.allocation import (
    EXTRA_FITS,
    Proposal,
    first_fit,
    first_round_left,
    next_fit,
    share,
)
from dlreg_core.training.scheduler.fit_jobs import FoldJob, PilotJob
from dlreg_core.training.scheduler.fit_starts import free_name, pilot, planned_fit, start, waiting_fold
from dlreg_core.training.scheduler.left_out import skip
from dlreg_core.training.scheduler.scheduler_messages import JudgeEnsemble, Notice, SuggestTrial
from dlreg_core.training.scheduler.scheduler_state import State, Turn
from dlreg_core.training.scheduler.search_trials import first_share, trial_like

_LEAST_SECONDS = 2.0
"""With fewer seconds left, a family isn't even measured."""

_GLANCE_AFTER, _GLANCE_SHARE = 8.0, 0.1
"""Where the first network takes longer than so many seconds, and a short training no more than this share of the time
that is left, that comes first: a person sees what to expect."""

_CONTEXT_SHARE, _LEAST_CONTEXT_SECONDS = 0.5, 5.0
"""Share of the time left that a pre-trained network may take, and what there must be."""


def next_job(turn: Turn) -> FoldJob | PilotJob | None:
    """Return what an idle process shall do; None where it waits, or where nothing is left to do."""
    waiting = waiting_fold(turn)
    state = turn.state
    if waiting is not None:
        return waiting
    if state.setup.timeless or state.ended or (state.enough and state.running):
        return None
    found = _first_glance(turn) if state.enough else _chosen(turn)
    if found is not None:
        left = max(0.0, turn.at.left)
        if not turn.state.more_to_come:
            left = min(left, turn.state.busy_seconds(turn.at.now) / state.setup.processes)
        turn.actions.append(Notice("forecast", {"seconds": left + turn.at.afterwards}))
    return found


def _chosen(turn: Turn) -> FoldJob | PilotJob | None:
    found = _first_round(turn)
    if found is not None or turn.state.measuring:
        return found
    for choose in (_late_round, _context, _trial, _more):
        job = choose(turn)
        if job is not None or turn.state.awaited:
            return job
    return None


def _first_glance(turn: Turn) -> FoldJob | PilotJob | None:
    """Whoever says that it is enough before there is a network gets one that has seen the rows once."""
    state = turn.state
    if not (state.waiting or state.late):
        return None
    key = (*state.waiting, *state.late)[0]
    turn.change(waiting=_without(state.waiting, key), late=_without(state.late, key))
    return start(turn, Proposal(key, 0, family(key).fewest_epochs, state.setup.plan.seed, 0.0))


# --- the first round --------------------------------------------------------------------------------------------------


def _first_round(turn: Turn) -> FoldJob | PilotJob | None:
    """Measure or train the next family that hasn't had its turn."""
    if turn.state.nothing and turn.state.measuring:
        # All processes wait a moment for what the first network is made of.
        return None
    for key in turn.state.waiting:
        state, left = turn.state, turn.at.left
        if key in state.measuring:
            continue
        if key not in state.speeds:
            if left >= _LEAST_SECONDS or state.nothing:
                return pilot(turn, key, gpu=state.setup.gpu)
            turn.change(waiting=_without(state.waiting, key), late=(*state.late, key))
            continue
        ours = first_round_left(left, state.setup.began, state.setup.effort)
        given = _share(turn, key, state.waiting, ours, spare=left - ours)
        if given is None and state.nothing:
            # The quickest families come first: where their share is too short, one has all that is left at once.
            given = _share(turn, key, state.waiting, left, late=True)
        glance = _glance(turn, key, given) if given is not None else None
        if glance is not None:
            return glance
        turn.change(waiting=_without(state.waiting, key))
        found = _begin(turn, key, given)
        if found is not None:
            return found
        turn.change(late=(*turn.state.late, key))
    return None


def _late_round(turn: Turn) -> FoldJob | None:
    """Try the families again whose share didn't suffice, those that need least first."""
    speeds = turn.state.speeds
    late = sorted((key for key in turn.state.late if key not in turn.state.reasons), key=speeds.needed)
    turn.change(late=tuple(late))
    for key in late:
        state, found = turn.state, None
        if key in speeds:
            given = _share(turn, key, state.late, turn.at.left, first=state.nothing, late=True)
            found = _begin(turn, key, given, late=state.nothing)
        elif state.nothing:
            # It was never measured, and is all there is.
            fewest = family(key).fewest(state.setup.rows)
            found = start(turn, Proposal(key, 0, fewest, state.setup.plan.seed, 0.0), late=True)
        if found is not None or state.done:
            turn.change(late=_without(turn.state.late, key))
        if found is not None:
            return found
        if state.done:
            skip(turn, key)
    return None


def _share(turn: Turn, key: str, waiting: Sequence[str], left: float, **how: Any) -> float | None:
    """Return the seconds that a family gets for each fold; None where no useful training fits."""
    state = turn.state
    given = share(key, state.speeds[key], waiting, state.capacity(turn.at, left), **how)
    if given is None:
        return None
    return first_share(state.setup.plan.search, key, given, state.speeds[key], state.capacity(turn.at))


def _begin(turn: Turn, key: str, given: float | None, *, late: bool = False) -> FoldJob | None:
    """Begin the first network of a family; with `late`, however much later than planned it will end."""
    if given is None:
        return None
    setup = turn.state.setup
    proposal = first_fit(key, turn.state.speeds[key], given, setup.plan.seed, at_most=setup.largest_size(key))
    if proposal is None:
        return None
    job = start(turn, proposal, late=late)
    if late and proposal.seconds * setup.waves > turn.at.left:
        model = job.fit.model
        turn.change(beyond_time=(*turn.state.beyond_time, model))
        text = f"{model} is trained beyond the time limit: there is no other network."
        turn.actions.append(Notice("log", {"text": text}))
    return job


def _glance(turn: Turn, key: str, given: float) -> FoldJob | None:
    """Begin a short training where the first network would be long in coming; it is followed by the usual one."""
    state, setup = turn.state, turn.state.setup
    searched = setup.plan.search is not None and setup.plan.search.family == key
    if not state.nothing or state.glance or searched or given * setup.waves <= _GLANCE_AFTER:
        return None
    speed = state.speeds[key]
    proposal = first_fit(key, speed, speed.least(family(key)), setup.plan.seed, at_most=0)
    if proposal is None or proposal.seconds * setup.waves > min(_GLANCE_AFTER, _GLANCE_SHARE * turn.at.left):
        return None
    job = start(turn, proposal)
    turn.change(glance=job.fit.model)
    return job


# --- afterwards -------------------------------------------------------------------------------------------------------


def _context(turn: Turn) -> FoldJob | None:
    """Give the rows to the next pre-trained network that is ready, in half of the time that is left."""
    setup = turn.state.setup
    if any(fit.fills_gpu for fit in turn.state.running):
        return None
    for key, settings in turn.state.contexts.items():
        state = turn.state
        turn.change(contexts={other: values for other, values in state.contexts.items() if other != key})
        seconds = _CONTEXT_SHARE * state.capacity(turn.at).longest
        if seconds < _LEAST_CONTEXT_SECONDS:
            continue
        planned = PlannedFit(
            model=free_name(network(key).title, state.names),
            family=key,
            settings=settings,
            epochs=0,
            seed=setup.plan.seed,
            threads=setup.threads,
            device="gpu" if setup.gpu else "cpu",
        )
        return start(turn, Proposal(key, 0, 0, setup.plan.seed, seconds), planned)
    return None


def _trial(turn: Turn) -> FoldJob | None:
    """Train the searched family with the values that the search asks for next."""
    state, search = turn.state, turn.state.setup.plan.search
    if search is None or search.family in state.broken or search.family not in state.speeds:
        return None
    first = next((one for one in state.done if one.fit.family == search.family), None)
    if first is None:
        return None
    like = trial_like(first, state.speeds[search.family])
    if like.seconds > state.capacity(turn.at).longest:
        return None
    trial = state.suggestion
    if trial is None:
        turn.ask(SuggestTrial())
        return None
    if trial.values is None:
        return None
    turn.change(suggestion=None)
    proposal = replace(like, epochs=trial.values.get("epochs", like.epochs))
    return start(turn, proposal, planned_fit(turn.state, proposal, trial))


def _more(turn: Turn) -> FoldJob | None:
    """Train more of what did well; beyond what the effort asks for only while it helps."""
    state, setup = turn.state, turn.state.setup
    if not state.done:
        return _beside_the_first(turn)
    if not state.errors:
        turn.ask(JudgeEnsemble())
        return None
    proposal = next_fit(
        _comparable(state),
        state.speeds,
        state.capacity(turn.at),
        setup.effort,
        taken=setup.taken,
        errors=state.errors,
        under_way=[*(fit.planned.family for fit in state.running), *state.set_aside],
        largest={key: most for key in state.speeds if (most := setup.largest_size(key)) is not None},
    )
    return start(turn, proposal) if proposal is not None else None


def _beside_the_first(turn: Turn) -> FoldJob | None:
    """Train the only family that there is with another seed too, where a process would wait for its first network."""
    state, setup = turn.state, turn.state.setup
    trained = [fit for fit in state.running if not is_pretrained(fit.planned.family)]
    if setup.folds > 1 or setup.effort == "fast" or not trained:
        return None
    like, count = trained[0].proposal, len(state.running)
    if count > EXTRA_FITS[setup.effort] or like.seconds > state.capacity(turn.at).longest:
        return None
    return start(turn, replace(like, seed=like.seed + count, variant=count))


def _comparable(state: State) -> list[FinishedFit]:
    """Return what was trained, in order, without families that can't be trained again."""
    done = [one for one in state.done if one.fit.family not in state.broken and one.fit.family in state.speeds]
    # What was only meant to show something soon counts for nothing once there is the network that it announced.
    real = [one for one in done if one.fit.model != state.glance]
    announced = any(one.fit.family == glance.fit.family for one in real for glance in done if glance not in real)
    return real if announced else done


def _without(keys: Sequence[str], key: str) -> tuple[str, ...]:
    return tuple(other for other in keys if other != key)
