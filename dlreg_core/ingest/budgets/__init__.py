"""What a file may ask for: decided from what it says of itself, before anything of it is decoded.

::

    amounts    how much is allowed, and the sentences for what is more
    archives   the members of a ZIP archive, with the sizes that they really have
    sheets     how far the cells of a workbook reach
    compound   the streams of an old workbook
    parquet    rows, values and texts of a Parquet file
    feather    record batches and buffers of an Arrow file

A few bytes can stand for any number of values. Whoever lies so well that nothing here sees it meets the limit of memory
of the process that reads files.
"""

from __future__ import annotations

from dlreg_core.ingest.budgets.amounts import (
    MOST_CELLS,
    MOST_CELLS_IN_MEMORY,
    MOST_DECODED,
    check_cells,
    check_decoded,
    check_extent,
)
from dlreg_core.ingest.budgets.feather import check_feather
from dlreg_core.ingest.budgets.parquet import check_parquet, checked_texts, decodes_to
from dlreg_core.ingest.budgets.sheets import check_sheet, check_workbook

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
