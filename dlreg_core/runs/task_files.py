"""The files of one task: a folder that one process works on at a time.

Whether a task is alive is told by its lock, which the operating system frees when the process ends however it ends;
never by a process number alone.
"""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from filelock import FileLock, Timeout

from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.runs.atomic_files import read_spec, write_new, write_spec, write_text
from dlreg_core.runs.machine import boot_id, born, instant, living, oom_kills, seconds_since
from dlreg_core.specs import Checkpoint, Done, Event, Launch, Moment, Pulse, Ready, RunState, Start, Task, now

LAUNCH_GRACE_SECONDS = 20.0
"""How long whoever launches a worker may take to note its process number."""

CANCEL_GRACE_SECONDS = 10.0
"""How long ending a task's processes may take until it counts as cancelled without a ``DONE``."""

MOST_LAUNCHES = 3
"""A task whose process never gets as far as taking it is launched this often."""

MARK = "DLREG_TASK"
"""Environment variable that names the task to which a process, and every child of it, belongs."""

_RESERVE_BYTES = 256 * 1024
_writing = threading.Lock()


@dataclass(frozen=True)
class EventLog:
    """Events read so far and the byte offset to go on from."""

    events: tuple[Event, ...]
    offset: int


class TaskFiles:
    """One task, as far as its own folder tells.

    Parameters
    ----------
    path : Path
        The folder ``RUN/tasks/N``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def run_id(self) -> str:
        """The identifier of the run that this task belongs to."""
        return self.path.parents[1].name

    @property
    def number(self) -> int:
        """The task's number in its run, from 1."""
        return int(self.path.name)

    def task(self) -> Task:
        """Return what was asked."""
        return read_spec(self.path / "task.json", Task)

    # --- starting -----------------------------------------------------------------------------------------------

    def mark_launched(self, launch: Launch | None = None) -> None:
        """Note that a process is about to be started for this task.

        Raises
        ------
        ConflictError
            If somebody else has noted that before.
        """
        launch = launch or Launch()
        launch = launch.model_copy(update={"instant": launch.instant or instant(), "oom_kills": oom_kills()})
        if not write_new(self.path / "launched.json", launch.model_dump_json()):
            raise ConflictError(f"Task {self.number} of run {self.run_id} has been started already.")

    def note_process(self, pid: int, mark: str = "") -> None:
        """Add the process that was started to the note of `mark_launched`, and what marks it where that is no path."""
        try:
            process_born = born(pid)
        except psutil.Error:
            # Gone already; what no process is says so.
            process_born = "gone"
        launch = self.launch() or Launch()
        process = {"pid": pid, "born": process_born, "mark": mark}
        write_spec(self.path / "launched.json", launch.model_copy(update=process))

    def launch(self) -> Launch | None:
        """Return the note that a process was started for this task, or None while none was."""
        path = self.path / "launched.json"
        return read_spec(path, Launch) if path.exists() else None

    def launched(self) -> datetime:
        """Return the moment at which a process was started for this task, or now where none was noted."""
        launch = self.launch()
        return launch.time if launch is not None else now()

    def since_launch(self) -> float:
        """Return the seconds since a process was started for this task; 0 where none was noted."""
        launch = self.launch()
        return seconds_since(launch.instant, launch.time) if launch is not None else 0.0

    def mark_ready(self) -> Ready:
        """Note that the process of this task has loaded what it needs; the budget counts from here."""
        ready = Ready(instant=instant(), loading=self.since_launch())
        write_spec(self.path / "ready.json", ready)
        return ready

    def ready(self) -> Ready | None:
        """Return the note that the process of this task has loaded what it needs, or None while it hasn't."""
        path = self.path / "ready.json"
        return read_spec(path, Ready) if path.exists() else None

    def begun(self) -> datetime | None:
        """Return the moment from which the budget counts, or None while a process still loads what it needs.

        Tasks of earlier versions, whose budget held the loading too, count from their launch.
        """
        ready = self.ready()
        if ready is not None:
            return ready.time
        return self.launched() if self.done() is not None else None

    def used_seconds(self) -> float:
        """Return how much of its budget the task has used, while it runs; 0 while its process loads."""
        ready = self.ready()
        if ready is not None:
            return seconds_since(ready.instant, ready.time)
        return self.since_launch() if self.done() is not None else 0.0

    def start(self) -> Start | None:
        """Return which process took this task, or None while none has."""
        path = self.path / "started.json"
        return read_spec(path, Start) if path.exists() else None

    def known_start(self) -> Start | None:
        """Return which process took this task, or None where none has, or a crash has spoilt its note."""
        try:
            return self.start()
        except NotFoundError:
            return None

    def started(self) -> datetime | None:
        """Return the moment at which a process took this task, or None while none has."""
        start = self.start()
        return start.time if start is not None else None

    def retry(self) -> None:
        """Forget a launch whose process never took the task, so that it can be launched again."""
        (self.path / "launched.json").rename(self.path / f"launched-{len(self._failed_launches()) + 1}.json")

    def _failed_launches(self) -> list[Path]:
        return list(self.path.glob("launched-*.json"))

    # --- life ---------------------------------------------------------------------------------------------------

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
            If another process has it, it is done, or another process had it before and died.
        """
        with self._locked(patience):
            if self.done() is not None:
                raise ConflictError(f"Task {self.number} of run {self.run_id} is already done.")
            if self.start() is not None:
                raise ConflictError(f"Task {self.number} of run {self.run_id} was worked on before.")
            me = psutil.Process()
            # Room for the last word, should the disk be full by then.
            (self.path / "reserve").write_bytes(bytes(_RESERVE_BYTES))
            start = Start(instant=instant(), pid=me.pid, born=born(me.pid), boot=boot_id(), oom_kills=oom_kills())
            write_spec(self.path / "started.json", start)
            # Whoever cancelled before there was a process to kill has written DONE in the meantime.
            if self.done() is not None:
                raise ConflictError(f"Task {self.number} of run {self.run_id} is already done.")
            yield self.task()

    @contextmanager
    def _locked(self, patience: float) -> Iterator[None]:
        lock = FileLock(self.path / "worker.lock")
        try:
            lock.acquire(timeout=patience)
        except Timeout as exc:
            raise ConflictError(f"Task {self.number} of run {self.run_id} is already being worked on.") from exc
        try:
            yield
        finally:
            lock.release()

    def is_held(self) -> bool:
        """Tell whether a living process holds this task."""
        if not (self.path / "worker.lock").exists():
            return False
        try:
            with self._locked(0):
                return False
        except ConflictError:
            return True

    def arriving(self) -> psutil.Process | None:
        """Return the process that was started for this task, if that very process still lives."""
        launch = self.launch()
        if launch is None or launch.pid is None:
            return None
        return living(launch.pid, launch.born, launch.created)

    def process(self) -> psutil.Process | None:
        """Return the process that took this task, if that very process still lives."""
        start = self.known_start()
        return living(start.pid, start.born, start.created) if start is not None else None

    def pulse(self) -> Pulse | None:
        """Return the worker's last sign of life, or None where it gave none."""
        path = self.path / "pulse.json"
        return read_spec(path, Pulse) if path.exists() else None

    # --- what others want of it ---------------------------------------------------------------------------------

    def mark_cancelling(self) -> None:
        """Note that this task's processes are being ended, so that nobody takes it for one whose worker died."""
        write_spec(self.path / "cancelling.json", Moment(instant=instant()))

    def ask_to_finish(self) -> None:
        """Ask the worker to stop training, and to make a result of what there is."""
        write_text(self.path / "finish.json", json.dumps({"time": now().isoformat()}))

    def is_asked_to_finish(self) -> bool:
        """Tell whether somebody wants the worker to finish."""
        return (self.path / "finish.json").exists()

    # --- how it ended -------------------------------------------------------------------------------------------

    def done(self) -> Done | None:
        """Return how the task ended, or None while it hasn't."""
        path = self.path / "DONE"
        return read_spec(path, Done) if path.exists() else None

    def finish(self, done: Done) -> None:
        """Write ``DONE``; the folder is never changed afterwards."""
        reserve = self.path / "reserve"
        try:
            write_spec(self.path / "DONE", done)
        except OSError as exc:
            if exc.errno not in (errno.ENOSPC, errno.EDQUOT) or not reserve.exists():
                raise
            reserve.unlink()
            write_spec(self.path / "DONE", done)
        reserve.unlink(missing_ok=True)

    def conclude(self, done: Done, patience: float = 0.0) -> bool:
        """Write ``DONE`` for a worker that is gone; False if one lives, or it has been written.

        Holding the lock meanwhile makes sure that nobody takes the task at the same moment.
        """
        try:
            with self._locked(patience):
                if self.done() is not None:
                    return False
                self.finish(done)
                return True
        except ConflictError:
            return False

    def state(self) -> RunState:
        """Derive the task's state from its folder alone."""
        done = self.done()
        if done is None and self.is_held():
            return RunState.RUNNING
        # The worker may have finished between the two looks.
        done = done or self.done()
        if done is not None:
            return done.state
        if (self.path / "cancelling.json").exists():
            cancelled = self._since("cancelling.json") >= CANCEL_GRACE_SECONDS
            return RunState.CANCELLED if cancelled else RunState.RUNNING
        if (self.path / "started.json").exists():
            return self.state_without_word()
        return self._state_before_start()

    def state_without_word(self) -> RunState:
        """Return how the task ended whose worker took it, and let go of it without writing ``DONE``."""
        if (self.path / "result.json").exists():
            # The result is the last thing that is written, in one step: only the word that it is done was missing.
            return RunState.COMPLETED
        start = self.known_start()
        return RunState.INTERRUPTED if start is not None and start.boot != boot_id() else RunState.FAILED

    def _state_before_start(self) -> RunState:
        launch = self.launch()
        if launch is not None:
            if launch.pid is not None:
                arriving = self.arriving() is not None
            else:
                arriving = self.since_launch() < LAUNCH_GRACE_SECONDS
            if arriving:
                return RunState.RUNNING
        attempts = len(self._failed_launches()) + (launch is not None)
        return RunState.QUEUED if attempts < MOST_LAUNCHES else RunState.FAILED

    def _since(self, name: str) -> float:
        moment = read_spec(self.path / name, Moment)
        return seconds_since(moment.instant, moment.time)

    def checkpoint(self) -> Checkpoint:
        """Return what a training task has finished so far."""
        path = self.path / "checkpoint.json"
        return read_spec(path, Checkpoint) if path.exists() else Checkpoint()

    # --- events -------------------------------------------------------------------------------------------------

    def emit(self, kind: str, **data: Any) -> None:
        """Append an event; only the process that holds the task may call this."""
        line = json.dumps({"time": now().isoformat(), "kind": kind, "data": data}) + "\n"
        with _writing, (self.path / "events.jsonl").open("a+b") as file:
            # What a full disk has cut off stands on a line of its own.
            if file.tell() > 0:
                file.seek(-1, os.SEEK_END)
                line = line if file.read(1) == b"\n" else f"\n{line}"
            file.write(line.encode())

    def events(self, offset: int = 0) -> EventLog:
        """Return the events from byte `offset` on.

        A line that is still being written is left for the next call; one that was cut off by a crash or a full disk is
        passed over.
        """
        try:
            with (self.path / "events.jsonl").open("rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            return EventLog((), offset)
        whole = text.rfind(b"\n") + 1
        lines = text[:whole].splitlines()
        return EventLog(tuple(_whole_events(lines)), offset + whole)

    def log(self, last_bytes: int = 20_000) -> str:
        """Return the end of what the worker's libraries printed."""
        path = self.path / "log.txt"
        if not path.exists():
            return ""
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - last_bytes))
            return file.read().decode("utf-8", errors="replace")


def _whole_events(lines: Iterable[bytes]) -> Iterator[Event]:
    for line in lines:
        with suppress(ValueError, TypeError):
            yield Event(**json.loads(line))
