"""Workers as processes of this machine."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress

import psutil

from dlreg_core.errors import WorkError
from dlreg_core.jobs.child_environment import module_environment
from dlreg_core.jobs.device_slots import Slot
from dlreg_core.jobs.standby_process import STAND_BY, StandbyProcess, StandbyState
from dlreg_core.runs import MARK, TaskFolder
from dlreg_core.specs import Launch

_SECONDS_TO_END = 5.0
_WORKER = "dlreg_core.worker"


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module of this package with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


class LocalProcesses:
    """Starts each worker in a session of its own, so that it outlives the server and the browser."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[bytes]] = []
        self._standing = StandbyProcess(_standing_by)
        # A page and the server's own watch may start and collect workers at the same moment.
        self._lock = threading.Lock()

    def launch(self, task: TaskFolder, slot: Slot | None) -> None:
        """Start a worker; what it prints goes to the task's ``log.txt``.

        Raises
        ------
        ConflictError
            If the task has been started already.
        """
        task.mark_launched(Launch(slot=slot.name if slot else "", cores=slot.cores if slot else None))
        environment = _gpu_environment(slot)
        taken = self._standing.give(task, environment)
        child = taken.process if taken is not None else _started_for(task, environment)
        with self._lock:
            self._children.append(child)
        task.note_process(child.pid, taken.mark if taken is not None else "")

    def stand_by(self, slot: Slot | None) -> None:
        """Let one process load what workers need, for the next task that is launched on such a place."""
        self._standing.prepare(_gpu_environment(slot))

    def standing(self) -> StandbyState | None:
        """Return the process that stands by; None where none does."""
        return self._standing.standing()

    def close(self) -> None:
        """End the process that stands by; those with a task go on."""
        self._standing.close()

    def kill(self, task: TaskFolder) -> None:
        """End the worker and all its children.

        Raises
        ------
        WorkError
            If one of them doesn't end.
        """
        end = time.monotonic() + _SECONDS_TO_END
        # A process that is being ended may just have started another one: look again until there is none.
        while family := _family(task):
            for member in family:
                with suppress(psutil.Error):
                    member.kill()
            psutil.wait_procs(family, timeout=max(0.0, end - time.monotonic()))
            self.reap()
            if time.monotonic() > end:
                still = _family(task)
                if still:
                    raise WorkError(
                        f"Process {still[0].pid} of run {task.run.id} doesn't end.",
                        "It may wait for a disk or a GPU.",
                    )

    def reap(self) -> None:
        """Collect workers that have ended, so that they don't stay as zombies."""
        with self._lock:
            self._children = [child for child in self._children if child.poll() is None]


def _started_for(task: TaskFolder, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a worker for a task."""
    with (task.path / "log.txt").open("ab") as log:
        return subprocess.Popen(
            module_command(_WORKER, str(task.path)),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=module_environment(fetches=True) | {MARK: str(task.path)} | dict(environment),
            cwd=task.path,
        )


def _standing_by(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a worker that waits for its task."""
    return subprocess.Popen(
        module_command(_WORKER, STAND_BY),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        env=module_environment(fetches=True) | dict(environment),
    )


def _gpu_environment(slot: Slot | None) -> dict[str, str]:
    """Return what makes a worker see the GPU of its place, and no other; tasks without a place see all."""
    if slot is None:
        return {}
    return {"CUDA_VISIBLE_DEVICES": slot.gpu or ""}


def _family(task: TaskFolder) -> list[psutil.Process]:
    """Return the living processes of a task: its worker, its children, and children whose parent has died."""
    found: dict[int, psutil.Process] = {}
    for worker in (task.process(), task.arriving()):
        if worker is not None:
            with suppress(psutil.Error):
                found |= {member.pid: member for member in (worker, *worker.children(recursive=True))}
    mine = marks_of(task)
    for process in psutil.process_iter():
        # What belongs to other people can't be looked into, and isn't ours.
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) in mine:
                found[process.pid] = process
    return [member for member in found.values() if _is_alive(member)]


def marks_of(task: TaskFolder) -> frozenset[str]:
    """Return what may mark the environment of a task's processes."""
    launch = task.launch()
    return frozenset({str(task.path), launch.mark} if launch is not None and launch.mark else {str(task.path)})


def _is_alive(process: psutil.Process) -> bool:
    try:
        # An ended child of ours stays in the process table until it is reaped; it does no harm.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
