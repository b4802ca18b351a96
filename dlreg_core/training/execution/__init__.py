"""The trainings themselves, and the processes that do them."""

from __future__ import annotations

from dlreg_core.training.execution.fork_server import serve_processes
from dlreg_core.training.execution.process_pool import TrainingPool, prefer_loaded, processes_for

__all__ = [
    "TrainingPool",
    "prefer_loaded",
    "processes_for",
    "serve_processes",
]
