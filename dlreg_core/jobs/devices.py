"""Which devices runs of this machine can train on, found without loading a deep learning library."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

_SECONDS = 5.0


@cache
def gpu_names() -> tuple[str, ...]:
    """Return the names of this machine's NVIDIA GPUs; empty when there is none, or none that its driver knows."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return ()
    try:
        answer = subprocess.run(
            [command, "--query-gpu=name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        # A driver that doesn't answer means that there is no GPU to train on.
        return ()
    return tuple(line.strip() for line in answer.stdout.splitlines() if line.strip())


def cpu_cores() -> int:
    """Return how many processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
