"""Entry point of the worker process: ``python -m dlreg_core.worker RUN/tasks/N``, or ``--stand-by``."""

from __future__ import annotations

import faulthandler
import os
import sys
from pathlib import Path

from dlreg_core.jobs import STAND_BY
from dlreg_core.logs import keep_plain
from dlreg_core.runs import TaskFolder, keep_private
from dlreg_core.specs import RunState
from dlreg_core.worker.run_task import work
from dlreg_core.worker.standby import load, stand_by

_NICENESS = 5
"""Pages answer at once although all cores train."""


def main() -> None:
    """Do the task that the command line names, or the one that comes while it stands by.

    Exits with 0 only when the task was completed, or none came.
    """
    keep_private()
    keep_plain()
    # A crash in a library leaves its name in the log.
    faulthandler.enable()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    # Libraries that would ask a hub, or draw on a display, must not.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("MPLBACKEND", "Agg")
    task = stand_by() if sys.argv[1:] == [STAND_BY] else _started_for(TaskFolder(Path(sys.argv[1])))
    if task is not None:
        sys.exit(0 if work(task).state is RunState.COMPLETED else 1)


def _started_for(task: TaskFolder) -> TaskFolder:
    """Load what a task needs, before anything else runs in this process: only then can processes be copies of it."""
    if task.task().kind.trains:
        load()
    return task


if __name__ == "__main__":
    main()
