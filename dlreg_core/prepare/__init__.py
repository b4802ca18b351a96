"""Cleaning and splitting: everything between an uploaded table and rows that a network can learn from."""

from __future__ import annotations

from dlreg_core.prepare.cleaner import Cleaner, fit_cleaner
from dlreg_core.prepare.plan import (
    ColumnChoice,
    StepPreview,
    TargetChoice,
    column_choices,
    preview_steps,
    target_choices,
)
from dlreg_core.prepare.reading import read_own_rows, read_raw_rows
from dlreg_core.prepare.schema import Field, Schema, schema_of
from dlreg_core.prepare.splitting import SplitRows, preview_split, split_rows
from dlreg_core.prepare.tables import PreparedTable, background_rows, prepare_table, prepared_of

__all__ = [
    "Cleaner",
    "ColumnChoice",
    "Field",
    "PreparedTable",
    "Schema",
    "SplitRows",
    "StepPreview",
    "TargetChoice",
    "background_rows",
    "column_choices",
    "fit_cleaner",
    "prepare_table",
    "prepared_of",
    "preview_split",
    "preview_steps",
    "read_own_rows",
    "read_raw_rows",
    "schema_of",
    "split_rows",
    "target_choices",
]
