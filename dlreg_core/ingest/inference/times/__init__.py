"""Texts → dates, times of day and durations."""

from __future__ import annotations

from dlreg_core.ingest.inference.times.date_cells import FIRST_YEAR, LAST_YEAR, date_order_of, read_moments
from dlreg_core.ingest.inference.times.date_order import parse_dates
from dlreg_core.ingest.inference.times.durations import UNIT

__all__ = [
    "FIRST_YEAR",
    "LAST_YEAR",
    "UNIT",
    "date_order_of",
    "parse_dates",
    "read_moments",
]
