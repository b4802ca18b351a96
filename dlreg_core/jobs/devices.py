"""Which devices runs of this machine can train on, found without loading a deep learning library."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

_SECONDS = 5.0


@cache
def _gpus() -> tuple[tuple[str, str], ...]:
    """Return number and name of this machine's NVIDIA GPUs; empty where its driver knows none."""
    lines = nvidia_smi("--query-gpu=index,name")
    return tuple((number.strip(), name.strip()) for number, _, name in (line.partition(",") for line in lines))


def nvidia_smi(query: str) -> tuple[str, ...]:
    """Return the lines that NVIDIA's tool answers to a query; empty where there is no tool, GPU or answer."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    try:
        answer = subprocess.run(
            [command, query, "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        # A driver that doesn't answer means that there is no GPU to train on.
        return ()
    return tuple(line for line in answer.stdout.splitlines() if line.strip())


def listed_gpus() -> tuple[str, ...]:
    """Return the names of all NVIDIA GPUs that the driver knows, whether runs may use them or not."""
    return tuple(name for _, name in _gpus())


def gpu_names() -> tuple[str, ...]:
    """Return the names of the NVIDIA GPUs that runs may use; empty when there is none."""
    names = dict(_gpus())
    return tuple(names.get(gpu, "GPU") for gpu in visible_gpus())


def visible_gpus() -> tuple[str, ...]:
    """Return the numbers of the GPUs that runs may use, as ``CUDA_VISIBLE_DEVICES`` takes them.

    Where an administrator has set that variable, those that it names, else all.
    """
    numbers = tuple(number for number, _ in _gpus())
    allowed = os.environ.get("CUDA_VISIBLE_DEVICES")
    if allowed is None or not numbers:
        return numbers
    wanted = [part.strip() for part in allowed.split(",")]
    # CUDA itself ignores everything from the first number on that it doesn't know.
    good: list[str] = []
    for part in wanted:
        if not part or part == "-1":
            break
        good.append(part)
    return tuple(good)


def cpu_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
