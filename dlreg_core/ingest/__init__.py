"""From a file or an upload to a stored, typed and profiled data set."""

from __future__ import annotations

from dlreg_core.ingest.keeping import read_dataset
from dlreg_core.ingest.reading import RawTable, Source, read_table
from dlreg_core.ingest.samples import SAMPLES, Sample, sample_path
from dlreg_core.ingest.store import DatasetStore
from dlreg_core.ingest.tables import Like, TypedTable, read_rows

__all__ = [
    "SAMPLES",
    "DatasetStore",
    "Like",
    "RawTable",
    "Sample",
    "Source",
    "TypedTable",
    "read_dataset",
    "read_rows",
    "read_table",
    "sample_path",
]
