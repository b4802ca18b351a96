"""Having a large file read that has arrived."""

from __future__ import annotations

import threading
from pathlib import Path

from dlreg_core.errors import DlregError, WorkError
from dlreg_core.ingest.uploads import note_end, note_waiting
from dlreg_core.jobs.reading.reader_client import open_readers

_ONE = threading.Lock()
"""Large files are read one after the other: small ones, for which somebody waits, always find a place."""


def start_reading(folder: Path) -> None:
    """Have a file read that has arrived whole; returns at once.

    Parameters
    ----------
    folder : Path
        The folder of its ticket, in which is told how far that has come and how it ended.
    """
    note_waiting(folder)
    threading.Thread(target=_read, args=(folder,), name="arriving", daemon=True).start()


def _read(folder: Path) -> None:
    try:
        with _ONE:
            open_readers().ask({"do": "arrived", "folder": str(folder)}, (folder / "file").stat().st_size)
    except DlregError as exc:
        note_end(folder, exc)
    except BaseException:
        # Whoever waits for the file must learn that nothing more comes.
        note_end(folder, WorkError("The server could not read the file.", "Ask its administrator."))
        raise
    finally:
        (folder / "file").unlink(missing_ok=True)
