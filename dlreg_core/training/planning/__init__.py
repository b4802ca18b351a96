"""What fits into a budget and into the machine, decided before anything is trained."""

from __future__ import annotations

from dlreg_core.training.planning.cost_model import (
    STRETCH,
    TableFacts,
    boosted_seconds,
    most_baseline_rows,
    most_boosted_rows,
)
from dlreg_core.training.planning.forecast import foresee, known_speeds

__all__ = [
    "STRETCH",
    "TableFacts",
    "boosted_seconds",
    "foresee",
    "known_speeds",
    "most_baseline_rows",
    "most_boosted_rows",
]
