"""A run is a folder, a task is a folder in it, and done means that ``DONE`` exists.

::

    RUN/experiment.json            what the run is about
        tasks/1/task.json          what was asked
                launched.json      when a process was started for it
                started.json       which process took it
                worker.lock        held by that process for as long as it lives
                cancelling.json    when somebody began to end it
                events.jsonl       what happened, a line each
                log.txt            what the libraries printed
                result.json, …     what was found
                DONE               how it ended; from then on the folder is never changed

Whether a task is alive is told by the lock, which the operating system frees when the process ends however it ends;
never by a process number alone.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.runs.files import read_spec, write_spec, write_text
from dlreg_core.specs import Done, Event, Experiment, RunState, Task, TaskKind, TrainResult, now

LAUNCH_GRACE_SECONDS = 120.0
"""How long a started process may take until it holds its lock, on a machine that is short of everything."""


CANCEL_GRACE_SECONDS = 10.0
"""How long ending a task's processes may take until it counts as cancelled without a ``DONE``."""


@dataclass(frozen=True)
class EventLog:
    """Events read so far and the byte offset to go on from."""

    events: tuple[Event, ...]
    offset: int


class TaskFolder:
    """One task of a run.

    Parameters
    ----------
    path : Path
        The folder ``RUN/tasks/N``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def run(self) -> RunFolder:
        """The run that this task belongs to."""
        return RunFolder(self.path.parents[1])

    @property
    def number(self) -> int:
        """The task's number in its run, from 1."""
        return int(self.path.name)

    def task(self) -> Task:
        """Return what was asked."""
        return read_spec(self.path / "task.json", Task)

    # --- life ---------------------------------------------------------------------------------------------------

    def mark_launched(self) -> None:
        """Note that a process is being started for this task."""
        write_text(self.path / "launched.json", json.dumps({"time": now().isoformat()}))

    def launched(self) -> datetime:
        """Return the moment at which a process was started for this task, or now where none was noted."""
        path = self.path / "launched.json"
        if not path.exists():
            return now()
        return datetime.fromisoformat(json.loads(path.read_text())["time"])

    def started(self) -> datetime | None:
        """Return the moment at which a process took this task, or None while none has."""
        try:
            return datetime.fromisoformat(json.loads((self.path / "started.json").read_text())["time"])
        except FileNotFoundError:
            return None

    def mark_cancelling(self) -> None:
        """Note that this task's processes are being ended, so that nobody takes it for one whose worker died."""
        write_text(self.path / "cancelling.json", json.dumps({"time": now().isoformat()}))

    @contextmanager
    def hold(self, patience: float = 10.0) -> Iterator[Task]:
        """Take the task for this process, and keep it until the block ends.

        Parameters
        ----------
        patience : float
            Seconds to wait for another process to let go.

        Raises
        ------
        ConflictError
            If another process has it, or it is done.
        """
        lock = FileLock(self.path / "worker.lock")
        try:
            lock.acquire(timeout=patience)
        except Timeout as exc:
            raise ConflictError(f"Task {self.number} of run {self.run.id} is already being worked on.") from exc
        try:
            if self.done() is not None:
                raise ConflictError(f"Task {self.number} of run {self.run.id} is already done.")
            me = psutil.Process()
            started = {"pid": me.pid, "created": me.create_time(), "time": now().isoformat()}
            write_text(self.path / "started.json", json.dumps(started))
            # Whoever cancelled before there was a process to kill has written DONE in the meantime.
            if self.done() is not None:
                raise ConflictError(f"Task {self.number} of run {self.run.id} is already done.")
            yield self.task()
        finally:
            lock.release()

    def is_held(self) -> bool:
        """Tell whether a living process holds this task."""
        if not (self.path / "worker.lock").exists():
            return False
        lock = FileLock(self.path / "worker.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return True
        lock.release()
        return False

    def process(self) -> psutil.Process | None:
        """Return the process that took this task, if that very process still lives."""
        try:
            started = json.loads((self.path / "started.json").read_text())
            process = psutil.Process(int(started["pid"]))
            # A process number is used again: only the start time tells whether it is still the same process.
            same = abs(process.create_time() - float(started["created"])) < 1.0
        except (FileNotFoundError, psutil.Error, ValueError, KeyError, TypeError):
            return None
        return process if same else None

    def done(self) -> Done | None:
        """Return how the task ended, or None while it hasn't."""
        path = self.path / "DONE"
        return read_spec(path, Done) if path.exists() else None

    def finish(self, done: Done) -> None:
        """Write ``DONE``; the folder is never changed afterwards."""
        write_spec(self.path / "DONE", done)

    def state(self) -> RunState:
        """Derive the task's state from its folder alone."""
        done = self.done()
        if done is None and self.is_held():
            return RunState.RUNNING
        # The worker may have finished between the two looks.
        done = done or self.done()
        return done.state if done is not None else self._state_without_worker()

    def _state_without_worker(self) -> RunState:
        """Return the state of a task that isn't done and that no process holds."""
        if (self.path / "cancelling.json").exists():
            return RunState.RUNNING if self._age("cancelling.json") < CANCEL_GRACE_SECONDS else RunState.CANCELLED
        if (self.path / "started.json").exists():
            return RunState.INTERRUPTED
        if not (self.path / "launched.json").exists():
            return RunState.QUEUED
        return RunState.RUNNING if self._age("launched.json") < LAUNCH_GRACE_SECONDS else RunState.INTERRUPTED

    def _age(self, name: str) -> float:
        return now().timestamp() - (self.path / name).stat().st_mtime

    # --- events -------------------------------------------------------------------------------------------------

    def emit(self, kind: str, **data: Any) -> None:
        """Append an event; only the process that holds the task may call this."""
        path = self.path / "events.jsonl"
        event = {"time": now().isoformat(), "kind": kind, "data": data}
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(event) + "\n")

    def events(self, offset: int = 0) -> EventLog:
        """Return the events from byte `offset` on.

        A line that is still being written is left for the next call.
        """
        try:
            with (self.path / "events.jsonl").open("rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            return EventLog((), offset)
        whole = text.rfind(b"\n") + 1
        lines = text[:whole].splitlines()
        events = tuple(Event(**json.loads(line)) for line in lines if line)
        return EventLog(events, offset + whole)

    def log(self, last_bytes: int = 20_000) -> str:
        """Return the end of what the worker's libraries printed."""
        path = self.path / "log.txt"
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - last_bytes))
            return file.read().decode("utf-8", errors="replace")


