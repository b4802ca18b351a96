"""The process that reads one large file that has arrived: ``python -m dlreg_core.ingest.reader FOLDER``.

A process of its own gives its memory back when it ends, and can't take the server down with it.
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
import time
import traceback
from pathlib import Path

from filelock import FileLock

from dlreg_core.errors import DlregError
from dlreg_core.ingest.arrivals import Arrival, Ticket, scan_of
from dlreg_core.ingest.store import DatasetStore
from dlreg_core.runs.files import read_spec, write_spec
from dlreg_core.runs.machine import born
from dlreg_core.runs.privacy import keep_private

_SECONDS = 0.25
"""Between two reports of how far it has come."""

_LOOK = 0.05
"""Seconds between two looks whether the file is complete."""

_MOST_SILENT = 600.0
"""Seconds after which a file of which nothing more has come is given up: the server has ended meanwhile."""


class _Report:
    """Writes how far a file has come, not more often than anybody looks."""

    def __init__(self, folder: Path) -> None:
        me = os.getpid()
        self._path = folder / "arrival.json"
        self._arrival = read_spec(self._path, Arrival).model_copy(update={"pid": me, "process_born": born(me)})
        self._last = 0.0

    @property
    def name(self) -> str:
        return self._arrival.name

    def progress(self, done: str, share: float) -> None:
        if done != self._arrival.done or time.monotonic() - self._last > _SECONDS:
            self._write(done=done, share=min(1.0, share))

    def ended(self, **facts: str) -> None:
        self._write(share=1.0, **facts)

    def _write(self, **facts: object) -> None:
        self._last = time.monotonic()
        self._arrival = self._arrival.model_copy(update=facts)
        write_spec(self._path, self._arrival)


def read_arrived(folder: Path) -> None:
    """Read a file that arrives, and tell in its folder how far that has come and how it ended.

    It may be called when the first byte is there, so that all libraries are loaded when the last one comes.

    Parameters
    ----------
    folder : Path
        The folder of its ticket.
    """
    report, file = _Report(folder), folder / "file"
    if not _is_complete(folder):
        return
    report.progress("Waiting for another file", 0.0)
    try:
        # Two of them at the same time would take the memory of two.
        with FileLock(folder.parent / ".reading"):
            store = DatasetStore(folder.parent.parent, read_spec(folder / "ticket.json", Ticket).owner)
            found = store.add_large(file, report.name, scan=scan_of(folder), progress=report.progress)
            report.ended(dataset_id=found.id)
            # Nobody waits for the rest.
            os.nice(10)
            store.keep_source(found.id, file)
    except DlregError as exc:
        report.ended(message=exc.message, hint=exc.hint)
    except OSError as exc:
        full = exc.errno == errno.ENOSPC
        said = "The server's disk is full." if full else "The server could not read the file."
        report.ended(message=said, hint="Ask its administrator.")
        traceback.print_exc()
    except Exception:  # noqa: BLE001 - whoever waits for the file must learn that nothing more comes
        report.ended(message="The file can't be read.", hint="Save it as CSV in UTF-8, and try again.")
        traceback.print_exc()
    finally:
        file.unlink(missing_ok=True)


def _is_complete(folder: Path) -> bool:
    """Wait until the file is there; False where nothing more comes of it."""
    size, silent = -1, 0.0
    while not (folder / "scan.json").exists():
        try:
            found = (folder / "file").stat().st_size
        except FileNotFoundError:
            return False
        # Only the looks are counted: no clock that is set and no sleeping machine makes a file late.
        size, silent = found, silent + _LOOK if found == size else 0.0
        if silent > _MOST_SILENT:
            shutil.rmtree(folder, ignore_errors=True)
            return False
        time.sleep(_LOOK)
    return True


if __name__ == "__main__":
    keep_private()
    read_arrived(Path(sys.argv[1]))
