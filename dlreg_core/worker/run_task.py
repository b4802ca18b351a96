"""One task of a run, done from start to end."""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from typing import TYPE_CHECKING

from dlreg_core.errors import DlregError
from dlreg_core.logs import print_error
from dlreg_core.runs import OUT_OF_MEMORY_HINT, TaskFolder, lacked_memory
from dlreg_core.specs import Done, RunState, Task, TaskKind
from dlreg_core.wording import loading_words
from dlreg_core.worker.heartbeat import Heartbeat

if TYPE_CHECKING:
    from collections.abc import Callable


def work(folder: TaskFolder) -> Done:
    """Do a task and write how it ended.

    Parameters
    ----------
    folder : TaskFolder
        The task.

    Returns
    -------
    Done
        How it ended; it is in the folder too.

    Raises
    ------
    ConflictError
        If another process has the task, or it was worked on before.
    """
    with folder.hold() as task:
        limit = folder.time_limit() if task.kind.trains else 0.0
        try:
            do = _kinds()[task.kind]
            ready = folder.mark_ready()
            if task.kind.trains:
                folder.emit("log", text=loading_words(ready.loading))
            with Heartbeat(folder, limit, os.environ.get("CUDA_VISIBLE_DEVICES", "")):
                do(folder, task)
            done = Done(state=RunState.COMPLETED)
        except Exception as exc:  # noqa: BLE001 - the end of the process: whatever it was must reach the person
            _log_error(exc)
            done = _ending(exc)
        folder.finish(done)
    return done


def _ending(error: Exception) -> Done:
    """Return what a person is told of a task that an error has ended."""
    if lacked_memory(error):
        gpu = "cuda" in str(error).lower()
        return Done(
            state=RunState.FAILED,
            reason=f"The {'GPU' if gpu else 'machine'} ran out of memory.",
            hint=OUT_OF_MEMORY_HINT,
        )
    if isinstance(error, DlregError):
        return Done(state=RunState.FAILED, reason=error.message, hint=error.hint)
    return _full_disk(error) or Done(
        state=RunState.FAILED,
        reason=f"Something unforeseen went wrong ({type(error).__name__}: {error}).",
        hint="The log of the run has the details.",
    )


def _log_error(error: Exception) -> None:
    # With a full disk, or without memory, the log can't be written either.
    with suppress(OSError, MemoryError):
        print_error(error)


def _full_disk(error: BaseException) -> Done | None:
    """Return the ending of a run for which the disk was full; None if that wasn't the reason."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, OSError) and found.errno in (errno.ENOSPC, errno.EDQUOT):
            return Done(
                state=RunState.FAILED,
                reason="The disk is full.",
                hint="Delete runs that aren't needed any more, or give the server more space; then continue this run.",
            )
        found = found.__cause__ or found.__context__
    return None


def _kinds() -> dict[TaskKind, Callable[[TaskFolder, Task], None]]:
    # Imported here: a task must be taken before what it needs is loaded, where that wasn't done in advance.
    from dlreg_core.worker.explain_task import explain_run
    from dlreg_core.worker.train_task import train_run

    return {TaskKind.TRAIN: train_run, TaskKind.CONTINUE: train_run, TaskKind.EXPLAIN: explain_run}
