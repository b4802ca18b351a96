"""Files that people hand in are read by processes of their own."""

from __future__ import annotations

from dlreg_core.jobs.reading.handed_files import ReaderBackedStore
from dlreg_core.jobs.reading.reader_client import open_readers
from dlreg_core.jobs.reading.upload_reading import start_reading

__all__ = [
    "ReaderBackedStore",
    "open_readers",
    "start_reading",
]
