"""What all figures share."""

from __future__ import annotations

from dlreg_core.charts.base.frames import is_number, is_there, row_records
from dlreg_core.charts.base.time_labels import moment_text, span_text

__all__ = [
    "is_number",
    "is_there",
    "moment_text",
    "row_records",
    "span_text",
]
