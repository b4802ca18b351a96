"""Temporary folders that can be told from others' when whoever made them is gone."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from dlreg_core.runs.machine import born, living

_NAME = re.compile(r"dlreg-(\d+)-([0-9a-f]+)-")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder in the system's place for temporary files, and remove it with all that is in it afterwards.

    A process that is killed leaves it behind; its name says whose it was, so that `left_scratch` finds it.
    """
    # When the process began, since its number is used again.
    prefix = f"dlreg-{os.getpid()}-{born(os.getpid()).encode().hex()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def left_scratch() -> tuple[Path, ...]:
    """Return the folders of `scratch_folder` that belong to this account and to no living process."""
    found = []
    for path in Path(tempfile.gettempdir()).glob("dlreg-*"):
        named = _NAME.match(path.name)
        if named is not None and _is_mine(path) and _is_gone(int(named[1]), bytes.fromhex(named[2]).decode()):
            found.append(path)
    return tuple(sorted(found))


def _is_gone(pid: int, born_as: str) -> bool:
    try:
        return living(pid, born_as) is None
    except psutil.Error:
        return False


def _is_mine(path: Path) -> bool:
    try:
        found = path.lstat()
    except OSError:
        return False
    # Others may put links into a place that all may write to.
    return path.is_dir() and not path.is_symlink() and (os.name != "posix" or found.st_uid == os.geteuid())
