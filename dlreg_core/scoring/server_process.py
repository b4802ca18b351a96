"""One prediction process as its client sees it: a request goes in, an answer comes out, or it is ended."""

from __future__ import annotations

import queue
import subprocess
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from dlreg_core.jobs import ObservedTime

_LOOK_SECONDS = 0.5
SILENT_SECONDS = 20.0
"""A process that has a request, and uses no processor time for so long, is stopped or waits for something for ever."""

_LEAST_CPU = 0.02
"""Processor seconds that are a sign of work; merely existing takes less."""


class StoppedError(Exception):
    """The process has died, or gave no sign of life, without having answered: another one may."""


class OverdueError(Exception):
    """The process works, and has worked too long."""


class ScoringProcess:
    """A process that answers lines with lines.

    Parameters
    ----------
    start : callable
        Starts it; its standard input and output are pipes for bytes.
    """

    def __init__(self, start: Callable[[], subprocess.Popen[bytes]]) -> None:
        self._process = start()
        self._answers: queue.Queue[bytes] = queue.Queue()
        threading.Thread(target=self._listen, name="answers", daemon=True).start()

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid

    def is_alive(self) -> bool:
        """Tell whether it can be asked."""
        return self._process.poll() is None

    def ask(self, line: bytes, seconds: float) -> bytes:
        """Return its answer to a line.

        Parameters
        ----------
        line : bytes
            The request, which ends with a line break.
        seconds : float
            How long the answer may take.

        Raises
        ------
        StoppedError
            If it dies, or neither answers nor works.
        OverdueError
            If it works for longer.
        """
        # A pipe takes no more than 64 kB while nobody reads it: whoever writes may be held up as well.
        threading.Thread(target=self._say, args=(line,), name="asking", daemon=True).start()
        observed, used = ObservedTime(), self._cpu_seconds()
        while True:
            with suppress(queue.Empty):
                answer = self._answers.get(timeout=_LOOK_SECONDS)
                if not answer:
                    raise StoppedError
                return answer
            observed.look()
            now_used = self._cpu_seconds()
            if abs(now_used - used) > _LEAST_CPU:
                used = now_used
            if observed.lasting("silent", used) > SILENT_SECONDS:
                raise StoppedError
            if observed.lasting("asked", line) > seconds:
                raise OverdueError

    def end(self) -> None:
        """End the process and all its children; whoever waits for its answer gets none."""
        with suppress(psutil.Error):
            for child in psutil.Process(self._process.pid).children(recursive=True):
                with suppress(psutil.Error):
                    child.kill()
        self._process.kill()
        self._process.wait()

    def _say(self, line: bytes) -> None:
        # Where it has died, its silence says so; where its pipe was closed meanwhile, nobody waits any more.
        with suppress(OSError, ValueError):
            if self._process.stdin is not None:
                self._process.stdin.write(line)
                self._process.stdin.flush()

    def _listen(self) -> None:
        if self._process.stdout is not None:
            with self._process.stdout as stream:
                for line in stream:
                    self._answers.put(line)
        self._answers.put(b"")
        with suppress(OSError):
            if self._process.stdin is not None:
                self._process.stdin.close()

    def _cpu_seconds(self) -> float:
        found = 0.0
        with suppress(psutil.Error):
            process = psutil.Process(self._process.pid)
            for member in (process, *process.children(recursive=True)):
                with suppress(psutil.Error):
                    times = member.cpu_times()
                    found += times.user + times.system + times.children_user + times.children_system
        return found


class ScoringPool:
    """A few such processes, of which each request gets one that is free.

    Parameters
    ----------
    start : callable
        Starts a process.
    most : int
        How many there are at most. The first one stays; the others end when nobody has needed them for a while.
    idle_seconds : float
        For how long.
    """

    def __init__(
        self, start: Callable[[], subprocess.Popen[bytes]], most: int = 3, idle_seconds: float = 600.0
    ) -> None:
        self._start = start
        self._idle_seconds = idle_seconds
        self._changed = threading.Condition()
        self._places: list[ScoringProcess | None] = [None] * most
        self._busy = [False] * most
        self._used = [0] * most
        self._heavy = 0
        self._round = 0

    @property
    def first(self) -> ScoringProcess | None:
        """The process that is there first and longest; None before anything was asked."""
        return self._places[0]

    def ask(self, line: bytes, seconds: float, *, heavy: bool) -> bytes:
        """Return the answer of some process, started anew once if the one that was asked stops.

        Parameters
        ----------
        line : bytes
            The request.
        seconds : float
            How long the answer may take, and how long a free process is waited for.
        heavy : bool
            Whether it may take minutes: one process is always left to those that don't.

        Raises
        ------
        StoppedError
            If the fresh one stops too, or the pool was closed meanwhile.
        OverdueError
            If the answer takes too long, or no process gets free; one that works on it is ended.
        """
        rounds = self._round
        place = self._take(rounds, seconds, heavy=heavy)
        try:
            for last in (False, True):
                process = self._alive(place, rounds)
                try:
                    return process.ask(line, seconds)
                except StoppedError:
                    process.end()
                    if last:
                        raise
                except OverdueError:
                    process.end()
                    raise
            raise StoppedError
        finally:
            self._give_back(place, heavy=heavy)

    def close(self) -> None:
        """End all processes, with what they are asked."""
        with self._changed:
            self._round += 1
            self._changed.notify_all()
            processes, self._places = self._places, [None] * len(self._places)
        for process in processes:
            if process is not None:
                process.end()

    def _take(self, rounds: int, seconds: float, *, heavy: bool) -> int:
        end = time.monotonic() + seconds
        with self._changed:
            while True:
                if rounds != self._round:
                    raise StoppedError
                # The first one is used most, and so has most in its memory.
                free = [place for place, busy in enumerate(self._busy) if not busy]
                if free and not (heavy and self._heavy >= len(self._places) - 1):
                    self._busy[free[0]] = True
                    self._used[free[0]] += 1
                    self._heavy += heavy
                    return free[0]
                if not self._changed.wait(max(0.0, end - time.monotonic())):
                    raise OverdueError

    def _alive(self, place: int, rounds: int) -> ScoringProcess:
        with self._changed:
            if rounds != self._round:
                raise StoppedError
            process = self._places[place]
            if process is None or not process.is_alive():
                self._places[place] = process = ScoringProcess(self._start)
            return process

    def _give_back(self, place: int, *, heavy: bool) -> None:
        with self._changed:
            self._heavy -= heavy
            self._busy[place] = False
            self._changed.notify_all()
            if place:
                timer = threading.Timer(self._idle_seconds, self._end_idle, (place, self._used[place]))
                timer.daemon = True
                timer.start()

    def _end_idle(self, place: int, used: int) -> None:
        with self._changed:
            if self._busy[place] or self._used[place] != used:
                return
            process, self._places[place] = self._places[place], None
        if process is not None:
            process.end()
