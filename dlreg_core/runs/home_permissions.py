"""A home belongs to whoever runs dlreg: nobody else on the machine reads what is in it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dlreg_core.errors import WorkError

_PRIVATE = 0o077
_OURS = ("dlreg.db", "runs", "datasets", "uploads", "calendar.json", "exported.sha256")


def keep_private() -> None:
    """Let everything that this process makes from now on be its owner's alone."""
    os.umask(_PRIVATE)


def open_home(home: Path) -> Path:
    """Make a home, or close one of before to all but its owner; return it.

    Raises
    ------
    WorkError
        If there is none and none can be made, or nothing can be written into it.
    """
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o777 & ~_PRIVATE)
    except OSError as exc:
        raise WorkError(
            f"{home} can't be made ({exc.strerror}).", "Set DLREG_HOME to a folder of your own, or have it made."
        ) from exc
    if not os.access(home, os.W_OK | os.X_OK):
        raise WorkError(
            f"Nothing can be written into {home}.",
            "Give this account the right to, or set DLREG_HOME to another folder.",
        )
    if os.name == "posix" and _may_be_closed(home):
        home.chmod(stat.S_IMODE(home.stat().st_mode) & ~_PRIVATE)
    return home


def _may_be_closed(home: Path) -> bool:
    """Tell whether a folder is ours alone: not one of the system's that somebody named by mistake, such as /tmp."""
    found = home.stat()
    if found.st_uid != os.geteuid() or not found.st_mode & _PRIVATE:
        return False
    return not found.st_mode & stat.S_ISVTX and (
        any((home / name).exists() for name in _OURS) or next(home.iterdir(), None) is None
    )
