"""The frozen objects that the stages hand to each other, and that are kept on disk.

Every class is immutable, validated when it is built and carries a ``schema_version`` where it is written as a file of
its own. Nothing here knows how the work is done.
"""

from __future__ import annotations

from dlreg_core.specs.base import (
    SCHEMA_VERSION,
    Spec,
    now,
)
from dlreg_core.specs.plans import (
    Cleaning,
    Experiment,
    NumberRange,
    PlannedFit,
    Preset,
    Recipe,
    ResolvedPlan,
    Search,
    SearchMethod,
    SearchRange,
    Split,
    TrainPlan,
)
from dlreg_core.specs.results import (
    Comparison,
    ExplainResult,
    Exported,
    Interval,
    LeaderboardRow,
    Report,
    Role,
    RowCounts,
    TrainResult,
)
from dlreg_core.specs.tables import (
    Column,
    ColumnType,
    Dataset,
    Dialect,
    Histogram,
    Level,
    Reading,
)
from dlreg_core.specs.work import (
    Checkpoint,
    ContinueRequest,
    Done,
    Event,
    ExplainRequest,
    FamilySpeed,
    FinishedFit,
    Launch,
    Pulse,
    RunState,
    Start,
    Task,
    TaskKind,
)

__all__ = [
    "SCHEMA_VERSION",
    "Checkpoint",
    "Cleaning",
    "Column",
    "ColumnType",
    "Comparison",
    "ContinueRequest",
    "Dataset",
    "Dialect",
    "Done",
    "Event",
    "Experiment",
    "ExplainRequest",
    "ExplainResult",
    "Exported",
    "FamilySpeed",
    "FinishedFit",
    "Histogram",
    "Interval",
    "Launch",
    "LeaderboardRow",
    "Level",
    "NumberRange",
    "PlannedFit",
    "Preset",
    "Pulse",
    "Reading",
    "Recipe",
    "Report",
    "ResolvedPlan",
    "Role",
    "RowCounts",
    "RunState",
    "Search",
    "SearchMethod",
    "SearchRange",
    "Spec",
    "Split",
    "Start",
    "Task",
    "TaskKind",
    "TrainPlan",
    "TrainResult",
    "now",
]
