"""Workers as processes of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import psutil

import dlreg_core
from dlreg_core.errors import WorkError
from dlreg_core.jobs.slots import Slot
from dlreg_core.runs import TaskFolder
from dlreg_core.runs.task import MARK
from dlreg_core.specs import Launch

_SECONDS_TO_END = 5.0


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module of this package with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """Return the environment in which this package is found, from whatever folder the process starts.

    Threads of a network's arithmetic that wait for each other sleep: by default they keep their cores busy with
    waiting, and with one core taken by anything else a step takes ten times as long.
    """
    root = str(Path(dlreg_core.__file__).resolve().parents[1])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    own = {"PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUNBUFFERED": "1"}
    return {"OMP_WAIT_POLICY": "PASSIVE", **os.environ, **own}


class LocalProcesses:
    """Starts each worker in a session of its own, so that it outlives the server and the browser."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[bytes]] = []
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
        with (task.path / "log.txt").open("ab") as log:
            child = subprocess.Popen(
                module_command("dlreg_core.worker", str(task.path)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=module_environment() | {MARK: str(task.path)} | _gpu_environment(slot),
                cwd=task.path,
            )
        with self._lock:
            self._children.append(child)
        task.note_process(child.pid)

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


def _gpu_environment(slot: Slot | None) -> dict[str, str]:
    """Return what makes a worker see the GPU of its place, and no other; tasks without a place see all."""
    if slot is None:
        return {}
    return {"CUDA_VISIBLE_DEVICES": slot.gpu or ""}


def _family(task: TaskFolder) -> list[psutil.Process]:
    """Return the living processes of a task: its worker, its children, and children whose parent has died."""
    found: dict[int, psutil.Process] = {}
    worker = task.process()
    if worker is not None:
        with suppress(psutil.Error):
            found |= {member.pid: member for member in (worker, *worker.children(recursive=True))}
    mine = str(task.path)
    for process in psutil.process_iter():
        # What belongs to other people can't be looked into, and isn't ours.
        with suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mine:
                found[process.pid] = process
    return [member for member in found.values() if _is_alive(member)]


def _is_alive(process: psutil.Process) -> bool:
    try:
        # An ended child of ours stays in the process table until it is reaped; it does no harm.
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False
