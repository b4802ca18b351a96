"""Which rows train, which choose between models, and which judge."""

from __future__ import annotations

from dlreg_core.splitting.external_test import add_own_test, in_units, own_test_table
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
from dlreg_core.splitting.split import fold_count
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
    "in_units",
    "near_copies",
    "own_test_table",
    "placed",
    "prepare_table",
    "prepared_of",
    "seconds_for_all",
    "usable_rows",
]
