"""The worker's side of standing by: load everything, wait for a task, and become its worker."""

from __future__ import annotations

import json
import os
import select
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from dlreg_core.jobs import IDLE_SECONDS, READY
from dlreg_core.runs import MARK, TaskFolder
from dlreg_core.training.execution import prefer_loaded, serve_processes

_NEEDED = ("dlreg_core.training.execution.preload", "dlreg_core.worker.train_task", "dlreg_core.worker.explain_task")


def load() -> None:
    """Load all that training and explaining will need, and let the processes have it too."""
    for name in _NEEDED:
        import_module(name)
    prefer_loaded()
    serve_processes()


def stand_by(idle_seconds: float = IDLE_SECONDS) -> TaskFolder | None:
    """Load everything, and wait for a task on the standard input; None where none comes.

    Afterwards this process is as if it had been started for the task: what it prints goes to the task's log, and it
    works in the task's folder.
    """
    answers = os.dup(1)
    _connect(Path(os.devnull), 1, 2)
    load()
    # Whoever couldn't wait has given it its task already, and listens no more.
    with suppress(BrokenPipeError):
        os.write(answers, READY)
    os.close(answers)
    while select.select([0], [], [], idle_seconds)[0]:
        line = _line()
        if not line:
            return None
        if line.strip():
            task = TaskFolder(Path(json.loads(line)["task"]))
            _connect(task.path / "log.txt", 1, 2)
            _connect(Path(os.devnull), 0)
            os.environ[MARK] = str(task.path)
            os.chdir(task.path)
            return task
    return None


def _line() -> bytes:
    """Read one line from the standard input, and not a byte more; empty at its end."""
    line = b""
    while not line.endswith(b"\n"):
        byte = os.read(0, 1)
        if not byte:
            return b""
        line += byte
    return line


def _connect(path: Path, *numbers: int) -> None:
    """Let some file descriptors of this process lead to a file, which is added to."""
    mode = os.O_RDWR | os.O_APPEND | os.O_CREAT
    opened = os.open(path, mode, 0o644)
    for number in numbers:
        os.dup2(opened, number)
    os.close(opened)
