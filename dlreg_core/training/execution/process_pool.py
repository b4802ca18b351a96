"""Processes that train side by side, each one network at a time.

A training of this size keeps one processor core busy and hardly gains from a second one: several at once use a machine
better. The processes come from a server process that has loaded the libraries once (`multiprocessing`'s fork server,
mostly a copy of the worker: see `dlreg_core.training.execution.fork_server`); none of them holds anything but the
prepared rows. They end with the process that started them.
"""

from __future__ import annotations

import errno
import math
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection, get_all_start_methods, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dlreg_core.errors import TrainingError
from dlreg_core.logs import print_error
from dlreg_core.runs import lacked_memory
from dlreg_core.training.scheduler.measured_speeds import GPU_IN_DOUBT_ROWS

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerContext, SpawnContext
    from multiprocessing.synchronize import Event

    from dlreg_core.networks.epoch_watch import EpochFigures
    from dlreg_core.training.execution.fit_records import FoldResult
    from dlreg_core.training.scheduler.fit_jobs import FoldJob, PilotJob, PilotOutcome

_PRELOADED = "dlreg_core.training.execution.preload"
_TOO_LITTLE_MEMORY = "The memory did not suffice."
_NO_SPACE = "[Errno 28]"
_SECONDS_TO_END = 5.0
_ATTEMPTS = 3

_GPU_PROCESS_MB = 1_500
"""What a process that trains on a GPU holds of its memory: about 500 MB before the first network, and some room."""


class FitFailedError(TrainingError):
    """One network could not be trained; the run goes on with the others."""


class ProcessDiedError(FitFailedError):
    """The process that trained a network ended in the middle: it may do better when it is asked once more."""


def _context() -> ForkServerContext | SpawnContext:
    # Elsewhere than on Linux and macOS each process loads the libraries by itself.
    return get_context("forkserver") if "forkserver" in get_all_start_methods() else get_context("spawn")


def prefer_loaded() -> None:
    """Let a server that processes come from load their libraries once, before the first of them."""
    if "forkserver" not in get_all_start_methods():
        return
    from multiprocessing import forkserver

    forkserver.set_forkserver_preload([_PRELOADED])


def warm_up() -> None:
    """Start what processes come from, beside whatever this process does next, unless it is there already."""
    prefer_loaded()
    if "forkserver" in get_all_start_methods():
        from multiprocessing import forkserver

        forkserver.ensure_running()


@dataclass(frozen=True)
class PoolMessage:
    """Something that a process says: the figures of an epoch, or how its work ended.

    ``job`` is the work that it belongs to; `error` is set where it failed, `result` where it is done.
    """

    slot: int
    job: FoldJob | PilotJob
    epoch: EpochFigures | None = None
    result: FoldResult | PilotOutcome | None = None
    error: Exception | None = None


class TrainingPool:
    """Some processes to train in.

    Parameters
    ----------
    count : int
        How many.
    rows : Path
        File of the prepared rows.
    """

    def __init__(self, count: int, rows: Path) -> None:
        warm_up()
        self._context = _context()
        self._rows = rows
        self._finish: Event = self._context.Event()
        self._slots = [self._started() for _ in range(count)]
        self._work: list[FoldJob | PilotJob | None] = [None] * count

    def __len__(self) -> int:
        return len(self._slots)

    def __enter__(self) -> TrainingPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def idle(self) -> tuple[int, ...]:
        """Processes without work."""
        return tuple(slot for slot, work in enumerate(self._work) if work is None)

    @property
    def work(self) -> tuple[FoldJob | PilotJob, ...]:
        """What is being done."""
        return tuple(work for work in self._work if work is not None)

    def submit(self, slot: int, job: FoldJob | PilotJob) -> None:
        """Give work to an idle process."""
        self._work[slot] = job
        # A process that has died says so to `wait`.
        with suppress(OSError):
            self._slots[slot][1].send(job)

    def finish(self) -> None:
        """Tell all processes to end what they train after the present epoch."""
        self._finish.set()

    def kill(self, job: FoldJob | PilotJob) -> None:
        """End a piece of work in its middle; `wait` tells of it as of any process that has died."""
        for slot, work in enumerate(self._work):
            if work is job:
                self._slots[slot][0].kill()

    def wait(self, seconds: float) -> list[PoolMessage]:
        """Return what the processes say, waiting `seconds` at most for the first word."""
        busy = {self._slots[slot][1]: slot for slot, work in enumerate(self._work) if work is not None}
        ready = connection.wait(list(busy), timeout=seconds) if busy else []
        return [message for pipe in ready for message in self._heard(busy[pipe])]  # type: ignore[index]

    def close(self) -> None:
        """End all processes, at once where they work."""
        for slot, (process, pipe) in enumerate(self._slots):
            if self._work[slot] is not None:
                process.kill()
            with suppress(OSError):
                pipe.send(None)
            pipe.close()
        for process, _ in self._slots:
            process.join(_SECONDS_TO_END)
            if process.is_alive():
                process.kill()
                process.join()

    def _heard(self, slot: int) -> list[PoolMessage]:
        job = self._work[slot]
        process, pipe = self._slots[slot]
        if job is None:
            return []
        try:
            kind, value = pipe.recv()
        except (EOFError, OSError):
            process.join(_SECONDS_TO_END)
            self._work[slot] = None
            self._slots[slot] = self._started()
            return [PoolMessage(slot, job, error=_death(process.exitcode))]
        if kind == "epoch":
            return [PoolMessage(slot, job, epoch=value)]
        self._work[slot] = None
        if kind == "result":
            return [PoolMessage(slot, job, result=value)]
        if kind == "broken":
            process.join(_SECONDS_TO_END)
            self._slots[slot] = self._started()
        return [PoolMessage(slot, job, error=value)]

    def _started(self) -> tuple[BaseProcess, Connection]:
        for attempt in range(1, _ATTEMPTS + 1):
            mine, theirs = self._context.Pipe()
            process = self._context.Process(
                target=_run, args=(theirs, self._finish, str(self._rows)), name="training", daemon=True
            )
            try:
                process.start()
            except (EOFError, ConnectionError) as exc:
                # The server that processes come from has been ended; the next attempt starts another one.
                mine.close()
                if attempt == _ATTEMPTS:
                    raise TrainingError(
                        "The processes that train networks could not be started.",
                        "They may have been ended from outside, or memory has run out; train again.",
                    ) from exc
            else:
                return process, mine
            finally:
                theirs.close()
        raise AssertionError("every attempt returns or raises")


