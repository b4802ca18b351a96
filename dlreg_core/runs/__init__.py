"""Run folders, their tasks and the index: the only writer of all three."""

from __future__ import annotations

from dlreg_core.runs.folder import EventLog, RunFolder, TaskFolder
from dlreg_core.runs.index import RunIndex, RunSummary
from dlreg_core.runs.privacy import keep_private, open_home
from dlreg_core.runs.results import (
    Explanation,
    PartPredictions,
    find_explanation,
    load_predictions,
    save_explanation,
    save_predictions,
)
from dlreg_core.runs.store import RunStore, open_store

__all__ = [
    "EventLog",
    "Explanation",
    "PartPredictions",
    "RunFolder",
    "RunIndex",
    "RunStore",
    "RunSummary",
    "TaskFolder",
    "find_explanation",
    "keep_private",
    "load_predictions",
    "open_home",
    "open_store",
    "save_explanation",
    "save_predictions",
]
