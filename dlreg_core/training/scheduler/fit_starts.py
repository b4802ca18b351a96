"""How networks begin: their names and settings, and what a process is given of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from dlreg_core.networks import chosen_for_autogluon, family, usual_settings
from dlreg_core.specs import PlannedFit
from dlreg_core.training.scheduler.allocation import Proposal
from dlreg_core.training.scheduler.fit_jobs import FoldJob, PilotJob
from dlreg_core.training.scheduler.scheduler_messages import Notice, TrialSuggested
from dlreg_core.training.scheduler.scheduler_state import RunningFit, RunningFold, Setup, State, Turn
from dlreg_core.training.scheduler.search_trials import best_values

_LATE_SHARE = 0.05
"""Share of the budget by which a network may be late whose schedule is nearly through."""

_PILOT_SHARE, _LEAST_PILOT_SECONDS = 0.06, 1.5
"""Share of the time left that measuring a family may take before it makes do with what it has seen."""

_FEWEST_BATCHES, _MOST_BATCHES, _SECONDS_A_BATCH = 4, 20, 6.0


def free_name(title: str, used: Collection[str]) -> str:
    """Return the first name of a family that no network has or had; one of an earlier task may have any."""
    names = (title if count == 1 else f"{title} {count}" for count in itertools.count(1))
    return next(name for name in names if name not in used)


def pilot(turn: Turn, key: str, *, gpu: bool) -> PilotJob:
    """Begin to measure a family."""
    setup = turn.state.setup
    job = PilotJob(
        family=key,
        settings=_settings(setup, key, setup.plan.seed, 0, 0, setup.plan.settings.get(key, {}), gpu=gpu),
        batches=int(min(_MOST_BATCHES, max(_FEWEST_BATCHES, setup.began / _SECONDS_A_BATCH))),
        threads=setup.threads,
        gpu=gpu,
        seconds=max(_LEAST_PILOT_SECONDS, _PILOT_SHARE * turn.at.left),
    )
    turn.change(measuring={**turn.state.measuring, key: job})
    turn.actions.append(Notice("stage", {"name": f"Measuring how fast {family(key).title} trains"}))
    return job


def planned_fit(state: State, proposal: Proposal, trial: TrialSuggested | None = None) -> PlannedFit:
    """Return the network of a proposal, with the values of a trial where it is one."""
    setup, key = state.setup, proposal.key
    best = best_values(state.done, key)
    chosen = setup.plan.settings.get(key, {}) if best is None else best
    if trial is not None and trial.values is not None:
        chosen = trial.values
    # Whatever a trial has found is repeated as it is; other networks of a family differ in their settings.
    variant = 0 if trial is not None or best is not None else proposal.variant
    gpu = state.speeds.on_gpu(key)
    return PlannedFit(
        model=free_name(family(key).title, state.names),
        family=key,
        settings=_settings(setup, key, proposal.seed, proposal.size, variant, chosen, gpu=gpu),
        epochs=chosen.get("epochs", proposal.epochs),
        rows=proposal.rows,
        seed=proposal.seed,
        threads=setup.threads,
        device="gpu" if gpu else "cpu",
        chosen=chosen,
        trial=trial.number if trial is not None else None,
    )


def begin(turn: Turn, proposal: Proposal, planned: PlannedFit | None = None, *, late: bool = False) -> RunningFit:
    """Begin a network: its folds wait from now on."""
    state, setup = turn.state, turn.state.setup
    planned = planned or planned_fit(state, proposal)
    fit = RunningFit(planned, proposal, tuple(range(setup.folds)), late=late)
    turn.change(running=(*state.running, fit), names=state.names | {planned.model})
    told = {
        "model": planned.model,
        "family": planned.family,
        "epochs": planned.epochs,
        "expected": proposal.seconds * setup.waves,
        "folds": setup.folds,
    }
    turn.actions.append(Notice("model_started", told))
    return fit


def start(turn: Turn, proposal: Proposal, planned: PlannedFit | None = None, *, late: bool = False) -> FoldJob:
    """Begin a network, and return what a process has to know of its first fold."""
    return _fold_of(turn, begin(turn, proposal, planned, late=late))


def waiting_fold(turn: Turn) -> FoldJob | None:
    """Return a fold that waits, of the network that was begun first; None where there is none."""
    for fit in turn.state.running:
        if fit.waiting and not fit.abandoned and not (fit.fills_gpu and fit.running):
            return _fold_of(turn, fit)
    return None


def _fold_of(turn: Turn, fit: RunningFit) -> FoldJob:
    """Take the next fold of a network."""
    setup, at = turn.state.setup, turn.at
    seconds, until = fit.proposal.seconds, math.inf
    if not setup.timeless:
        waves = math.ceil(len(fit.waiting) / setup.processes)
        # The safety net: schedules are sized to fit, so it only catches a machine that became much slower.
        left = math.inf if fit.late else at.left / waves
        until = at.now + max(5.0 / waves, min(2.0 * seconds + 5.0, left))
    fold, *others = fit.waiting
    job = FoldJob(fit.planned, fold, f"{setup.folder}/{fit.planned.model}", until, _LATE_SHARE * max(setup.began, 0.0))
    running = {**fit.running, fold: RunningFold(job, at.now + seconds)}
    turn.put(replace(fit, waiting=tuple(others), running=running))
    return job


def _settings(
    setup: Setup, key: str, seed: int, size: int, variant: int, chosen: dict[str, Any], *, gpu: bool
) -> dict[str, Any]:
    """Return AutoGluon's settings: those of the size, of the variant, and above all those that were chosen."""
    by_table = family(key).sample_settings(setup.rows, seed, size, gpu=gpu, columns=setup.columns)
    usual = usual_settings(key, variant, chosen, heavy_tails=setup.heavy_tails)
    return by_table | chosen_for_autogluon(key, usual | chosen)
