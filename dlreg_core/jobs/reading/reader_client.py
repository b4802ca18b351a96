"""The clients of the processes that read files: a queue, limits of memory and time, and one process that stands by.

No byte of a file that a person hands in is parsed in the server: a few bytes can ask for any amount of memory.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from typing import IO, Any

import psutil

from dlreg_core import errors
from dlreg_core.errors import ConflictError, DlregError, TableError, WorkError
from dlreg_core.jobs.child_environment import module_environment
from dlreg_core.jobs.local_processes import module_command
from dlreg_core.jobs.reading.reader_limits import memory_error, memory_limit, time_error, time_limit
from dlreg_core.settings import load_settings

MOST = 2
"""Files that are read at the same time: each may take as much memory as is allowed."""

_PROCESS = "dlreg_core.jobs.reading.reader_process"
_READY = "ready\n"
_LOOK = 0.05
_MOST_WAITING = 1800.0
_ALLOCATION = "memory allocation of"


class Readers:
    """Reads files in processes of their own, not more than `MOST` at a time.

    Each process reads one file after the other; one that has grown, or that a file has ended, makes room for a fresh
    one. A process ends with this one, but first finishes a file that has arrived whole.

    Parameters
    ----------
    start : callable, optional
        Starts a process that speaks as `dlreg_core.jobs.reading.reader_process` does, whose errors go to the file that
        it is given.
    most : int
        Files that are read at the same time.
    """

    def __init__(self, start: Callable[[IO[bytes]], subprocess.Popen[bytes]] | None = None, most: int = MOST) -> None:
        self._start = start or _started
        self._places = threading.BoundedSemaphore(most)
        self._lock = threading.Lock()
        self._idle: list[_Reader] = []
        self._busy: set[_Reader] = set()

    def prepare(self) -> None:
        """Let a process stand by, which has loaded everything when a file comes; returns at once."""
        with self._lock:
            self._forget_ended()
            if not self._idle and not self._busy:
                self._idle.append(_Reader(self._start))

    def ask(self, request: dict[str, Any], size: int) -> dict[str, Any]:
        """Have a file read.

        Parameters
        ----------
        request : dict
            What to do; see `dlreg_core.jobs.reading.reader_process`.
        size : int
            Bytes of the file, by which there is more or less time.

        Returns
        -------
        dict
            The answer.

        Raises
        ------
        DlregError
            The process' own sentence.
        TableError
            If reading took too much memory or time.
        WorkError
            If the process ended for another reason.
        """
        memory, seconds = memory_limit(load_settings()), time_limit(size)
        with self._place():
            answer = self._asked({**request, "memory": memory}, memory, seconds)
        if "error" in answer:
            kind = getattr(errors, str(answer.get("kind", "")), TableError)
            known = isinstance(kind, type) and issubclass(kind, DlregError)
            cause = _ToldError(str(answer["detail"])) if answer.get("detail") else None
            raise (kind if known else TableError)(str(answer["error"]), str(answer.get("hint", ""))) from cause
        return answer

    def _asked(self, request: dict[str, Any], memory: int, seconds: float) -> dict[str, Any]:
        while True:
            reader = self._taken()
            try:
                answer = reader.ask(request, memory, seconds)
            finally:
                self._given_back(reader)
            if answer is not None:
                return answer
            # It had stood by for so long that it ended: nothing of the file was read.

    def _taken(self) -> _Reader:
        with self._lock:
            self._forget_ended()
            reader = self._idle.pop() if self._idle else _Reader(self._start)
            self._busy.add(reader)
            return reader

    def _given_back(self, reader: _Reader) -> None:
        with self._lock:
            self._busy.discard(reader)
            if reader.alive() and not self._idle:
                self._idle.append(reader)
                return
            fresh = not reader.alive() and not self._idle and load_settings().stand_by
            if fresh:
                self._idle.append(_Reader(self._start))
        reader.close()

    def _forget_ended(self) -> None:
        for reader in [one for one in self._idle if not one.alive()]:
            self._idle.remove(reader)
            reader.close()

    @contextmanager
    def _place(self) -> Iterator[None]:
        if not self._places.acquire(timeout=_MOST_WAITING):
            raise ConflictError("Too many files are being read at the moment.", "Try again in a few minutes.")
        try:
            yield
        finally:
            self._places.release()

    def processes(self) -> tuple[int, ...]:
        """Return the identifiers of the processes that there are."""
        with self._lock:
            return tuple(reader.pid for reader in (*self._idle, *self._busy) if reader.runs())

    def close(self) -> None:
        """End the processes that stand by."""
        with self._lock:
            ending, self._idle = self._idle, []
        for reader in ending:
            reader.close()


class _ToldError(Exception):
    """What a process told of the cause of an error."""


class _Reader:
    """One process that reads."""

    def __init__(self, start: Callable[[IO[bytes]], subprocess.Popen[bytes]]) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
        self._process = start(self._log)
        self._ready = self._worn = self._leaving = False

    @property
    def pid(self) -> int:
        return self._process.pid

    def runs(self) -> bool:
        return self._process.poll() is None

    def alive(self) -> bool:
        """Tell whether it can be asked."""
        return not self._worn and self.runs()

    def ask(self, request: dict[str, Any], memory: int, seconds: float) -> dict[str, Any] | None:
        """Return the answer; None where the process has ended before it has heard the request.

        Raises
        ------
        TableError, WorkError
            If it ended, or was ended, while it read.
        """
        # Until it has answered, nobody else may ask it.
        stood_by, self._worn = self._ready, True
        watch = _Watch(self._process.pid, memory, seconds)
        try:
            answer = self._answer(json.dumps(request).encode() + b"\n")
        finally:
            watch.end()
        if answer:
            return self._understood(answer)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(5)
        if self._process.returncode == 0 and stood_by:
            return None
        raise watch.error() or self._death(memory)

    def _answer(self, line: bytes) -> bytes:
        """Tell the process what to do; empty where it ends instead of answering."""
        told, heard = self._process.stdin, self._process.stdout
        if told is None or heard is None:
            return b""
        try:
            self._ready = self._ready or heard.readline().decode() == _READY
            if not self._ready:
                return b""
            told.write(line)
            told.flush()
            return heard.readline()
        except OSError:
            return b""

    def _understood(self, answer: bytes) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(answer)
        except ValueError as exc:
            raise WorkError("What the process that reads files answered can't be understood.") from exc
        self._worn = self._leaving = bool(found.get("worn"))
        return found

    def _death(self, memory: int) -> DlregError:
        if not self._ready:
            return WorkError("The process that reads files could not be started.", "Ask the server's administrator.")
        self._log.seek(0)
        if _ALLOCATION in self._log.read().decode("utf-8", "replace"):
            return memory_error(memory)
        if self._process.returncode == -signal.SIGKILL:
            return WorkError(
                "The process that read the file was ended from outside.", "The machine may lack memory; try again."
            )
        return TableError(
            "The process that read the file broke down over it.", "Save the table as CSV in UTF-8, and try again."
        )

    def close(self) -> None:
        """End the process, at once where it isn't busy."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        if self._process.poll() is None and not self._leaving:
            self._process.kill()
        # A child that has ended stays in the system's list until somebody has asked for it.
        threading.Thread(target=self._process.wait, name="reading", daemon=True).start()
        self._log.close()


class _Watch:
    """Looks at a process from outside while it reads, and ends it where it takes too much."""

    def __init__(self, pid: int, memory: int, seconds: float) -> None:
        self._pid, self._memory, self._seconds = pid, memory, seconds
        self._error: DlregError | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, name="reading-watch", daemon=True)
        self._thread.start()

    def _look(self) -> None:
        started = time.monotonic()
        with suppress(psutil.Error):
            process = psutil.Process(self._pid)
            while not self._ended.wait(_LOOK):
                if process.memory_info().rss > self._memory:
                    self._error = memory_error(self._memory)
                elif time.monotonic() - started > self._seconds:
                    self._error = time_error(self._seconds)
                if self._error is not None:
                    process.kill()
                    return

    def end(self) -> None:
        self._ended.set()
        self._thread.join()

    def error(self) -> DlregError | None:
        return self._error


def _started(log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        module_command(_PROCESS),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=log,
        env=module_environment() | {"MALLOC_ARENA_MAX": os.environ.get("MALLOC_ARENA_MAX", "2")},
        start_new_session=True,
    )


@cache
def open_readers() -> Readers:
    """Return this server's readers; all who hand in files share them."""
    return Readers()
