"""What a machine tells of itself that outlives a process: which start of it this is, and who ran out of memory."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import psutil

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_CGROUP = Path("/proc/self/cgroup")
_CGROUPS = Path("/sys/fs/cgroup")


@cache
def boot_id() -> str:
    """Return a name for this start of the machine; another one after every restart."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        # Elsewhere than on Linux. To ten seconds, since the clock is set now and then while the machine runs.
        return f"boot-{round(psutil.boot_time(), -1):.0f}"


def oom_kills() -> int | None:
    """Return how often the system ended a process of this control group for lack of memory; None where it isn't told.

    Reads ``memory.events`` of control groups version 2.
    """
    folder = _CGROUPS
    try:
        own = _CGROUP.read_text().strip().rpartition(":")[2].lstrip("/")
        # Inside a container the group's own folder is the root.
        candidate = _CGROUPS / own
        folder = candidate if (candidate / "memory.events").exists() else _CGROUPS
        lines = (folder / "memory.events").read_text().splitlines()
    except OSError:
        return None
    counts = dict(line.split() for line in lines if len(line.split()) == 2)
    return int(counts["oom_kill"]) if "oom_kill" in counts else None
