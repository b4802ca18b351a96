"""SHAP values of a fitted pipeline, with their cost and their error: the only importer of shap."""

from __future__ import annotations

from dlreg_core.explanation.explanation_cost import EXACT_FEATURES, ExplainSizes, evaluations, sizes_for
from dlreg_core.explanation.shapley import explain, to_shap

__all__ = ["EXACT_FEATURES", "ExplainSizes", "evaluations", "explain", "sizes_for", "to_shap"]
