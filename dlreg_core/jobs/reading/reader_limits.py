"""How much memory and time reading a file may take, and what is said of one that takes more."""

from __future__ import annotations

import psutil

from dlreg_core.errors import TableError
from dlreg_core.settings import Settings

_LEAST_SECONDS, _MOST_FOR_SMALL, _SECONDS_A_MB = 120.0, 300.0, 30.0
_MB = 1024**2
_SLOWEST = 2 * _MB
"""Bytes a second at which even the slowest kind of file is read on a busy machine."""

_MOST_MEMORY, _LEAST_MEMORY = 4 * 1024**3, 3 * 1024**3 // 2


def memory_limit(settings: Settings) -> int:
    """Return how many bytes of memory reading a file may take: a quarter of the machine's, from 1.5 to 4 GB."""
    if settings.reader_memory_mb:
        return settings.reader_memory_mb * 1024**2
    return int(max(_LEAST_MEMORY, min(_MOST_MEMORY, psutil.virtual_memory().total // 4)))


def time_limit(size: int) -> float:
    """Return for how many seconds a file of so many bytes may be read.

    A small one may be packed and hold much, but a damaged one that is read for ever has a place that others wait for.
    """
    return min(_MOST_FOR_SMALL, _LEAST_SECONDS + _SECONDS_A_MB * size / _MB) + size / _SLOWEST


def limit_memory(most: int) -> None:
    """Let this process take so many bytes more than it has now; where the system can't, it is watched from outside."""
    try:
        import resource
    except ImportError:
        return
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    wanted = psutil.Process().memory_info().vms + most
    resource.setrlimit(resource.RLIMIT_AS, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))


def memory_error(most: int) -> TableError:
    """Return what is said of a file that took more memory than so many bytes."""
    return TableError(
        f"Reading the file took more than {most / 1024**3:,.3g} GB of memory, the most that is allowed here.",
        "Choose fewer rows or columns, or save the table as CSV.",
    )


def time_error(seconds: float) -> TableError:
    """Return what is said of a file that took longer than so many seconds."""
    return TableError(
        f"Reading the file took longer than {seconds / 60:,.0f} minutes, the most that is allowed for its size.",
        "Choose fewer rows or columns, or save the table as CSV.",
    )
