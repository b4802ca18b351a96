"""Run folders, their tasks and the index: the only writer of all three."""

from __future__ import annotations

from dlreg_core.runs.home_permissions import keep_private, open_home
from dlreg_core.runs.run_folder import EventLog, RunFolder, TaskFolder
from dlreg_core.runs.run_index import RunIndex, RunSummary
from dlreg_core.runs.run_store import RunStore, open_store
from dlreg_core.runs.task_results import (
    Explanation,
    PartPredictions,
    find_explanation,
    load_predictions,
    save_explanation,
    save_predictions,
)

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
