"""What is asked of a table before training: whether its split is honest, its rows are enough, its parts are alike."""

from __future__ import annotations

from dlreg_core.checks.column_associations import (
    Associations,
    MissingPatterns,
    associations,
    columns_with_gaps,
    missing_patterns,
    some_rows,
)
from dlreg_core.checks.covariate_shift import ColumnShift, column_shifts
from dlreg_core.checks.dependence import FEWEST_GROUPS
from dlreg_core.checks.duplicate_optimism import TwinsHonesty, twins_honesty
from dlreg_core.checks.interaction_candidates import PromisingCombination, promising_combinations
from dlreg_core.checks.recommended_split import SplitAdvice, few_rows_warning, group_columns, split_advice, time_columns
from dlreg_core.checks.sample_size import RowNeeds, row_needs
from dlreg_core.checks.split_optimism import FEWEST_ROWS, SplitMeasure, SplitMeasures, measure_split
from dlreg_core.checks.train_test_duplicates import TwinCheck, twin_check

__all__ = [
    "FEWEST_GROUPS",
    "FEWEST_ROWS",
    "Associations",
    "ColumnShift",
    "MissingPatterns",
    "PromisingCombination",
    "RowNeeds",
    "SplitAdvice",
    "SplitMeasure",
    "SplitMeasures",
    "TwinCheck",
    "TwinsHonesty",
    "associations",
    "column_shifts",
    "columns_with_gaps",
    "few_rows_warning",
    "group_columns",
    "measure_split",
    "missing_patterns",
    "promising_combinations",
    "row_needs",
    "some_rows",
    "split_advice",
    "time_columns",
    "twin_check",
    "twins_honesty",
]
