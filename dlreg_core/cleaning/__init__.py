"""Cleaning that is fitted on training rows: from raw rows to what the networks learn from, always in the same way."""

from __future__ import annotations

from dlreg_core.cleaning.cleaner import Cleaner, columns_to_drop, fit_cleaner
from dlreg_core.cleaning.conform import written_of
from dlreg_core.cleaning.form_rows import Value, form_fields, row_frame, row_values, typical_row
from dlreg_core.cleaning.lags.fit_lags import (
    added_to,
    columns_made,
    fit_past,
    looked_up,
    split_at_horizon,
    step_of,
    with_past,
)
from dlreg_core.cleaning.lags.fitted_lags import Past, RowsWithPast
from dlreg_core.cleaning.lags.horizons import MOST_ROWS_OF_STEP, RowsAtHorizon, judged_steps, rows_at_horizon
from dlreg_core.cleaning.lags.time_steps import Clock, counted
from dlreg_core.cleaning.raw_rows import numbered_name, read_own_rows
from dlreg_core.cleaning.schema import Schema, SchemaField, coerce_column
from dlreg_core.cleaning.spreadsheet_safe import without_formulas
from dlreg_core.cleaning.steps.date_features import ExpandDates
from dlreg_core.cleaning.steps.imputation import FillByNeighbours
from dlreg_core.cleaning.steps.interactions import combined
from dlreg_core.cleaning.steps.ordinal_encoding import ranked
from dlreg_core.cleaning.steps.outlier_clipping import (
    SUGGESTED,
    OutlyingColumn,
    limits_of,
    outlying_columns,
    outlying_rows,
    worth_clipping,
)
from dlreg_core.cleaning.steps.text_features import ExpandTexts
from dlreg_core.cleaning.steps.value_repairs import merged, profile_without, repaired, without_codes
from dlreg_core.cleaning.target_transform import (
    AS_IT_IS,
    TargetTransform,
    fit_target_transform,
    impossible,
    refuse_too_large,
)

__all__ = [
    "AS_IT_IS",
    "MOST_ROWS_OF_STEP",
    "SUGGESTED",
    "Cleaner",
    "Clock",
    "ExpandDates",
    "ExpandTexts",
    "FillByNeighbours",
    "OutlyingColumn",
    "Past",
    "RowsAtHorizon",
    "RowsWithPast",
    "Schema",
    "SchemaField",
    "TargetTransform",
    "Value",
    "added_to",
    "coerce_column",
    "columns_made",
    "columns_to_drop",
    "combined",
    "counted",
    "fit_cleaner",
    "fit_past",
    "fit_target_transform",
    "form_fields",
    "impossible",
    "judged_steps",
    "limits_of",
    "looked_up",
    "merged",
    "numbered_name",
    "outlying_columns",
    "outlying_rows",
    "profile_without",
    "ranked",
    "read_own_rows",
    "refuse_too_large",
    "repaired",
    "row_frame",
    "row_values",
    "rows_at_horizon",
    "split_at_horizon",
    "step_of",
    "typical_row",
    "with_past",
    "without_codes",
    "without_formulas",
    "worth_clipping",
    "written_of",
]
