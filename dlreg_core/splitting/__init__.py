"""Which rows train, which choose between models, and which judge."""

from __future__ import annotations

from dlreg_core.splitting.external_test import add_own_test, own_test_table
from dlreg_core.splitting.folds import fold_count
from dlreg_core.splitting.held_out_rows import judged_rows
from dlreg_core.splitting.near_duplicates import NEAR, near_copies, placed
from dlreg_core.splitting.prepared_table import (
    PreparedTable,
    background_rows,
    feature_types,
    foreseen_counts,
    prepare_table,
    prepared_of,
    usable_rows,
)
from dlreg_core.splitting.recipe_validation import check_recipe
from dlreg_core.splitting.subsample import WHY_DRAWN, seconds_for_all

__all__ = [
    "NEAR",
    "WHY_DRAWN",
    "PreparedTable",
    "add_own_test",
    "background_rows",
    "check_recipe",
    "feature_types",
    "fold_count",
    "foreseen_counts",
    "judged_rows",
    "near_copies",
    "own_test_table",
    "placed",
    "prepare_table",
    "prepared_of",
    "seconds_for_all",
    "usable_rows",
]
