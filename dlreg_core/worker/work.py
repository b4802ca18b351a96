"""One task of a run, done from start to end."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

from dlreg_core.errors import DlregError
from dlreg_core.runs.folder import TaskFolder
from dlreg_core.specs import Done, RunState, Task, TaskKind

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
        If another process has the task.
    """
    with folder.hold() as task:
        try:
            _kinds()[task.kind](folder, task)
            done = Done(state=RunState.COMPLETED)
        except DlregError as exc:
            traceback.print_exc()
            done = Done(state=RunState.FAILED, reason=exc.message, hint=exc.hint)
        except MemoryError:
            traceback.print_exc()
            done = Done(
                state=RunState.FAILED,
                reason="The machine ran out of memory.",
                hint="Use fewer rows or columns, or a machine with more memory.",
            )
        except Exception as exc:  # noqa: BLE001 - the end of the process: whatever it was must reach the person
            traceback.print_exc()
            done = Done(
                state=RunState.FAILED,
                reason=f"Something unforeseen went wrong ({type(exc).__name__}: {exc}).",
                hint="The log of the run has the details.",
            )
        folder.finish(done)
    return done


def _kinds() -> dict[TaskKind, Callable[[TaskFolder, Task], None]]:
    # Imported here: taking the task must not wait for AutoGluon, which takes seconds to load.
    from dlreg_core.worker.explain import explain_run
    from dlreg_core.worker.train import train_run

    return {TaskKind.TRAIN: train_run, TaskKind.EXPLAIN: explain_run}
