"""The profile of a column: counts, range, middle, histogram and levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.judging import TypedColumn
from dlreg_core.ingest.ordering import FEWEST, MOST, ordered_levels
from dlreg_core.specs import Column, ColumnType, Histogram, Level

BINS = 20
MOST_LEVELS = 20
_OUTER_FENCE = 3.0

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


def profile(typed: TypedColumn) -> Column:
    """Describe a column.

    Parameters
    ----------
    typed : TypedColumn
        The column in its type.

    Returns
    -------
    Column
        With range, mean, median and a histogram of 20 bins for numbers, the range for dates, and the 20 most frequent
        values for texts that repeat.
    """
    values = typed.values
    facts: dict[str, Any] = {
        "name": typed.name,
        "type": typed.type,
        "missing": values.null_count,
        "distinct": pc.count_distinct(values, mode="only_valid").as_py(),
        "note": typed.note,
        "note_code": typed.note_code,
        "day_first": typed.day_first,
        "time_of_day": typed.time_of_day,
        "unit": typed.unit,
    }
    if values.null_count == len(values):
        return Column(**facts)
    if pa.types.is_timestamp(values.type):
        return Column(**facts, **_range_of_dates(values))
    if pa.types.is_string(values.type):
        return Column(**facts, levels=_levels(values), ordered=_order(typed, facts["distinct"]))
    return Column(**facts, **_figures(values))


def _range_of_dates(values: pa.TimestampArray) -> dict[str, str]:
    ends = pc.min_max(values).as_py()
    return {"minimum": ends["min"].isoformat(), "maximum": ends["max"].isoformat()}


def _levels(values: pa.StringArray) -> tuple[Level, ...]:
    counts = values.drop_null().value_counts()
    # A column of identifiers or free text has no frequent values worth listing.
    if pc.max(counts.field("counts")).as_py() == 1:
        return ()
    order = pc.sort_indices(counts.field("counts"), sort_keys=[("", "descending")])[:MOST_LEVELS]
    return tuple(Level(value=item["values"], count=item["counts"]) for item in counts.take(order).to_pylist())


def _order(typed: TypedColumn, distinct: int) -> tuple[str, ...]:
    if typed.type is not ColumnType.CATEGORY or not FEWEST <= distinct <= MOST:
        return ()
    return ordered_levels(typed.values.drop_null().unique().to_pylist())


def _figures(values: pa.Array) -> dict[str, Any]:
    numbers: FloatArray = values.drop_null().cast(pa.float64(), safe=False).to_numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        mean, median = float(np.mean(numbers)), float(np.median(numbers))
    return {
        "integer": bool(np.all(numbers == np.floor(numbers))),
        "minimum": float(numbers.min()),
        "maximum": float(numbers.max()),
        # The sum of the largest floats is infinite, and so would be the mean.
        "mean": mean if np.isfinite(mean) else None,
        "median": median if np.isfinite(median) else None,
        "histogram": _histogram(numbers),
        "outliers": _outliers(numbers),
    }


def _outliers(numbers: FloatArray) -> int | None:
    """Count values beyond Tukey's outer fences (1977, *Exploratory Data Analysis*)."""
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = (float(quartile) for quartile in np.quantile(numbers, [0.25, 0.75]))
    reach = _OUTER_FENCE * (high - low)
    if not (np.isfinite(reach) and reach > 0):
        return None
    return int(((numbers < low - reach) | (numbers > high + reach)).sum())


def _histogram(numbers: FloatArray) -> Histogram | None:
    low, high = float(numbers.min()), float(numbers.max())
    edges = np.linspace(low, high, BINS + 1) if np.isfinite(high - low) else np.array([])
    # A range too wide or too narrow for 20 different edges has no histogram.
    if not len(edges) or np.any(np.diff(edges) <= 0):
        return None
    counts, _ = np.histogram(numbers, bins=edges)
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(counts.tolist()))
