"""A backend for tests: the worker's function runs at once, in this process."""

from __future__ import annotations

from collections.abc import Callable

from dlreg_core.jobs.device_slots import Slot
from dlreg_core.runs import TaskFolder
from dlreg_core.specs import Done, Launch


class InlineBackend:
    """Does each task when it is launched.

    Parameters
    ----------
    work : callable
        The worker's function; it is handed in, so that this module needs no deep learning library.
    """

    def __init__(self, work: Callable[[TaskFolder], Done]) -> None:
        self._work = work

    def launch(self, task: TaskFolder, slot: Slot | None) -> None:
        """Do the task."""
        task.mark_launched(Launch(slot=slot.name if slot else "", cores=slot.cores if slot else None))
        self._work(task)

    def kill(self, task: TaskFolder) -> None:
        """Do nothing: a task that was launched is done."""

    def reap(self) -> None:
        """Do nothing: there are no processes."""

    def stand_by(self, slot: Slot | None) -> None:
        """Do nothing: there is nothing to load."""

    def standing(self) -> None:
        """Return that nothing stands by."""

    def close(self) -> None:
        """Do nothing."""
