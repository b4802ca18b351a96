"""What crashes leave behind, and what has been kept long enough."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Protocol

from dlreg_core.errors import DlregError
from dlreg_core.runs.retention_clock import Calendar, calendar_of, keep_calendar
from dlreg_core.runs.run_store import RunStore
from dlreg_core.runs.scratch_folders import left_scratch

_LOOK_SECONDS = 3600.0
_DAY = 24 * 3600.0
_DATASET = re.compile(r"[0-9a-f]{16}")

ORPHAN_SECONDS = 3600.0
"""What is being built or taken apart is younger than this."""

UPLOAD_SECONDS = _DAY
"""A large file arrives within this time, and somebody looks at what came of it."""


def find_orphans(home: Path, seconds: float = ORPHAN_SECONDS, calendar: Calendar | None = None) -> tuple[Path, ...]:
    """Return files and folders below `home` that nothing refers to and that nobody works on.

    These are half-built and half-deleted runs, tasks and data sets, half-written files, half-fetched weights, what a
    training that was killed had prepared, model files of runs and drafts of data sets that are gone; each untouched for
    `seconds`. Everything of ours that isn't complete yet has a name with a leading dot until it is. Temporary folders
    of processes that were killed stand in the system's place for them.
    """
    calendar = calendar or calendar_of(home)
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
        *home.glob(".*.json.*"),
        *(home / "drafts").glob("*/.*"),
        *(path for path in (home / "weights").glob(".*-*") if path.is_dir()),
        # The rows that a training had prepared, and that it removes itself unless it is killed.
        *(path for path in runs.glob("*/tasks/*/model/scratch") if (path.parents[1] / "DONE").exists()),
        *(path for path in uploads.glob("*") if _is_older(path, UPLOAD_SECONDS, calendar) and path.name != ".reading"),
    ]
    found += left_scratch()
    found += [path for path in (home / "drafts").glob("*/*.json") if _is_lonely(path, datasets)]
    found += [path for path in exports.glob("*-*") if not (runs / path.name.partition("-")[0]).is_dir()]
    return tuple(sorted(path for path in set(found) if _is_older(path, seconds, calendar)))


def remove_orphans(home: Path, seconds: float = ORPHAN_SECONDS) -> tuple[Path, ...]:
    """Remove what `find_orphans` finds, and return it."""
    found = find_orphans(home, seconds)
    for path in found:
        _remove(path)
    return found


def old_runs(store: RunStore, keep_days: float, calendar: Calendar | None = None) -> tuple[str, ...]:
    """Return the runs that ended more than `keep_days` ago for certain; with 0, none."""
    if keep_days <= 0:
        return ()
    calendar = calendar or calendar_of(store.home)
    return tuple(
        run.run_id
        for run in store.index.list()
        if run.state.is_final
        and run.ended is not None
        and calendar.age(run.ended.replace(tzinfo=UTC).timestamp()) > keep_days * _DAY
    )


class KnownDatasets(Protocol):
    """The data sets of a home, as far as housekeeping goes."""

    def old(self, keep_days: float, calendar: Calendar) -> tuple[str, ...]:
        """Return those that nobody needs any more; with 0 days, none."""

    def delete(self, dataset_id: str) -> object:
        """Delete one, unless a run uses it."""


class Housekeeper:
    """Takes away what is left over and what has been kept long enough, once two looks have found it so.

    Parameters
    ----------
    store : RunStore
        The runs.
    keep_days : float
        Runs that ended longer ago are deleted, and data sets that no run uses and nobody has opened since; 0 keeps
        both.
    tables : KnownDatasets, optional
        The data sets.
    """

    def __init__(self, store: RunStore, keep_days: float, tables: KnownDatasets | None = None) -> None:
        self._store = store
        self._tables = tables
        self._keep_days = keep_days
        self._looked: float | None = None
        self._orphans: frozenset[Path] = frozenset()
        self._old: frozenset[str] = frozenset()
        self._unused: frozenset[str] = frozenset()

    def tidy(self) -> None:
        """Look once an hour."""
        moment = time.monotonic()
        if self._looked is not None and moment - self._looked < _LOOK_SECONDS:
            return
        self._looked = moment
        self.look()

    def look(self) -> None:
        """Look now; remove what the look before has found too."""
        calendar = keep_calendar(self._store.home)
        # The past that nobody has watched is believed only once the clock has run on evenly for some time.
        orphans = find_orphans(self._store.home, calendar=calendar) if calendar.watched > ORPHAN_SECONDS else ()
        old = old_runs(self._store, self._keep_days, calendar) if calendar.watched > _DAY else ()
        for path in self._orphans.intersection(orphans):
            _remove(path)
        for run_id in self._old.intersection(old):
            # One that is being explained, or continued since the list was read, stays.
            with suppress(DlregError, OSError):
                self._store.delete(run_id)
        self._orphans, self._old = frozenset(orphans), frozenset(old)
        if self._tables is not None:
            self._look_at_tables(self._tables, calendar)
        # What was in use when something was deleted.
        self._store.index.wipe()

    def _look_at_tables(self, tables: KnownDatasets, calendar: Calendar) -> None:
        unused = tables.old(self._keep_days, calendar) if calendar.watched > _DAY else ()
        for dataset_id in self._unused.intersection(unused):
            # One that a run was made of since the list was read stays.
            with suppress(DlregError, OSError):
                tables.delete(dataset_id)
        self._unused = frozenset(unused)


def _is_lonely(draft: Path, datasets: Path) -> bool:
    """Tell whether the data set of a draft is gone."""
    return _DATASET.fullmatch(draft.stem) is not None and not (datasets / draft.stem).is_dir()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink()


def _is_older(path: Path, seconds: float, calendar: Calendar) -> bool:
    try:
        newest = max((p.lstat().st_mtime for p in (path, *path.rglob("*"))), default=0.0)
    except OSError:
        # It has gone or changes under our eyes: somebody works on it.
        return False
    return calendar.age(newest) >= seconds
