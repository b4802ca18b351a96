"""One task of a run, done from start to end."""

from __future__ import annotations

import errno
import os
import traceback
from contextlib import suppress
from typing import TYPE_CHECKING

from dlreg_core.errors import DlregError
from dlreg_core.report.run_words import loading_words
from dlreg_core.runs.folder import TaskFolder
from dlreg_core.runs.life import OUT_OF_MEMORY_HINT
from dlreg_core.specs import Done, RunState, Task, TaskKind
from dlreg_core.worker.heart import Heart

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
            with Heart(folder, limit, os.environ.get("CUDA_VISIBLE_DEVICES", "")):
                do(folder, task)
            done = Done(state=RunState.COMPLETED)
        except DlregError as exc:
            _log_error()
            done = Done(state=RunState.FAILED, reason=exc.message, hint=exc.hint)
        except MemoryError:
            _log_error()
            done = Done(
                state=RunState.FAILED,
                reason="The machine ran out of memory.",
                hint=OUT_OF_MEMORY_HINT,
            )
        except Exception as exc:  # noqa: BLE001 - the end of the process: whatever it was must reach the person
            _log_error()
            done = _full_disk(exc) or Done(
                state=RunState.FAILED,
                reason=f"Something unforeseen went wrong ({type(exc).__name__}: {exc}).",
                hint="The log of the run has the details.",
            )
        folder.finish(done)
    return done


def _log_error() -> None:
    # With a full disk the log can't be written either.
    with suppress(OSError):
        traceback.print_exc()


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
    from dlreg_core.worker.explain import explain_run
    from dlreg_core.worker.train import train_run

    return {TaskKind.TRAIN: train_run, TaskKind.CONTINUE: train_run, TaskKind.EXPLAIN: explain_run}
