"""Signs of life, and what became of a task whose worker is gone without a word."""

from __future__ import annotations

import re

from dlreg_core.errors import NotFoundError
from dlreg_core.runs.machine import oom_kills, seconds_since
from dlreg_core.runs.run_folder import RunFolder, TaskFolder
from dlreg_core.specs import Done, RunState, TaskKind

_MUCH = 0.92
"""Share of the machine's memory in use from which on its lack is the likely reason of a sudden end."""

_NO_MEMORY = "The machine ran out of memory, and ended it."
OUT_OF_MEMORY_HINT = "Use fewer rows, columns or networks, or a machine with more memory."


def post_mortem(task: TaskFolder) -> Done:
    """Tell how a task ended whose worker took it, and let go of it without writing ``DONE``.

    Parameters
    ----------
    task : TaskFolder
        A task that has a ``started.json``, that nobody holds and that isn't done.

    Returns
    -------
    Done
        `RunState.INTERRUPTED` when the machine was restarted, else `RunState.FAILED`; `RunState.COMPLETED` in the rare
        case that everything was written but that word.
    """
    state = task.state_without_word()
    if state is RunState.COMPLETED:
        return Done(state=state)
    keep = _what_is_kept(task)
    if state is RunState.INTERRUPTED:
        return Done(state=state, reason="The machine was restarted while it was going on.", hint=keep)
    crash = re.search(r"^Fatal Python error: (.+)$", task.log(), re.MULTILINE)
    if _ran_out_of_memory(task):
        reason, advice = _NO_MEMORY, OUT_OF_MEMORY_HINT
    elif crash is not None:
        reason, advice = f"Its process crashed ({crash[1].strip()}).", "The log has the details."
    else:
        reason = "Its process was ended from outside before it was done."
        advice = "Somebody or the system killed it; if nobody did, the machine may lack memory."
    return Done(state=state, reason=reason, hint=f"{advice} {keep}".strip())


def never_began(task: TaskFolder, state: RunState) -> Done:
    """Tell how a task ended, in that state, whose processes were gone before one of them took it."""
    launch, kills = task.launch(), oom_kills()
    known = launch.oom_kills if launch is not None else None
    if known is not None and kills is not None and kills > known:
        return Done(state=state, reason=_NO_MEMORY, hint=OUT_OF_MEMORY_HINT)
    return Done(state=state, reason="Its process could not be started.", hint="The log of the run has the details.")


def silent_seconds(task: TaskFolder) -> float:
    """Return how long a running task has given no sign of life.

    A sign is progress that was reported, or processor time that was used; a process that merely exists gives none.
    """
    try:
        pulse, start = task.pulse(), task.start()
    except NotFoundError:
        return 0.0
    if pulse is not None:
        return seconds_since(pulse.active, pulse.time)
    return seconds_since(start.instant, start.time) if start is not None else 0.0


def keepable(run: RunFolder) -> tuple[str, ...]:
    """Return the networks that a run has finished, that are in no result, and that can become one."""
    latest = run.train_task()
    done = latest.done()
    if done is not None and done.state is RunState.COMPLETED:
        return ()
    source = source_of(run)
    result = run.result()
    judged = {fit.model for fit in result.plan.fits} if result is not None else set()
    return tuple(name for name in _finished(source) if name not in judged) if source is not None else ()


def source_of(run: RunFolder) -> TaskFolder | None:
    """Return the latest training task that has finished a network, which has those of all before it too."""
    return next((task for task in reversed(run.tasks()) if task.task().kind.trains and _finished(task)), None)


def _finished(task: TaskFolder) -> tuple[str, ...]:
    return tuple(done.fit.model for done in task.checkpoint().fits)


def _what_is_kept(task: TaskFolder) -> str:
    try:
        asked = task.task()
        if asked.kind is TaskKind.EXPLAIN:
            return "Ask for it again."
        source = asked.more.source if asked.more is not None else None
        before = _finished(task.run.task(source)) if source is not None else ()
        names = [name for name in _finished(task) if name not in before]
    except NotFoundError:
        return ""
    if len(names) > 1:
        return f"The {len(names)} networks that were finished are still there: keep them, or continue from them."
    if names:
        return f"{names[0]} was finished and is still there: keep it, or continue from it."
    return "What there was before is unchanged." if before else "No network was finished yet; start it again."


def _ran_out_of_memory(task: TaskFolder) -> bool:
    start, kills = task.known_start(), oom_kills()
    if start is not None and kills is not None and start.oom_kills is not None and kills > start.oom_kills:
        return True
    uses = [event.data for event in task.events().events if event.kind == "resources"]
    if not uses:
        return False
    last = uses[-1]
    return float(last.get("machine_used", 0.0)) > _MUCH
