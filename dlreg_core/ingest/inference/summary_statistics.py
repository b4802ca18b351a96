"""Figures of a column: range, middle, histogram and levels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from dlreg_core.array_types import Floats
from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.level_order import FEWEST, MOST, ordered_levels
from dlreg_core.specs import Column, ColumnType, Histogram, Level

BINS = 20
MOST_LEVELS = 20
_OUTER_FENCE = 3.0
_BEYOND_WHOLE = 2.0**63
_PIECE = 1024**2
_MOST_STEPS = 50
"""Steps in a bin from which on one more or less of them can't be seen."""
_OFF_STEP = 1e-6
_FINEST = 1e-9
"""Steps of less than this share of the numbers are what is left of rounding."""

IntArray = np.ndarray[Any, np.dtype[np.int64]]


def number_column(name: str, values: pa.Array, note: str = "", code: str = "", unit: str = "") -> Column:
    """Describe a column of numbers that was made here and stands in no file.

    Parameters
    ----------
    name : str
        What it is called.
    values : pyarrow.Array
        Its numbers.
    note, code : str
        What is to be said of it, and the code of that.
    unit : str
        What the numbers are measured in.
    """
    numbers = values.drop_null().cast(pa.float64(), safe=False).to_numpy()
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(np.mean(numbers)) if len(numbers) else 0.0
    return Column(
        name=name,
        type=ColumnType.NUMBER,
        missing=values.null_count,
        distinct=len(np.unique(numbers)),
        note=note,
        note_code=code,
        unit=unit,
        **(number_figures(np.sort(numbers), mean) if len(numbers) else {}),
    )


def text_figures(kind: ColumnType, levels: pa.StringArray, counts: pa.Array) -> dict[str, Any]:
    """Return what a profile tells of texts: the most frequent ones, and the order of a category's levels."""
    few = kind is ColumnType.CATEGORY and FEWEST <= len(levels) <= MOST
    return {"levels": top_levels(levels, counts), "ordered": ordered_levels(levels.to_pylist()) if few else ()}


def top_levels(levels: pa.StringArray, counts: pa.Array) -> tuple[Level, ...]:
    """Return the most frequent texts; none where no text repeats, as in identifiers or free text."""
    if pc.max(counts).as_py() == 1:
        return ()
    order = pc.sort_indices(counts, sort_keys=[("", "descending")])[:MOST_LEVELS]
    pairs = zip(levels.take(order).to_pylist(), counts.take(order).to_pylist(), strict=True)
    return tuple(Level(value=value, count=count) for value, count in pairs)


def number_figures(ordered: Floats | IntArray, mean: float) -> dict[str, Any]:
    """Return what a profile tells of numbers, given in ascending order."""
    middle = len(ordered) // 2
    low, high = float(ordered[middle - 1 + len(ordered) % 2]), float(ordered[middle])
    median = (low + high) / 2
    return {
        "integer": are_whole(ordered),
        "minimum": float(ordered[0]),
        "maximum": float(ordered[-1]),
        # The sum of the largest floats is infinite, and so would be the mean.
        "mean": mean if np.isfinite(mean) else None,
        "median": median if np.isfinite(median) else None,
        "histogram": _histogram(ordered),
        "outliers": _outliers(ordered),
    }


def _outliers(ordered: Floats | IntArray) -> int | None:
    """Count values beyond Tukey's outer fences (1977, *Exploratory Data Analysis*)."""
    low, high = (_quantile(ordered, share) for share in (0.25, 0.75))
    reach = _OUTER_FENCE * (high - low)
    if not (np.isfinite(reach) and reach > 0):
        return None
    lowest, highest = low - reach, high + reach
    whole = ordered.dtype.kind == "i"
    # Whole numbers are compared as such: the others would first be copied. None lies beyond what they can be.
    if not whole or lowest > -_BEYOND_WHOLE:
        below = int(np.searchsorted(ordered, int(np.ceil(lowest)) if whole else lowest, side="left"))
    else:
        below = 0
    if not whole or highest < _BEYOND_WHOLE:
        upto = int(np.searchsorted(ordered, int(np.floor(highest)) if whole else highest, side="right"))
    else:
        upto = len(ordered)
    return below + len(ordered) - upto


