"""What data sets take up, when somebody last opened them, and what else of their files a home holds."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dlreg_core.errors import NotFoundError
from dlreg_core.ingest.datasets.dataset_files import OPENED, PROFILE, SOURCE
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.uploads.upload_receiver import Upload, scan_of
from dlreg_core.runs import read_spec, sha256
from dlreg_core.specs import Dataset

if TYPE_CHECKING:
    from dlreg_core.runs import RunSummary


@dataclass(frozen=True)
class KeptData:
    """A data set as it lies on the disk.

    Attributes
    ----------
    dataset_id : str
        Its identifier.
    dataset : Dataset or None
        Its profile; None where it is damaged, or another version wrote it.
    size_mb : float
        Room on the disk.
    opened : datetime
        When somebody last opened it, or added its file, in UTC.
    runs : tuple of RunSummary
        The runs that learned from it or were judged by it, newest first.
    copies : tuple of str
        Other data sets that are the same file, read in another way.
    """

    dataset_id: str
    dataset: Dataset | None
    size_mb: float
    opened: datetime
    runs: tuple[RunSummary, ...] = ()
    copies: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """What it is called."""
        return self.dataset.name if self.dataset is not None else "can't be read"


def kept_data(store: DatasetStore, dataset_id: str) -> KeptData:
    """Return how a data set lies on the disk, without what uses it; `NotFoundError` if there is none."""
    folder = store.held(dataset_id)
    # A file that is added changes the folder's time, one that is written anew its own.
    size_mb = _size_mb(folder, _changed(folder), _changed(folder / PROFILE))
    moment = datetime.fromtimestamp(opened_at(folder), UTC)
    return KeptData(dataset_id, store.readable(dataset_id), size_mb, moment)


@lru_cache(maxsize=1024)
def _size_mb(folder: Path, _folder_changed: int, _profile_changed: int) -> float:
    """Return the room of a data set on the disk: of hundreds that are listed, few have changed."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def _changed(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0


def opened_at(folder: Path) -> float:
    """Return when a data set was last opened, in seconds since 1970; when it was stored where nobody noted more."""
    return max((_touched(folder / name) for name in (OPENED, PROFILE)), default=0.0)


def _touched(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def copies(store: DatasetStore) -> dict[str, tuple[str, ...]]:
    """Return, by data set, the others that are the same file; only those that have some."""
    sized: dict[int, list[str]] = defaultdict(list)
    for name in store.identifiers():
        with suppress(OSError):
            sized[(store.folder(name) / SOURCE).stat().st_size].append(name)
    same: dict[str, list[str]] = defaultdict(list)
    for names in sized.values():
        for name in names if len(names) > 1 else ():
            with suppress(OSError):
                source = store.folder(name) / SOURCE
                same[_known_digest(source, source.stat().st_mtime_ns)].append(name)
    return {name: tuple(n for n in names if n != name) for names in same.values() if len(names) > 1 for name in names}


@lru_cache(maxsize=1024)
def _known_digest(path: Path, _changed_at: int) -> str:
    return sha256(path)


# --- files on their way ----------------------------------------------------------------------------------------------


def delete_uploads(home: Path, dataset_id: str) -> None:
    """Remove what is left of the upload that a data set came from: its note, and its file where that wasn't removed."""
    for folder in list(_uploads_of(home, dataset_id)):
        shutil.rmtree(folder, ignore_errors=True)


def _uploads_of(home: Path, dataset_id: str) -> Iterator[Path]:
    uploads = home / "uploads"
    for folder in uploads.iterdir() if uploads.is_dir() else ():
        with suppress(NotFoundError, OSError):
            if _became(folder) == dataset_id or _digest_of(folder)[:16] == dataset_id:
                yield folder


def _became(folder: Path) -> str:
    """Return the data set that an upload has become; empty where it became none."""
    try:
        return read_spec(folder / "arrival.json", Upload).dataset_id
    except NotFoundError:
        return ""


def _digest_of(folder: Path) -> str:
    """Return the SHA-256 of an upload's file, as far as all of it is there; empty where there is none."""
    if (folder / "scan.json").is_file():
        return scan_of(folder).digest
    return sha256(folder / "file") if (folder / "file").is_file() else ""
