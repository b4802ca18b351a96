"""Results as tables and as plain objects, for people who take them along and for programs."""

from __future__ import annotations

from dlreg_core.report.json_records import data_answer, profile_answer, queue_answer, report_answer, run_answer
from dlreg_core.report.result_tables import explanation_table, leaderboard_table, member_table, rounded, worst_table

__all__ = [
    "data_answer",
    "explanation_table",
    "leaderboard_table",
    "member_table",
    "profile_answer",
    "queue_answer",
    "report_answer",
    "rounded",
    "run_answer",
    "worst_table",
]
