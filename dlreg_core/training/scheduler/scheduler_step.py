"""The scheduler: a pure function from what is known and what has happened to what is known then, and what to do.

It looks at no clock and begins no process. Who drives it does: the worker with processes
(`dlreg_core.training.execution.training_loop`), the forecast with a cost model
(`dlreg_core.training.scheduler.simulation`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from dlreg_core.formatting import percent
from dlreg_core.networks import family, is_pretrained
from dlreg_core.specs import Checkpoint, PlannedFit
from dlreg_core.training.scheduler.allocation import Proposal, has_lost, order
from dlreg_core.training.scheduler.choose_next import next_job
from dlreg_core.training.scheduler.fit_jobs import FoldJob, FoldOutcome, PilotJob, PilotOutcome
from dlreg_core.training.scheduler.fit_starts import begin, pilot
from dlreg_core.training.scheduler.left_out import fail, leave_out, skip
from dlreg_core.training.scheduler.measured_speeds import Speeds
from dlreg_core.training.scheduler.scheduler_messages import (
    Action,
    CompareFolds,
    ContextReady,
    EndWithEpoch,
    EnoughSaid,
    EnsembleJudged,
    Event,
    FitJudged,
    FoldsCompared,
    JobDone,
    JobFailed,
    JudgeEnsemble,
    JudgeFit,
    KeepCheckpoint,
    KillJob,
    Moment,
    Notice,
    Question,
    SuggestTrial,
    TellSearch,
    TrialSuggested,
)
from dlreg_core.training.scheduler.scheduler_state import RunningFit, Setup, State, Turn


def begun(
    setup: Setup, at: Moment, earlier: Checkpoint | None = None, too_large: Iterable[tuple[str, str]] = ()
) -> tuple[State, tuple[Action, ...]]:
    """Return the state of a run that begins to train: nothing is under way yet.

    Parameters
    ----------
    setup : Setup
        What there is to train with.
    at : Moment
        When it begins.
    earlier : Checkpoint, optional
        What an earlier task of the run has trained.
    too_large : iterable of tuple of str
        Families for which there is no memory, each with the reason.

    Returns
    -------
    State, tuple
        With what is to be told of it.
    """
    earlier = earlier or Checkpoint()
    setup = replace(setup, began=at.left, taken=len(earlier.fits))
    choose = setup.plan.device == "auto"
    state = State(
        setup=setup,
        speeds=Speeds(setup.rows, setup.gpu, choose, setup.processes).known(earlier.speeds),
        done=earlier.fits,
        names=frozenset(one.fit.model for one in earlier.fits),
    )
    turn = Turn(state, at)
    for key, reason in too_large:
        leave_out(turn, key, family(key).title, reason)
    for one in earlier.fits:
        told = {"model": one.fit.model, "validation": one.validation, "seconds": one.seconds}
        turn.actions.append(Notice("model_taken", told))
    left_out = {one.fit.family for one in earlier.fits} | turn.state.reasons.keys()
    keys = tuple(key for key in order([family(key).key for key in setup.plan.models]) if key not in left_out)
    turn.change(waiting=keys)
    turn.actions.append(Notice("plan", {"models": [family(key).title for key in keys]}))
    return turn.state, tuple(turn.actions)


def begun_replay(setup: Setup, at: Moment, fits: Iterable[PlannedFit]) -> tuple[State, tuple[Action, ...]]:
    """Return the state of a run that trains what an earlier one trained, without looking at the clock."""
    fits = tuple(fits)
    turn = Turn(State(replace(setup, timeless=True), Speeds(setup.rows, setup.gpu)), at)
    turn.actions.append(Notice("plan", {"models": [fit.model for fit in fits]}))
    for fit in fits:
        # A machine without a GPU repeats what another one has trained there as well as it can.
        here = fit if setup.gpu else fit.model_copy(update={"device": "cpu"})
        begin(turn, Proposal(fit.family, 0, fit.epochs, fit.seed, 0.0), here)
    return turn.state, tuple(turn.actions)


def step(state: State, event: Event, at: Moment) -> tuple[State, tuple[Action, ...]]:
    """Return what is known after an event, and what is to be done.

    Parameters
    ----------
    state : State
        What was known before.
    event : Event
        What has happened.
    at : Moment
        When.

    Returns
    -------
    State, tuple
        Jobs for idle processes are among the actions; they count as begun. Questions are to be answered by events
        before anything else is begun.
    """
    turn = Turn(state, at)
    match event:
        case JobDone(PilotJob() as job, PilotOutcome() as outcome):
            _hear_pilot(turn, job, outcome)
        case JobDone(FoldJob() as job, FoldOutcome() as outcome):
            _hear_fold(turn, job, outcome)
        case JobFailed(PilotJob() as job):
            _lose_pilot(turn, job, event)
        case JobFailed(FoldJob() as job):
            _lose_fold(turn, job, event)
        case FitJudged():
            _take_judged(turn, event)
        case FoldsCompared():
            _race(turn, event)
        case EnsembleJudged():
            _answered(turn, JudgeEnsemble())
            turn.change(errors=(*turn.state.errors, event.rmse))
        case TrialSuggested():
            _answered(turn, SuggestTrial())
            turn.change(suggestion=event)
        case ContextReady():
            turn.change(contexts={**turn.state.contexts, event.family: dict(event.settings)})
        case EnoughSaid():
            turn.change(enough=True)
            turn.actions.append(EndWithEpoch())
        case _:
            pass
    _give_up_what_waits(turn)
    _kill_late_contexts(turn)
    _fill(turn)
    return turn.state, tuple(turn.actions)


# --- the end ----------------------------------------------------------------------------------------------------------


def _give_up_what_waits(turn: Turn) -> None:
    """Once it is enough, drop networks that aren't complete; and what was given up, once no process works on it."""
    if turn.state.ended:
        for fit in turn.state.running:
            if fit.waiting and not fit.abandoned:
                turn.put(replace(fit, abandoned=True))
                key = fit.planned.family
                if key not in turn.state.reasons and all(one.fit.family != key for one in turn.state.done):
                    leave_out(turn, key, fit.planned.model, "Skipped: training was ended before it was complete.")
    for fit in turn.state.running:
        if fit.abandoned and fit.over:
            turn.drop(fit.planned.model)


