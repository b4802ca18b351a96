"""The bytes of a file → its columns, as they stand in it."""

from __future__ import annotations

from dlreg_core.ingest.formats.column_names import names_as_known
from dlreg_core.ingest.formats.compression import unpacked
from dlreg_core.ingest.formats.large_files import reads_in_pieces
from dlreg_core.ingest.formats.library_errors import said_plainly
from dlreg_core.ingest.formats.raw_table import RawTable, Source, read_bytes, read_table
from dlreg_core.ingest.formats.regular_files import ordinary

__all__ = [
    "RawTable",
    "Source",
    "names_as_known",
    "ordinary",
    "read_bytes",
    "read_table",
    "reads_in_pieces",
    "said_plainly",
    "unpacked",
]
