"""Families that a run does without, and why."""

from __future__ import annotations

import math

from dlreg_core.networks import family, network
from dlreg_core.training.scheduler.scheduler_messages import Notice
from dlreg_core.training.scheduler.scheduler_state import Turn


def skip(turn: Turn, key: str) -> None:
    """Leave a family out for which there is no time."""
    state = turn.state
    # One that was only to show something soon is a network all the same.
    if key in state.reasons or any(one.fit.family == key for one in state.done):
        return
    if state.ended:
        reason = "Skipped: training was ended before its turn."
    elif key in state.speeds:
        needed = state.speeds[key].least(family(key)) * state.setup.waves
        left = max(0.0, state.capacity(turn.at).longest * state.setup.waves)
        reason = f"Skipped: {too_late_words(needed, left)}"
    else:
        reason = "Skipped: too little time was left even to measure how fast it trains."
    leave_out(turn, key, family(key).title, reason)


def leave_out(turn: Turn, key: str, model: str, reason: str) -> None:
    """Leave a family out for a reason that is known."""
    turn.change(reasons={**turn.state.reasons, key: reason})
    turn.actions.append(Notice("model_skipped", {"model": model, "reason": reason}))


def fail(turn: Turn, key: str, reason: str, model: str = "") -> None:
    """Say that a network could not be trained; its family has failed where it has no other one."""
    if all(one.fit.family != key for one in turn.state.done):
        turn.change(reasons={**turn.state.reasons, key: f"Failed: {reason}"})
    turn.actions.append(Notice("model_failed", {"model": model or network(key).title, "reason": reason}))


def too_late_words(needed: float, left: float) -> str:
    """Return why there was no time for a family, by the seconds that it needs and those that were left for it."""
    need = f"it needs about {math.ceil(needed):,} s to train to something useful on this table"
    if needed <= left:
        # A search keeps most of it for its trials.
        return f"{need}, which is more than its share of the time."
    # Rounded apart: 12.3 of 12.1 s must not read as 12 of 12.
    return f"{need}, and {math.floor(left):,} s were left for it."
