"""What a machine tells of itself that outlives a process.

Which start of it this is, how much time has passed whatever its clock is set to, which process is which, and who ran
out of memory.
"""

from __future__ import annotations

import errno
import time
from datetime import datetime
from functools import cache
from pathlib import Path

import psutil

from dlreg_core.specs import Instant, now

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NO_MEMORY = ("can't allocate memory", "Cannot allocate memory", "std::bad_alloc", "bad allocation")
_PROCESSES = Path("/proc")
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


def instant() -> Instant:
    """Return this moment by the clock that all processes of a machine share; it stands while the machine sleeps."""
    return Instant(boot=boot_id(), ticks=time.monotonic())


def seconds_since(moment: Instant | None, time_of_day: datetime) -> float:
    """Return how many seconds have passed since a moment.

    Parameters
    ----------
    moment : Instant or None
        The moment by the machine's own clock.
    time_of_day : datetime
        The same moment by the clock on the wall, which counts where the other is of another start of the machine, or
        wasn't noted.
    """
    if moment is not None and moment.boot == boot_id():
        return max(0.0, time.monotonic() - moment.ticks)
    return max(0.0, (now() - time_of_day).total_seconds())


def born(pid: int) -> str:
    """Return what tells a process from all others that have had its number.

    Raises
    ------
    psutil.Error
        If there is no such process.
    """
    try:
        # After the name, which may hold anything: the 22nd field counts from the start of the machine, while the time
        # of day at which a process began changes with every setting of the clock.
        fields = (_PROCESSES / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()
        return f"{boot_id()}/{int(fields[19])}"
    except (OSError, IndexError, ValueError):
        return f"{psutil.Process(pid).create_time():.2f}"


def living(pid: int, born_as: str, created: float | None = None) -> psutil.Process | None:
    """Return the process with that number if it lives and is the one that was meant.

    A process number is used again: only when a process began tells whether it is still the same one.

    Parameters
    ----------
    pid : int
        Its number.
    born_as : str
        What `born` said of it.
    created : float, optional
        The time of day at which it began, where an earlier version noted only that.
    """
    try:
        process = psutil.Process(pid)
        if not born_as and created is not None:
            same = abs(process.create_time() - created) < 1.0
        else:
            same = born(pid) == born_as
        return process if same and process.status() != psutil.STATUS_ZOMBIE else None
    except (psutil.Error, ValueError, OverflowError):
        return None


def lacked_memory(error: BaseException) -> bool:
    """Tell whether an error, or one that it came from, says that there was no memory, however the library puts it."""
    found: BaseException | None = error
    while found is not None:
        if isinstance(found, MemoryError) or (isinstance(found, OSError) and found.errno == errno.ENOMEM):
            return True
        if "Memory" in type(found).__name__ or any(saying in str(found) for saying in _NO_MEMORY):
            return True
        found = found.__cause__ or found.__context__
    return False


def oom_kills() -> int | None:
    """Return how often the system ended a process of this control group for lack of memory; None where it isn't told.

    Reads ``memory.events`` of control groups version 2, or ``memory.oom_control`` of version 1.
    """
    try:
        groups = [line.split(":", 2) for line in _CGROUP.read_text().splitlines() if line.count(":") > 1]
    except OSError:
        return None
    for _, controllers, own in groups:
        if controllers not in ("", "memory"):
            continue
        root = _CGROUPS / controllers
        name = "memory.oom_control" if controllers else "memory.events"
        # Inside a container the group's own folder is the root.
        for folder in (root / own.lstrip("/"), root):
            counts = _counts(folder / name)
            if "oom_kill" in counts:
                return counts["oom_kill"]
    return None


def _counts(path: Path) -> dict[str, int]:
    try:
        pairs = [line.split() for line in path.read_text().splitlines()]
    except OSError:
        return {}
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdigit()}
