"""Columns as they stand in a file → values in their type, and why."""

from __future__ import annotations

from dlreg_core.ingest.inference.clock_seconds import in_seconds, is_clock, seconds_since_midnight, unit_of
from dlreg_core.ingest.inference.column_type import words
from dlreg_core.ingest.inference.column_values import flat, plain_values
from dlreg_core.ingest.inference.known_cells import How, ReadCells, fits_both, read_known
from dlreg_core.ingest.inference.level_order import MOST, any_order
from dlreg_core.ingest.inference.mixed_units import common_unit, converted, convertible, in_unit, other_units, units_of
from dlreg_core.ingest.inference.name_suggestions import named_column, names_hint
from dlreg_core.ingest.inference.summary_statistics import even_bins, number_column

__all__ = [
    "MOST",
    "How",
    "ReadCells",
    "any_order",
    "common_unit",
    "converted",
    "convertible",
    "even_bins",
    "fits_both",
    "flat",
    "in_seconds",
    "in_unit",
    "is_clock",
    "named_column",
    "names_hint",
    "number_column",
    "other_units",
    "plain_values",
    "read_known",
    "seconds_since_midnight",
    "unit_of",
    "units_of",
    "words",
]
