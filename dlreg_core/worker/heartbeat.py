"""Signs of life of a worker, and what it uses, told every few seconds from a thread."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from typing import Any

import psutil

from dlreg_core.jobs import nvidia_smi
from dlreg_core.runs import TaskFolder, instant, write_spec
from dlreg_core.specs import Pulse

_SECONDS = 2.0
_RESOURCES_SECONDS = 6.0
_MOST_RESOURCES = 1_000
"""Events about resources in a whole run: their distance grows with its budget."""

_HELD_UP_SECONDS = 30.0
"""After longer than this without a beat, the process was stopped or its container paused: that was not its time."""

_LEAST_CPU_SHARE = 0.05
"""A process that uses less of one core than this since the last look isn't working, it is waiting."""


class Heartbeat:
    """Writes the signs of life of this process and its children while the block lasts.

    Parameters
    ----------
    folder : TaskFolder
        The task that this process holds.
    budget : float
        Seconds of the task, which set how often the use of resources is told.
    gpu : str
        ``CUDA_VISIBLE_DEVICES`` of this process; empty where it has no GPU.
    """

    def __init__(self, folder: TaskFolder, budget: float, gpu: str = "") -> None:
        self._folder = folder
        self._every = max(_RESOURCES_SECONDS, budget / _MOST_RESOURCES)
        self._gpu = gpu
        self._ended = threading.Event()
        self._active = instant()
        self._lived = 0.0
        self._cpu = 0.0
        self._looked = self._told = time.monotonic()
        self._thread = threading.Thread(target=self._beat_on, name="heart", daemon=True)

    def __enter__(self) -> Heartbeat:
        self.beat()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def beat(self) -> None:
        """Look once, and write what is seen."""
        cpu, memory = _use(psutil.Process())
        moment = time.monotonic()
        passed = max(1e-3, moment - self._looked)
        cores = max(0.0, cpu - self._cpu) / passed
        self._cpu, self._looked = cpu, moment
        self._lived += passed if passed <= _HELD_UP_SECONDS else 0.0
        if cores >= _LEAST_CPU_SHARE:
            self._active = instant()
        tell = moment - self._told >= self._every
        gpu = self._gpu_use() if tell and self._gpu else {}
        pulse = Pulse(active=self._active, lived=self._lived, memory_mb=memory, gpu_memory_mb=gpu.get("gpu_memory_mb"))
        write_spec(self._folder.path / "pulse.json", pulse)
        if tell:
            self._told = moment
            machine = psutil.virtual_memory()
            self._folder.emit(
                "resources",
                memory_mb=round(memory),
                machine_mb=round(machine.total / 1e6),
                machine_used=round(1 - machine.available / machine.total, 3),
                cpu=round(cores, 2),
                **gpu,
            )

    def _beat_on(self) -> None:
        while not self._ended.wait(_SECONDS):
            # A full disk must not end the thread: the training itself will tell.
            with suppress(OSError, psutil.Error):
                self.beat()

    def _gpu_use(self) -> dict[str, Any]:
        """Return memory and use of the GPU, as its driver tells them."""
        lines = nvidia_smi("--query-gpu=index,uuid,memory.used,memory.total,utilization.gpu")
        for line in lines:
            number, uuid, used, total, share = (part.strip() for part in line.split(","))
            if self._gpu in (number, uuid):
                with suppress(ValueError):
                    return {
                        "gpu_memory_mb": float(used),
                        "gpu_total_mb": float(total),
                        "gpu_share": float(share) / 100,
                    }
        return {}


def _memory_mb(process: psutil.Process) -> float:
    """Return the memory of a process in MB, with its part of what it shares, where the system tells that."""
    # The processes of a training share their libraries with the process that they come from.
    full = process.memory_full_info()
    return float(getattr(full, "pss", full.rss)) / 1e6


def _use(process: psutil.Process) -> tuple[float, float]:
    """Return processor seconds and memory in MB of a process and its children."""
    cpu = memory = 0.0
    for member in (process, *process.children(recursive=True)):
        with suppress(psutil.Error):
            times = member.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            memory += _memory_mb(member)
    return cpu, memory
