"""Judging predictions: errors with their uncertainty, comparisons, intervals, and tables of where a model is wrong.

Everywhere in this package a residual is **actual - predicted**: positive means that the prediction was too low.
"""

from __future__ import annotations

from dlreg_core.evaluation.arrays import finite, pair
from dlreg_core.evaluation.bootstrap import bootstrap_rmse
from dlreg_core.evaluation.conformal import calibrate, calibrating_rows, gap_factor, likely_coverage
from dlreg_core.evaluation.curve_evidence import CurveEvidence
from dlreg_core.evaluation.curve_verdict import SCATTER, Aim
from dlreg_core.evaluation.epoch_curves import NetworkCurves
from dlreg_core.evaluation.error_segments import segments, small_groups
from dlreg_core.evaluation.errors_by_period import over_time
from dlreg_core.evaluation.kept_models import interval_of, load_cleaner
from dlreg_core.evaluation.metrics import regression_metrics
from dlreg_core.evaluation.model_comparison import compare
from dlreg_core.evaluation.residuals import NORMAL_95, error_by_quantile, qq_points, residual_table
from dlreg_core.evaluation.search_importance import LEAST_TRIALS, SettingImportance, setting_importance
from dlreg_core.evaluation.unseen_values import unseen

__all__ = [
    "LEAST_TRIALS",
    "NORMAL_95",
    "SCATTER",
    "Aim",
    "CurveEvidence",
    "NetworkCurves",
    "SettingImportance",
    "bootstrap_rmse",
    "calibrate",
    "calibrating_rows",
    "compare",
    "error_by_quantile",
    "finite",
    "gap_factor",
    "interval_of",
    "likely_coverage",
    "load_cleaner",
    "over_time",
    "pair",
    "qq_points",
    "regression_metrics",
    "residual_table",
    "segments",
    "setting_importance",
    "small_groups",
    "unseen",
]
