"""Starting, watching and ending the processes that do the work; nothing here loads a deep learning library."""

from __future__ import annotations

from dlreg_core.jobs.backend import JobBackend
from dlreg_core.jobs.desk import Desk, open_desk
from dlreg_core.jobs.dispatcher import Dispatcher, open_dispatcher
from dlreg_core.jobs.inline import InlineBackend
from dlreg_core.jobs.local import LocalProcesses
from dlreg_core.jobs.scoring import Scorer, open_scorer

__all__ = [
    "Desk",
    "Dispatcher",
    "InlineBackend",
    "JobBackend",
    "LocalProcesses",
    "Scorer",
    "open_desk",
    "open_dispatcher",
    "open_scorer",
]
