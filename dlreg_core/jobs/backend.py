"""What something must be able to do to run tasks: a local process, a cluster, or a test."""

from __future__ import annotations

from typing import Protocol

from dlreg_core.jobs.device_slots import Slot
from dlreg_core.jobs.standby_process import StandbyState
from dlreg_core.runs import TaskFolder


class JobBackend(Protocol):
    """Runs tasks. Whether one is alive is told by its folder, never by the backend."""

    def launch(self, task: TaskFolder, slot: Slot | None) -> None:
        """Start a worker for `task` on a place and return at once; on none where the task needs none."""

    def kill(self, task: TaskFolder) -> None:
        """End the worker of `task` with all its children; return when they are gone."""

    def reap(self) -> None:
        """Forget workers that have ended."""

    def stand_by(self, slot: Slot | None) -> None:
        """Prepare for a task on such a place, where that makes its start quicker; return at once."""

    def standing(self) -> StandbyState | None:
        """Return what was prepared; None where nothing is."""

    def close(self) -> None:
        """Give up what was prepared; workers go on."""
