"""What crashes leave behind, and what has been kept long enough."""

from __future__ import annotations

import shutil
import time
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from dlreg_core.errors import DlregError
from dlreg_core.runs.store import RunStore
from dlreg_core.specs import RunState, now

ORPHAN_SECONDS = 3600.0
"""What is being built or taken apart is younger than this."""

UPLOAD_SECONDS = 24 * 3600.0
"""A large file arrives within this time, and somebody looks at what came of it."""


def find_orphans(home: Path, seconds: float = ORPHAN_SECONDS) -> tuple[Path, ...]:
    """Return files and folders below `home` that nothing refers to and that nobody works on.

    These are half-built and half-deleted runs, tasks and data sets, half-written files, and model files of runs that
    are gone; each untouched for `seconds`. Everything of ours that isn't complete yet has a name with a leading dot
    until it is.
    """
    runs, datasets, exports = home / "runs", home / "datasets", home / "cache" / "exports"
    uploads = home / "uploads"
    found = [
        *runs.glob(".*"),
        *runs.glob("*/.experiment.json.*"),
        *runs.glob("*/tasks/.*"),
        *runs.glob("*/tasks/*/.*"),
        *runs.glob("*/tasks/*/model/.*"),
        *datasets.glob(".*"),
        *datasets.glob("*/.*"),
        *exports.glob(".*"),
        *(path for path in uploads.glob("*") if _is_older(path, UPLOAD_SECONDS) and path.name != ".reading"),
    ]
    found += [path for path in exports.glob("*-*") if not (runs / path.name.partition("-")[0]).is_dir()]
    return tuple(sorted(path for path in set(found) if _is_older(path, seconds)))


def remove_orphans(home: Path, seconds: float = ORPHAN_SECONDS) -> tuple[Path, ...]:
    """Remove what `find_orphans` finds, and return it."""
    found = find_orphans(home, seconds)
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink()
    return found


def remove_old_runs(store: RunStore, keep_days: float) -> tuple[str, ...]:
    """Delete the runs that ended more than `keep_days` ago, and return their identifiers; with 0, none."""
    if keep_days <= 0:
        return ()
    limit = (now() - timedelta(days=keep_days)).replace(tzinfo=None)
    removed = []
    for run in store.index.list():
        if run.state in (RunState.QUEUED, RunState.RUNNING) or run.ended is None or run.ended > limit:
            continue
        # One that is being explained, or continued since the list was read, stays.
        with suppress(DlregError, OSError):
            store.delete(run.run_id)
            removed.append(run.run_id)
    return tuple(removed)


def _is_older(path: Path, seconds: float) -> bool:
    try:
        newest = max((p.lstat().st_mtime for p in (path, *path.rglob("*"))), default=0.0)
    except OSError:
        # It has gone or changes under our eyes: somebody works on it.
        return False
    return time.time() - newest > seconds