def _kill_late_contexts(turn: Turn) -> None:
    """End pre-trained networks that can't be asked to end: those that are late, and all once it is enough."""
    for fit in turn.state.running:
        if not is_pretrained(fit.planned.family):
            continue
        over_time = [fold for fold, one in fit.running.items() if turn.state.ended or turn.at.now > one.job.until]
        late = {fold: replace(fit.running[fold], killed=True) for fold in over_time if not fit.running[fold].killed}
        turn.actions.extend(KillJob(one.job) for one in late.values())
        turn.put(replace(fit, running={**fit.running, **late}))


def _fill(turn: Turn) -> None:
    """Give idle processes something to do; where nothing is under way and nothing follows, it is over."""
    while turn.state.idle > 0 and not turn.state.awaited:
        job = next_job(turn)
        if job is None:
            break
        turn.actions.append(job)
    state = turn.state
    if state.over or state.awaited or state.measuring or any(fit.running for fit in state.running):
        return
    turn.change(over=True)
    for key in (*state.waiting, *state.late):
        skip(turn, key)
    if not state.done:
        turn.actions.append(Notice("log", {"text": "No network could be trained."}))


# --- what processes have done -----------------------------------------------------------------------------------------


def _hear_pilot(turn: Turn, job: PilotJob, outcome: PilotOutcome) -> None:
    _end_pilot(turn, job)
    before = turn.state.speeds
    speeds = before.heard(job, outcome)
    turn.change(speeds=speeds)
    _log(turn, *outcome.notes, speeds.change_note(before, job.family))
    if speeds.wants_other_device(job) and not turn.state.ended and turn.state.idle > 0:
        turn.actions.append(pilot(turn, job.family, gpu=False))


def _lose_pilot(turn: Turn, job: PilotJob, event: JobFailed) -> None:
    _end_pilot(turn, job)
    state, key = turn.state, job.family
    if event.died and key not in state.died:
        # It waits for its turn to be measured once more.
        turn.change(died=state.died | {key})
    elif key not in state.speeds:
        turn.change(waiting=tuple(other for other in state.waiting if other != key))
        fail(turn, key, event.reason)