def _death(code: int | None) -> Exception:
    if code is not None and code < 0:
        return ProcessDiedError(f"Its process was ended by the system (signal {-code}); memory may have run out.")
    return ProcessDiedError(f"Its process ended (code {code}).")


def failure(error: Exception) -> Exception:
    """Return an error of a training as this program says it: a full disk ends the run, all else this network."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return error
    if _NO_SPACE in str(error):
        return OSError(errno.ENOSPC, "No space left on device")
    if lacked_memory(error):
        return FitFailedError(_TOO_LITTLE_MEMORY)
    return FitFailedError(f"{type(error).__name__}: {error}")


def _run(pipe: Connection, finish: Event, rows_file: str) -> None:
    """Do what comes through the pipe until it closes."""
    _end_with_parent()
    from dlreg_core.pipeline import gpu_memory
    from dlreg_core.training.execution.fit_records import FitCallbacks, PreparedRows
    from dlreg_core.training.execution.fold_fit import measure, train_fold
    from dlreg_core.training.execution.preload import quiet
    from dlreg_core.training.scheduler.fit_jobs import FoldJob

    quiet()
    rows: PreparedRows | None = None
    while True:
        try:
            job = pipe.recv()
        except (EOFError, OSError):
            return
        if job is None:
            return
        try:
            rows = rows or PreparedRows.load(Path(rows_file))
            hooks = FitCallbacks(finish=finish.is_set, told=lambda figures: pipe.send(("epoch", figures)))
            answer: tuple[str, Any] = (
                "result",
                train_fold(job, rows, hooks) if isinstance(job, FoldJob) else measure(job, rows, hooks),
            )
        except (KeyboardInterrupt, SystemExit, BrokenPipeError):
            return
        except Exception as exc:  # noqa: BLE001 - whatever a library raises is told, and ends this network alone
            print_error(exc)
            answer = ("broken" if gpu_memory.broke(exc) else "error", failure(exc))
        try:
            pipe.send(answer)
        except (BrokenPipeError, OSError):
            return
        if answer[0] == "broken":
            return
        if job.gpu:
            # What PyTorch keeps for the next network is missed by the processes beside this one.
            gpu_memory.free()


def _end_with_parent() -> None:
    """End this process as soon as the one that started it is gone, in the middle of a training too."""
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def processes_for(cores: int, *, gpu: bool, rows: int = 0, gpu_mb: float = math.inf, most: int = 8) -> tuple[int, int]:
    """Return how many processes a run has, and how many threads each.

    On processors one thread a training is the best use of a core (see benchmarks/RESULTS.md); where there are more
    cores than processes, each gets some. A large table keeps a GPU busy by itself: one training at a time, with a few
    threads that feed it. On a smaller one a GPU mostly waits for the process that feeds it, and a family may be quicker
    on a processor: there are as many processes as without a GPU, and each trains on either.

    Parameters
    ----------
    cores : int
        Processor cores that the run may use.
    gpu : bool
        Whether there is a GPU.
    rows : int
        Rows that a training learns from.
    gpu_mb : float
        Free memory of the GPU; each training there needs some, whatever its size.
    most : int
        The most processes, and the most threads of a process that feeds a GPU.
    """
    if gpu and rows >= GPU_IN_DOUBT_ROWS:
        return 1, max(1, min(most, cores))
    count = max(1, min(most, cores))
    if gpu:
        count = max(1, int(min(count, gpu_mb / _GPU_PROCESS_MB)))
    return count, max(1, cores // count)
