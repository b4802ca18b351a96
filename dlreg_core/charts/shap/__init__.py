"""Figures of what drives predictions."""

from __future__ import annotations

from dlreg_core.charts.shap.shap_values import importance

__all__ = [
    "importance",
]
