"""What a file may ask for: decided from what it says of itself, before anything of it is decoded.

::

    cell_limits      how much is allowed, and the sentences for what is more
    zip_members      the members of a ZIP archive, with the sizes that they really have
    sheet_extent     how far the cells of a workbook reach
    xls_extent       the streams of an old workbook
    parquet_pages    rows, values and texts of a Parquet file
    feather_buffers  record batches and buffers of an Arrow file
    table_width      how many columns

A few bytes can stand for any number of values. Whoever lies so well that nothing here sees it meets the limit of memory
of the process that reads files.
"""

from __future__ import annotations

from dlreg_core.ingest.formats.limits.cell_limits import (
    MOST_CELLS,
    MOST_CELLS_IN_MEMORY,
    MOST_DECODED,
    check_cells,
    check_decoded,
    check_extent,
)
from dlreg_core.ingest.formats.limits.feather_buffers import check_feather
from dlreg_core.ingest.formats.limits.parquet_pages import check_parquet, checked_texts, decodes_to
from dlreg_core.ingest.formats.limits.sheet_extent import check_sheet, check_workbook

__all__ = [
    "MOST_CELLS",
    "MOST_CELLS_IN_MEMORY",
    "MOST_DECODED",
    "check_cells",
    "check_decoded",
    "check_extent",
    "check_feather",
    "check_parquet",
    "check_sheet",
    "check_workbook",
    "checked_texts",
    "decodes_to",
]