def _quantile(ordered: Floats | IntArray, share: float) -> float:
    """Return a quantile of sorted numbers, between two of them in a straight line, without a copy of all."""
    place = share * (len(ordered) - 1)
    first, last = float(ordered[int(np.floor(place))]), float(ordered[int(np.ceil(place))])
    return first + (last - first) * (place - int(place))


def are_whole(numbers: Floats | IntArray) -> bool:
    """Tell whether all numbers are whole."""
    if numbers.dtype.kind == "i":
        return True
    # In pieces: most columns show it in the first, and a copy of a long one takes as much memory again.
    pieces = (numbers[at : at + _PIECE] for at in range(0, len(numbers), _PIECE))
    return all(bool(np.all(piece == np.floor(piece))) for piece in pieces)


def _histogram(ordered: Floats | IntArray) -> Histogram | None:
    low, high = float(ordered[0]), float(ordered[-1])
    even = even_bins(ordered, BINS)
    if even is not None:
        edges, cuts = even
    else:
        edges = np.linspace(low, high, BINS + 1) if np.isfinite(high - low) else np.array([])
        cuts = edges[1:-1]
    # A range too wide or too narrow for different edges has no histogram.
    if not len(edges) or np.any(np.diff(edges) <= 0):
        return None
    if ordered.dtype.kind == "i":
        # Whole numbers are compared as such: the others would first be copied.
        cuts = np.ceil(cuts).astype(np.int64)
    # The highest value belongs to the last bin.
    places = np.concatenate([[0], np.searchsorted(ordered, cuts, side="left"), [len(ordered)]])
    return Histogram(edges=tuple(edges.tolist()), counts=tuple(np.diff(places).tolist()))


def even_bins(ordered: Floats | IntArray, most: int) -> tuple[Floats, Floats] | None:
    """Return bins of numbers that lie on even steps, such as whole ones: each spans as many steps as the others.

    Bins of any other width hold now more, now fewer of the steps, which looks like peaks where there are none.

    Parameters
    ----------
    ordered : ndarray of shape (n,)
        Numbers in ascending order.
    most : int
        Bins at most.

    Returns
    -------
    tuple of ndarray or None
        The edges, and where to cut between the bins, half a step below the inner ones. None where the numbers lie on
        no even steps, or on so many that it can't be seen.
    """
    low, width = float(ordered[0]), float(ordered[-1]) - float(ordered[0])
    # Neither one value nor a range without a width has steps.
    step = _least_gap(ordered) if 0 < width < np.inf else None
    if step is None or step < _FINEST * max(abs(low), abs(low + width)):
        return None
    if not width / step <= most * _MOST_STEPS or not _lie_on(ordered, step):
        return None
    steps = round(width / step) + 1
    each = -(-steps // most)
    edges = np.asarray(low + step * each * np.arange(-(-steps // each) + 1), dtype=np.float64)
    return edges, np.asarray(edges[1:-1] - step / 2, dtype=np.float64)


def _least_gap(ordered: Floats | IntArray) -> float | None:
    """Return the least difference between two of the numbers, None where all are the same."""
    pieces = (np.diff(ordered[at : at + _PIECE + 1]) for at in range(0, len(ordered), _PIECE))
    least = [gaps.min() for piece in pieces if len(gaps := piece[piece > 0])]
    return float(min(least)) if least else None


def _lie_on(ordered: Floats | IntArray, step: float) -> bool:
    """Tell whether all numbers lie a whole number of steps from the lowest."""
    low = float(ordered[0])
    places = ((ordered[at : at + _PIECE] - low) / step for at in range(0, len(ordered), _PIECE))
    return all(bool(np.all(np.abs(place - np.round(place)) < _OFF_STEP)) for place in places)
