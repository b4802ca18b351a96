"""SHAP values of a fitted pipeline, with their cost and their error: the only importer of shap."""

from __future__ import annotations

from dlreg_core.explanation.explanation_cost import (
    EXACT_FEATURES,
    ExplainSizes,
    evaluations,
    expected_seconds,
    expected_speed,
    sizes_for,
)

__all__ = [
    "EXACT_FEATURES",
    "ExplainSizes",
    "evaluations",
    "expected_seconds",
    "expected_speed",
    "sizes_for",
]
