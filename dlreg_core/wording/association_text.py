"""What the pictures of the whole table show, in words."""

from __future__ import annotations

from dlreg_core.checks import Associations, MissingPatterns
from dlreg_core.checks.findings import listed_names
from dlreg_core.formatting import percent

_LISTED = 3
_MOST_NAMES = 6


def missing_words(found: MissingPatterns, rows: int) -> str:
    """Return which columns are missing together, and in how many rows nothing is."""
    if not found.columns:
        return "Nothing is missing."
    if len(found.columns) == 1:
        told = f"Only {found.columns[0]} has gaps."
    elif found.groups:
        groups = "; ".join(_names(group) for group in found.groups[:_LISTED])
        more = f"; and {len(found.groups) - _LISTED} more" if len(found.groups) > _LISTED else ""
        told = f"Missing in the same rows: {groups}{more}."
    else:
        told = "No two columns are missing in just the same rows."
    return f"{told} {percent(found.complete / found.rows)} of the rows have no gap.{_drawn(found.rows, rows)}"


def association_words(found: Associations, rows: int) -> str:
    """Return which columns go together, and how they were compared."""
    closest = found.closest
    if closest is None:
        return "There are fewer than two columns to compare: texts, identifiers and constants are left out."
    if found.groups:
        groups = "; ".join(_group(found, group) for group in found.groups[:_LISTED])
        more = f"; and {len(found.groups) - _LISTED} more" if len(found.groups) > _LISTED else ""
        told = f"These go together closely: {groups}{more}."
    else:
        told = f"No two columns go together closely: at most {closest[0]} and {closest[1]}, at {closest[2]:.2f} of 1."
    left = f" {found.left_out:,} more columns are not shown." if found.left_out else ""
    return f"{told}{left}{_drawn(found.rows, rows)}"


def _group(found: Associations, group: tuple[str, ...]) -> str:
    more = " or more" if len(group) > 2 else ""
    return f"{_names(group)} ({found.least(group):.2f}{more})"


def _names(group: tuple[str, ...]) -> str:
    more = len(group) - _MOST_NAMES
    return listed_names(group) if more <= 0 else f"{', '.join(group[:_MOST_NAMES])} and {more} more"


def _drawn(looked_at: int, rows: int) -> str:
    return f" Measured on {looked_at:,} random rows of {rows:,}." if looked_at < rows else ""
