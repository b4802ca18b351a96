"""What is said of rows that lack a column which no row learned from lacked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dlreg_core.cleaning import SchemaField
    from dlreg_core.pipeline.prediction_interval import PredictionInterval

_NOTABLE = 1.05


def gap_words(name: str, lacking: int, rows: int, field: SchemaField, interval: PredictionInterval | None) -> str:
    """Say that rows lack a column that no row learned from lacked, and what that does to their intervals.

    Parameters
    ----------
    name : str
        Name of the column.
    lacking, rows : int
        Rows without it, and rows in all.
    field : SchemaField
        What the schema says of it.
    interval : PredictionInterval or None
        The model's intervals.
    """
    told = f"{name}: missing in {lacking:,} of {rows:,} {'row' if rows == 1 else 'rows'}"
    if field.complete is None:
        return f"{told}; this model was made before the cost of such gaps was measured, so intervals may be too narrow."
    told += ", and no row learned from lacked it"
    if interval is None:
        return f"{told}."
    if name not in interval.gaps or interval.factor <= 0:
        return f"{told}; what that costs wasn't measured, so intervals of such rows may be too narrow."
    times = interval.gaps[name] / interval.factor
    if times < _NOTABLE:
        return f"{told}; on rows held out that made no difference to the intervals."
    return f"{told}; on rows held out it took intervals {times:.2g} times as wide to hold 90 %, so they are widened."
