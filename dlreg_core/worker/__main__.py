"""Entry point of the worker process: ``python -m dlreg_core.worker RUN/tasks/N``."""

from __future__ import annotations

import faulthandler
import os
import sys
from pathlib import Path

from dlreg_core.runs.folder import TaskFolder
from dlreg_core.specs import RunState
from dlreg_core.worker.work import work

_NICENESS = 5
"""Pages answer at once although all cores train."""


def main() -> None:
    """Do the task that the command line names; exit with 0 only when it was completed."""
    # A crash in a library leaves its name in the log.
    faulthandler.enable()
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    # Libraries that would ask a hub, or draw on a display, must not.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("MPLBACKEND", "Agg")
    done = work(TaskFolder(Path(sys.argv[1])))
    sys.exit(0 if done.state is RunState.COMPLETED else 1)


if __name__ == "__main__":
    main()
