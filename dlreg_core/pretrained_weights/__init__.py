"""Weights of pre-trained networks: what is on the disk, what may be fetched, and under which licence."""

from __future__ import annotations

from dlreg_core.pretrained_weights.eligibility import usable
from dlreg_core.pretrained_weights.weight_store import State, Status, Weights, open_weights

__all__ = [
    "State",
    "Status",
    "Weights",
    "open_weights",
    "usable",
]
