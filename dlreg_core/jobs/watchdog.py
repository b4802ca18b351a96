"""Whether a task that runs has to be ended: one that has lost its way, or gives no sign of life."""

from __future__ import annotations

from dataclasses import dataclass

from dlreg_core.errors import NotFoundError
from dlreg_core.jobs.observed_time import ObservedTime
from dlreg_core.runs import TaskFolder
from dlreg_core.specs import Instant

_WITHOUT_NETWORK = 4.0
"""A run that has no network yet may overrun its budget by this multiple of what others may."""

_SECOND_LOOK_SECONDS = 5.0
"""What took too long is looked at once more after so long, before it is ended."""


@dataclass(frozen=True)
class WatchdogLimits:
    """When a run is ended that doesn't end by itself.

    Attributes
    ----------
    silence : float
        Seconds of watching without a sign of life.
    overrun, overrun_seconds : float
        A run may take its budget times the first, plus the second. It plans to keep its budget, so this catches only
        one that has lost its way.
    """

    silence: float = 300.0
    overrun: float = 1.5
    overrun_seconds: float = 120.0


def reason_to_end(task: TaskFolder, limits: WatchdogLimits, observed: ObservedTime) -> str:
    """Return the sentence that says why a running task has to be ended; empty where it doesn't.

    Parameters
    ----------
    task : TaskFolder
        A task that runs.
    limits : WatchdogLimits
        What it may take.
    observed : ObservedTime
        What has been seen so far.
    """
    me = str(task.path)
    if task.start() is None:
        loading = observed.lasting((me, "sign"), "loading")
        if loading > limits.silence:
            return f"Its libraries were not loaded after {loading / 60:.0f} min, and it was ended."
        return ""
    active, lived = _signs(task)
    silent = observed.lasting((me, "sign"), active)
    if silent > limits.silence:
        return f"It gave no sign of life for {silent / 60:.0f} min and was ended."
    if not task.task().kind.trains:
        return ""
    limit = task.time_limit()
    most = limit * limits.overrun + limits.overrun_seconds
    if not task.checkpoint().fits:
        # Its first network is trained however late: without one, it would end with nothing.
        most *= _WITHOUT_NETWORK
    if lived <= most:
        observed.forget((me, "overrun"))
    elif observed.lasting((me, "overrun"), "over") >= _SECOND_LOOK_SECONDS:
        return f"It had {limit:.0f} s, was still going after {lived:.0f} s, and was ended."
    return ""


def forget_observed(task: TaskFolder, observed: ObservedTime) -> None:
    """Forget what was seen of a task that has ended."""
    for what in ("sign", "overrun"):
        observed.forget((str(task.path), what))


def _signs(task: TaskFolder) -> tuple[Instant | None, float]:
    """Return a task's last sign of life, and for how long it has worked.

    The worker's own reckoning leaves out the time for which it was held up together with its machine.
    """
    try:
        pulse = task.pulse()
    except NotFoundError:
        # Of another version: it runs, and what it writes tells nothing here.
        return None, 0.0
    # Without a single one, its silence is counted from the first look at it.
    return (pulse.active, pulse.lived) if pulse is not None else (None, 0.0)
