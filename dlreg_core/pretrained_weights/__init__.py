"""Weights of pre-trained networks: what is on the disk, what may be fetched, and under which licence."""

from __future__ import annotations

from dlreg_core.pretrained_weights.eligibility import usable
from dlreg_core.pretrained_weights.weight_store import Weights, WeightState, WeightStatus, open_weights

__all__ = [
    "WeightState",
    "WeightStatus",
    "Weights",
    "open_weights",
    "usable",
]
