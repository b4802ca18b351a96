"""Data sets as they are kept: each once, by the hash of its content, with its profile."""

from __future__ import annotations

from dlreg_core.ingest.datasets.dataset_files import note_opened, read_dataset
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.datasets.sample_tables import SAMPLES, SampleTable, sample_path
from dlreg_core.ingest.datasets.upload_limits import bytes_in_pieces, check_source

__all__ = [
    "SAMPLES",
    "DatasetStore",
    "SampleTable",
    "bytes_in_pieces",
    "check_source",
    "note_opened",
    "read_dataset",
    "sample_path",
]
