"""Training within a budget.

Nothing is imported here on purpose: whoever needs a plan must not load a deep learning library.
"""

from __future__ import annotations

from dlreg_core.training.ensemble import ensemble_weights, mixed, rmse, worth_combining

__all__ = [
    "ensemble_weights",
    "mixed",
    "rmse",
    "worth_combining",
]
