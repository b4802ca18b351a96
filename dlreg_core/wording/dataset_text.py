"""Data sets that are kept: how old they are, what uses them, and what becomes of it when they are deleted, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dlreg_core.formatting import number, size
from dlreg_core.specs import now

_NAMED = 3

KEPT_RUNS = (
    "Their models, predictions and figures stay, and hold values of its rows. What shows or needs its rows is gone: "
    "explanations, single test rows, groups of them, more training, and model files with reference rows."
)
"""What is true of runs that are kept when the data that they learned from is deleted."""

GONE = (
    "The data of this run was deleted, and what shows its rows with it. Its models can still be looked at, predict new "
    "rows, and be exported without rows."
)

GONE_WITHOUT = "The data of this run was deleted, so that it can't be continued."
"""The same of a run without models."""

ELSEWHERE = "Files that were downloaded, and backups, are not deleted."


def deleted_runs_words(copies: int) -> str:
    """Return what is true of runs that are deleted with the data that they learned from.

    Parameters
    ----------
    copies : int
        How many other data sets are the same file.
    """
    text = "Their models, figures, predictions and explanations are deleted too"
    return f"{text}; nothing of its rows is left here." if not copies else f"{text}."


def age_words(moment: datetime) -> str:
    """Return how long ago something was, in days: "today", "yesterday", "12 days ago"."""
    days = max(0, (now() - moment).days)
    return {0: "today", 1: "yesterday"}.get(days, f"{days:,} days ago")


def used_by_words(names: Sequence[str]) -> str:
    """Return which runs use something: "no run", "1 run: a", "5 runs: a, b, c and 2 more"."""
    if not names:
        return "no run"
    listed = ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
    return f"{runs_counted(len(names))}: {listed}"


def runs_counted(count: int) -> str:
    """Return a number of runs: "1 run", "12 runs"."""
    return "1 run" if count == 1 else f"{count:,} runs"


def data_space_words(count: int, megabytes: float, keep_days: float) -> str:
    """Return how much room the data sets take, and when they are deleted by themselves."""
    text = f"{count:,} data sets take {size(megabytes)}." if count != 1 else f"1 data set takes {size(megabytes)}."
    if keep_days <= 0:
        return text
    days = "1 day" if keep_days == 1 else f"{number(keep_days)} days"
    return f"{text} Those that no run uses are deleted when nobody has opened them for {days}."


def copies_words(count: int) -> str:
    """Return that the same file is kept as other data sets too; empty where it isn't."""
    if not count:
        return ""
    times = "once more" if count == 1 else f"{count:,} times more"
    return f"The same file is kept {times}, read in another way, and that stays."
