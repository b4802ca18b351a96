"""The simple models that a network has to beat.

Runs of earlier versions hold baselines that were pickled under this name.
"""

from __future__ import annotations

from dlreg_core.training.baselines.simple_models import Baseline

__all__ = ["Baseline"]
