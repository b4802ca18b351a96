"""A process that stands by: it has loaded what workers need before there is a task for one.

Loading takes a worker 5 to 20 s of a processor, which is nothing that a person asked for. While somebody prepares a
run, one process of the server does so in advance and waits, at most for `IDLE_SECONDS`: it becomes the next worker. It
reads from a pipe that ends with the server, so that it never outlives it.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import IO

import psutil

from dlreg_core.runs import MARK, TaskFolder

IDLE_SECONDS = 900.0
"""A process stands by for so long after somebody last wanted it to."""

STAND_BY = "--stand-by"
"""Argument of a worker that stands by, in place of its task."""

READY = b"ready\n"
"""What it says once it has loaded everything."""

STAY = b"\n"
"""What it is told when it is wanted longer."""

_STAY_SECONDS = 60.0
_PAUSE_SECONDS = 600.0
"""After one that ended before it was ready, no other is started for so long: it would fare no better."""


@dataclass(frozen=True)
class StandbyState:
    """A process that stands by: whether it has loaded everything yet, and its memory in megabytes."""

    ready: bool
    memory_mb: float


@dataclass(frozen=True)
class TakenProcess:
    """A process that stood by and has been given a task, and what marks it and its children."""

    process: subprocess.Popen[bytes]
    mark: str


class StandbyProcess:
    """At most one process that stands by.

    Parameters
    ----------
    start : callable
        Starts one with the environment that it is given, which pipes are its standard input and output.
    """

    def __init__(self, start: Callable[[Mapping[str, str]], subprocess.Popen[bytes]]) -> None:
        self._start = start
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._mark = ""
        self._environment: dict[str, str] = {}
        self._ready = False
        self._wanted = 0.0
        self._not_before = 0.0

    def prepare(self, environment: Mapping[str, str]) -> None:
        """Start a process if none stands by, else keep it for longer; returns at once.

        Parameters
        ----------
        environment : mapping
            What its environment has beyond that of every worker: only tasks with the same can be given to it.
        """
        if os.name != "posix":
            return
        with self._lock:
            if self._alive() is None and time.monotonic() >= self._not_before:
                self._mark = f"stand-by-{uuid.uuid4().hex}"
                self._environment = dict(environment)
                self._process = self._start({**environment, MARK: self._mark})
                self._ready, self._wanted = False, time.monotonic()
            elif self._process is not None and time.monotonic() - self._wanted > _STAY_SECONDS:
                self._wanted = time.monotonic()
                self._tell(STAY)

    def give(self, task: TaskFolder, environment: Mapping[str, str]) -> TakenProcess | None:
        """Give a task to the process that stands by; None where there is none that can take it."""
        with self._lock:
            process = self._alive()
            if process is None or dict(environment) != self._environment or not self._tell(_request(task)):
                return None
            self._process = None
            _close(process)
            return TakenProcess(process, self._mark)

    def standing(self) -> StandbyState | None:
        """Return what stands by; None where nothing does."""
        with self._lock:
            process = self._alive()
            if process is None:
                return None
            self._ready = self._ready or _said(process.stdout) == READY
            return StandbyState(self._ready, _memory_mb(process.pid))

    def close(self) -> None:
        """End the process that stands by."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                process.kill()
                process.wait()
                _close(process)

    def _alive(self) -> subprocess.Popen[bytes] | None:
        """Return the process that stands by, and forget one that has ended."""
        process = self._process
        if process is not None and process.poll() is not None:
            if not self._ready and _said(process.stdout) != READY:
                self._not_before = time.monotonic() + _PAUSE_SECONDS
            _close(process)
            self._process = process = None
        return process

    def _tell(self, line: bytes) -> bool:
        """Write a line to the process; False where it has just ended."""
        if self._process is None or self._process.stdin is None:
            return False
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError:
            return False
        return True


def _memory_mb(pid: int) -> float:
    """Return the memory of a process and its children, each with its part of what they share, in MB."""
    found = 0.0
    with suppress(psutil.Error):
        worker = psutil.Process(pid)
        for member in (worker, *worker.children(recursive=True)):
            full = member.memory_full_info()
            found += float(getattr(full, "pss", full.rss)) / 1e6
    return found


def _request(task: TaskFolder) -> bytes:
    return json.dumps({"task": str(task.path)}).encode() + b"\n"


def _said(stream: IO[bytes] | None) -> bytes:
    """Return what a process has said by now, without waiting for it."""
    if stream is None or not select.select([stream], [], [], 0)[0]:
        return b""
    return os.read(stream.fileno(), len(READY))


def _close(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            stream.close()