def _end_pilot(turn: Turn, job: PilotJob) -> None:
    turn.change(measuring={key: other for key, other in turn.state.measuring.items() if key != job.family})


def _hear_fold(turn: Turn, job: FoldJob, outcome: FoldOutcome) -> None:
    fit = turn.state.fit(job.fit.model).without(job.fold)
    fit = replace(fit, outcomes={**fit.outcomes, job.fold: outcome})
    before = turn.state.speeds
    speeds = before.learned(fit.planned, fit.proposal.size, fit.outcomes)
    turn.put(fit, speeds=speeds)
    _log(turn, *outcome.notes, speeds.change_note(before, job.family))
    if fit.complete:
        turn.ask(JudgeFit(job.fit.model))
    elif not turn.state.setup.timeless and _may_lose(turn.state, fit):
        turn.ask(CompareFolds(job.fit.model))


def _lose_fold(turn: Turn, job: FoldJob, event: JobFailed) -> None:
    fit = turn.state.fit(job.fit.model).without(job.fold)
    if event.died and fit.may_try_again(job.fold):
        again = fit.tried_again | {job.fold}
        turn.put(replace(fit, tried_again=again, waiting=(job.fold, *fit.waiting)))
        return
    turn.put(replace(fit, abandoned=True))
    if not fit.abandoned:
        _give_up(turn, fit.planned, event.reason)


# --- what has come of networks ----------------------------------------------------------------------------------------


def _take_judged(turn: Turn, event: FitJudged) -> None:
    _answered(turn, JudgeFit(event.model))
    fit = turn.state.fit(event.model)
    turn.drop(event.model)
    if event.validation is None:
        _give_up(turn, fit.planned, event.reason)
        return
    done = fit.finished(event.validation, turn.state.setup.rows)
    # A family whose measurement failed, or another network, is there after all.
    reasons = {key: reason for key, reason in turn.state.reasons.items() if key != fit.planned.family}
    turn.change(done=(*turn.state.done, done), reasons=reasons)
    if fit.planned.trial is not None:
        turn.actions.append(TellSearch(fit.planned.chosen, event.validation))
    told = {
        "model": event.model,
        "validation": event.validation,
        "seconds": done.seconds,
        "epochs_trained": done.trained,
    }
    turn.actions.append(Notice("model_finished", told))
    if turn.state.errors:
        turn.ask(JudgeEnsemble())
    turn.actions.append(KeepCheckpoint())


def _may_lose(state: State, fit: RunningFit) -> bool:
    """Tell whether a network may be given up for what its first folds have shown."""
    if not state.done or not fit.waiting or fit.abandoned or fit.planned.trial is not None:
        return False
    # Of a family that has shown what it can do, another seed is only now and then so much worse on a few rows.
    return all(one.fit.family != fit.planned.family for one in state.done)


def _race(turn: Turn, event: FoldsCompared) -> None:
    """Train a network no further that is far behind on the rows of the folds that are done."""
    _answered(turn, CompareFolds(event.model))
    fit = turn.state.fit(event.model)
    if fit.abandoned or not has_lost(event.error, event.best, len(fit.outcomes), event.rows):
        return
    turn.put(replace(fit, abandoned=True))
    turn.change(set_aside=(*turn.state.set_aside, fit.planned.family))
    reason = (
        f"Skipped: after {len(fit.outcomes)} of {turn.state.setup.folds} folds its error was "
        f"{percent(event.error / event.best - 1)} above that of the best network on the same rows."
    )
    leave_out(turn, fit.planned.family, event.model, reason)


def _give_up(turn: Turn, planned: PlannedFit, reason: str) -> None:
    fail(turn, planned.family, reason, planned.model)
    if planned.trial is None:
        # It would fail again: further repetitions of this family are pointless.
        turn.change(broken=turn.state.broken | {planned.family})
        return
    turn.actions.append(TellSearch(planned.chosen, None))
    turn.change(failed_trials=(*turn.state.failed_trials, dict(planned.chosen)))
    if turn.state.done:
        turn.actions.append(KeepCheckpoint())


def _answered(turn: Turn, question: Question) -> None:
    turn.change(awaited=turn.state.awaited - {question})


def _log(turn: Turn, *notes: str) -> None:
    turn.actions.extend(Notice("log", {"text": note}) for note in notes if note)
