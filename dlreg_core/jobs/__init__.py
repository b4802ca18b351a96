"""Starting, watching and ending the processes that do the work; nothing here loads a deep learning library."""

from __future__ import annotations

from dlreg_core.jobs.backend import JobBackend
from dlreg_core.jobs.dispatcher import Dispatcher, open_dispatcher
from dlreg_core.jobs.inline_backend import InlineBackend
from dlreg_core.jobs.local_processes import LocalProcesses
from dlreg_core.jobs.run_service import RunService, open_run_service

__all__ = [
    "Dispatcher",
    "InlineBackend",
    "JobBackend",
    "LocalProcesses",
    "RunService",
    "open_dispatcher",
    "open_run_service",
]