class RunFolder:
    """One run.

    Parameters
    ----------
    path : Path
        The folder ``HOME/runs/RUN_ID``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def id(self) -> str:
        """The run's identifier: the name of its folder."""
        return self.path.name

    @property
    def home(self) -> Path:
        """The home that holds this run and its data sets."""
        return self.path.parents[1]

    def experiment(self) -> Experiment:
        """Return what the run is about."""
        return read_spec(self.path / "experiment.json", Experiment)

    def tasks(self) -> tuple[TaskFolder, ...]:
        """Return the run's tasks by number."""
        folder = self.path / "tasks"
        numbers = sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit()) if folder.exists() else []
        return tuple(TaskFolder(folder / str(number)) for number in numbers)

    def task(self, number: int) -> TaskFolder:
        """Return the task with that number.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        folder = TaskFolder(self.path / "tasks" / str(number))
        if not folder.path.is_dir():
            raise NotFoundError(f"Run {self.id} has no task {number}.")
        return folder

    def add_task(self, kind: TaskKind, **request: Any) -> TaskFolder:
        """Create the folder of a new task.

        Raises
        ------
        ConflictError
            If another one was added at the same moment.
        """
        taken = [task.number for task in self.tasks()]
        number = max(taken, default=0) + 1
        task = Task(run_id=self.id, number=number, kind=kind, **request)
        folder = self.path / "tasks"
        folder.mkdir(parents=True, exist_ok=True)
        # The folder appears under its number only when it is complete.
        building = Path(tempfile.mkdtemp(prefix=f".{number}-", dir=folder))
        building.chmod(0o755)
        write_spec(building / "task.json", task)
        try:
            building.rename(folder / str(number))
        except OSError as exc:
            shutil.rmtree(building)
            raise ConflictError(f"Another task of run {self.id} was added at the same moment.", "Try again.") from exc
        return TaskFolder(folder / str(number))

    def train_task(self) -> TaskFolder:
        """Return the task that trained this run's models (the latest one)."""
        for folder in reversed(self.tasks()):
            if folder.task().kind is TaskKind.TRAIN:
                return folder
        raise NotFoundError(f"Run {self.id} has no training task.")

    def result(self) -> TrainResult | None:
        """Return what training found, or None while there is nothing."""
        path = self.train_task().path / "result.json"
        return read_spec(path, TrainResult) if path.exists() else None

    def delete(self) -> None:
        """Remove everything of this run."""
        shutil.rmtree(self.path)
