"""What is odd about the target: a few values that rule all others, and a change along time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats
from dlreg_core.checks.findings.finding import Finding, Repair
from dlreg_core.checks.order_and_groups import row_order
from dlreg_core.formatting import number, percent
from dlreg_core.specs import Dataset

_FEWEST_ROWS = 50
_HEAVY_SKEW = 2.0
"""An exponential distribution has this skewness."""
_OUTER = 0.01
_PART = 0.2
_DRIFT = 0.5
"""A difference of means, in standard deviations, that is called medium (Cohen 1988) and that models feel."""


def target_findings(
    dataset: Dataset, table: pd.DataFrame, target: str, codes: frozenset[float] = frozenset()
) -> Iterator[Finding]:
    """Look at the target alone.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows.
    target : str
        The column to predict; one that isn't numeric has no findings.
    codes : frozenset of float
        Its values that stand for a missing one.
    """
    if not pd.api.types.is_numeric_dtype(table[target]):
        return
    values = table[target].to_numpy(dtype=np.float64, na_value=np.nan)
    values = np.where(np.isin(values, list(codes)), np.nan, values)
    known = np.isfinite(values)
    if known.sum() < _FEWEST_ROWS or np.ptp(values[known]) == 0:
        return
    yield from _skewed(target, values[known])
    yield from _drifting(dataset, table[known], target, values[known])


def _skewed(target: str, values: Floats) -> Iterator[Finding]:
    # Scaled first: the squares of very large numbers are infinite.
    scaled = values / np.abs(values).max()
    squares = (scaled - scaled.mean()) ** 2
    skewness = float(np.mean((scaled - scaled.mean()) ** 3) / np.mean(squares) ** 1.5)
    if abs(skewness) < _HEAVY_SKEW:
        return
    outer = max(1, round(_OUTER * len(values)))
    ordered = np.argsort(values)
    extreme = ordered[-outer:] if skewness > 0 else ordered[:outer]
    share = float(squares[extreme].sum() / squares.sum())
    few, end, most = ("larger", "largest", "small") if skewness > 0 else ("smaller", "smallest", "large")
    text = (
        f"a few values are far {few} than the rest (skewness {number(skewness, 2)}): the {end} 1 % make up "
        f"{percent(share)} of the variance, so a squared loss learns them at the cost of the many {most} ones."
    )
    yield Finding((target,), text, "skewed-target", "medium", *_skew_repair(target, values, skewness))


def _skew_repair(target: str, values: Floats, skewness: float) -> tuple[str, Repair]:
    robust = "a robust loss such as the absolute error, which aims at the median"
    if skewness > 0 and values.min() >= 0:
        scale = "logarithm" if values.min() > 0 else "logarithm of 1 plus it"
        text, step = f"Predict its {scale}", Repair(f"Learn the logarithm of {target}", target_transform="log")
    else:
        # Of what lies below 0 there is no logarithm, and it makes a tail of small values longer.
        text = "Learn it on the scale of Yeo and Johnson, which shortens its tail"
        step = Repair(f"Learn {target} on the scale of Yeo and Johnson", target_transform="yeo-johnson")
    return f"{text}, or choose {robust}.", step


def _drifting(dataset: Dataset, table: pd.DataFrame, target: str, values: Floats) -> Iterator[Finding]:
    order = row_order(dataset, target)
    if order is None or order.kind != "time":
        return
    moments = table[order.column.name].to_numpy().astype(np.int64)
    first, last = np.quantile(moments, [_PART, 1 - _PART])
    early, late = values[moments <= first], values[moments >= last]
    spread = float(np.sqrt((early.var() + late.var()) / 2))
    change = float(late.mean() - early.mean())
    if abs(change) <= _DRIFT * spread:
        return
    text = (
        f"it changes along {order.column.name}: {number(float(early.mean()))} on average in the earliest fifth of the "
        f"rows, {number(float(late.mean()))} in the latest."
    )
    repair = "Split by time, so that the models are judged on what comes last, as they will be used."
    step = Repair(f"Split by {order.column.name}", split=("time", order.column.name))
    yield Finding((target,), text, "time-drift", "medium", repair, step)
