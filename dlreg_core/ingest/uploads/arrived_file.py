"""Reading a large file that has arrived; its process tells in the file's folder how far it has come."""

from __future__ import annotations

import errno
import os
import time
import traceback
from pathlib import Path

from dlreg_core.errors import DlregError
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.formats.library_errors import said_plainly
from dlreg_core.ingest.uploads.upload_receiver import Upload, UploadTicket, scan_of
from dlreg_core.runs import born, read_spec, write_spec

_SECONDS = 0.25
"""Between two reports of how far it has come."""


class _Report:
    """Writes how far a file has come, not more often than anybody looks."""

    def __init__(self, folder: Path) -> None:
        me = os.getpid()
        self._path = folder / "arrival.json"
        self._arrival = read_spec(self._path, Upload).model_copy(update={"pid": me, "process_born": born(me)})
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
    """Read a file that has arrived whole, and tell in its folder how far that has come and how it ended.

    The process ends after it: while the file is packed, which nobody waits for, it gives way to others for good.

    Parameters
    ----------
    folder : Path
        The folder of its ticket.
    """
    report, file = _Report(folder), folder / "file"
    report.progress("Reading the file", 0.0)
    try:
        store = DatasetStore(folder.parent.parent, read_spec(folder / "ticket.json", UploadTicket).owner)
        with said_plainly():
            found = store.add_large(file, report.name, scan=scan_of(folder), progress=report.progress)
        report.ended(dataset_id=found.id)
        # Nobody waits for the rest; at a lower priority it would leave the next file, for which somebody waits, so too.
        store.keep_source(found.id, file)
    except DlregError as exc:
        report.ended(message=exc.message, hint=exc.hint)
    except OSError as exc:
        full = exc.errno == errno.ENOSPC
        said = "The server's disk is full." if full else "The server could not read the file."
        report.ended(message=said, hint="Ask its administrator.")
        traceback.print_exc()
    finally:
        file.unlink(missing_ok=True)
