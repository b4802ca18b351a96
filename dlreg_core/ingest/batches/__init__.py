"""How every table gets its types: batch by batch, whether it is in memory or too large for that.

::

    file_scan        bytes → size, hash, whether they are UTF-8
    row_sources      a file, or a table in memory → batches of rows
    column_plan      a sample of rows → what each column is read as
    column_reader    a batch of a column → its values in that type, or a misfit
    typing_pass      all batches → typed rows, in a file or in memory
    whole_table      with misfits, once more by better plans; all of a large file
    column_profile   a typed column → its profile
"""

from __future__ import annotations

from dlreg_core.ingest.batches.column_plan import KnownColumns
from dlreg_core.ingest.batches.column_profile import column_of
from dlreg_core.ingest.batches.file_scan import Scan, Scanner, scan_file
from dlreg_core.ingest.batches.row_sampling import drawn
from dlreg_core.ingest.batches.row_sources import HeldRows
from dlreg_core.ingest.batches.typed_table import TypedTable, to_frame
from dlreg_core.ingest.batches.typing_pass import MemorySink
from dlreg_core.ingest.batches.whole_table import ReadingProgress, StreamedTable, stream_table, typed_rows

__all__ = [
    "HeldRows",
    "KnownColumns",
    "MemorySink",
    "ReadingProgress",
    "Scan",
    "Scanner",
    "StreamedTable",
    "TypedTable",
    "column_of",
    "drawn",
    "scan_file",
    "stream_table",
    "to_frame",
    "typed_rows",
]
