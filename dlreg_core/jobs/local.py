"""Workers as processes of this machine."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

import dlreg_core
from dlreg_core.errors import WorkError
from dlreg_core.runs import TaskFolder

_SECONDS_TO_END = 5.0


def module_command(module: str, *arguments: str) -> list[str]:
    """Return the command line that runs a module of this package with this interpreter."""
    return [sys.executable, "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """Return the environment in which this package is found, from whatever folder the process starts."""
    root = str(Path(dlreg_core.__file__).resolve().parents[1])
    paths = [root, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths)), "PYTHONUNBUFFERED": "1"}


class LocalProcesses:
    """Starts each worker in a session of its own, so that it outlives the server and the browser."""

    def __init__(self) -> None:
        self._children: list[subprocess.Popen[bytes]] = []

    def launch(self, task: TaskFolder) -> None:
        """Start a worker; what it prints goes to the task's ``log.txt``."""
        task.mark_launched()
        with (task.path / "log.txt").open("ab") as log:
            child = subprocess.Popen(
                module_command("dlreg_core.worker", str(task.path)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=module_environment(),
                cwd=task.path,
            )
        self._children.append(child)

    def kill(self, task: TaskFolder) -> None:
        """End the worker and all its children.

        Raises
        ------
        WorkError
            If one of them doesn't end.
        """
        process = task.process()
        if process is None:
            return
        try:
            family = [*process.children(recursive=True), process]
        except psutil.NoSuchProcess:
            return
        for member in family:
            try:
                member.kill()
            except psutil.NoSuchProcess:
                continue
        _, alive = psutil.wait_procs(family, timeout=_SECONDS_TO_END)
        self.reap()
        # A killed child of ours stays in the process table until it is reaped; it does no harm.
        still = [member for member in alive if member.is_running() and member.status() != psutil.STATUS_ZOMBIE]
        if still:
            raise WorkError(
                f"Process {still[0].pid} of run {task.run.id} doesn't end.", "It may wait for a disk or a GPU."
            )

    def reap(self) -> None:
        """Collect workers that have ended, so that they don't stay as zombies."""
        self._children = [child for child in self._children if child.poll() is None]
