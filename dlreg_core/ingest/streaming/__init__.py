"""Tables that are too large to be held in memory: read from disk piece by piece, to the same result as small ones.

::

    scan      bytes → size, hash, whether they are UTF-8
    sources   a file → batches of rows
    plans     a sample of rows → what each column is read as
    columns   a batch of a column → its values in that type, or a misfit
    passes    all batches → a typed Parquet file; with misfits, once more by better plans
    figures   a column of that file → its profile
"""

from __future__ import annotations

from dlreg_core.ingest.streaming.scan import Scan, Scanner, scan_file
from dlreg_core.ingest.streaming.table import Progress, StreamedTable, stream_table

__all__ = ["Progress", "Scan", "Scanner", "StreamedTable", "scan_file", "stream_table"]
