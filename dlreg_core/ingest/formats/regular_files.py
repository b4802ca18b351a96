"""Files that have an end."""

from __future__ import annotations

import stat
from pathlib import Path

from dlreg_core.errors import InputError


def ordinary(path: Path) -> Path:
    """Return `path`, unless it is a pipe, a device or a socket: those never end, or make whoever reads them wait.

    Raises
    ------
    InputError
        If it is one.
    """
    try:
        mode = path.stat().st_mode
    except OSError:
        # Whoever opens it says why it can't be.
        return path
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise InputError(f"{path} is no ordinary file.", "Save what it holds to a file, and give that.")
    return path
