"""How every table gets its types: batch by batch, whether it is in memory or too large for that.

::

    scan      bytes → size, hash, whether they are UTF-8
    sources   a file, or a table in memory → batches of rows
    plans     a sample of rows → what each column is read as
    columns   a batch of a column → its values in that type, or a misfit
    passes    all batches → typed rows, in a file or in memory
    table     with misfits, once more by better plans; all of a large file
    figures   a typed column → its profile
"""

from __future__ import annotations

from dlreg_core.ingest.streaming.figures import column_of
from dlreg_core.ingest.streaming.passes import Held
from dlreg_core.ingest.streaming.plans import Known
from dlreg_core.ingest.streaming.scan import Scan, Scanner, scan_file
from dlreg_core.ingest.streaming.sources import HeldRows
from dlreg_core.ingest.streaming.table import Progress, StreamedTable, stream_table, typed_rows

__all__ = [
    "Held",
    "HeldRows",
    "Known",
    "Progress",
    "Scan",
    "Scanner",
    "StreamedTable",
    "column_of",
    "scan_file",
    "stream_table",
    "typed_rows",
]
