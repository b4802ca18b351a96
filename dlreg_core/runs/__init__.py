"""Run folders, their tasks and the index: the only writer of all three."""

from __future__ import annotations

from dlreg_core.runs.atomic_files import read_spec, sha256, write_new, write_spec
from dlreg_core.runs.expectations import SPEEDS_FILE, MeasuredSpeeds, ModelOutlook, Outlook, recent_speeds
from dlreg_core.runs.exported_hashes import note_made, was_made
from dlreg_core.runs.home_permissions import keep_private, open_home
from dlreg_core.runs.housekeeping import Housekeeper, find_orphans, remove_orphans
from dlreg_core.runs.machine import born, instant, lacked_memory, living, seconds_since
from dlreg_core.runs.process_death import OUT_OF_MEMORY_HINT, keepable, never_began, post_mortem
from dlreg_core.runs.retention_clock import Calendar
from dlreg_core.runs.run_folder import EventLog, RunFolder, TaskFolder
from dlreg_core.runs.run_index import ModelSummary, QueuedTask, RunIndex, RunSummary
from dlreg_core.runs.run_store import RunStore, open_store
from dlreg_core.runs.scratch_folders import scratch_folder
from dlreg_core.runs.task_files import MARK
from dlreg_core.runs.task_results import (
    Explanation,
    PartPredictions,
    find_explanation,
    load_predictions,
    save_explanation,
    save_predictions,
)
from dlreg_core.runs.training_progress import (
    EpochLine,
    ModelProgress,
    ModelState,
    Resources,
    RunProgress,
    epoch_lines,
    fold,
    newest_folds,
)

__all__ = [
    "MARK",
    "OUT_OF_MEMORY_HINT",
    "SPEEDS_FILE",
    "Calendar",
    "EpochLine",
    "EventLog",
    "Explanation",
    "Housekeeper",
    "MeasuredSpeeds",
    "ModelOutlook",
    "ModelProgress",
    "ModelState",
    "ModelSummary",
    "Outlook",
    "PartPredictions",
    "QueuedTask",
    "Resources",
    "RunFolder",
    "RunIndex",
    "RunProgress",
    "RunStore",
    "RunSummary",
    "TaskFolder",
    "born",
    "epoch_lines",
    "find_explanation",
    "find_orphans",
    "fold",
    "instant",
    "keep_private",
    "keepable",
    "lacked_memory",
    "living",
    "load_predictions",
    "never_began",
    "newest_folds",
    "note_made",
    "open_home",
    "open_store",
    "post_mortem",
    "read_spec",
    "recent_speeds",
    "remove_orphans",
    "save_explanation",
    "save_predictions",
    "scratch_folder",
    "seconds_since",
    "sha256",
    "was_made",
    "write_new",
    "write_spec",
]
