"""Columns whose values change along time: what a network learned of the early rows may not hold for the late ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from dlreg_core.array_types import Floats
from dlreg_core.checks.findings.finding import Finding, Repair
from dlreg_core.checks.findings.row_sample import RowSample
from dlreg_core.checks.order_and_groups import row_order
from dlreg_core.formatting import number, percent
from dlreg_core.ingest.inference import words
from dlreg_core.specs import Column, ColumnType

_FEWEST_ROWS = 250
_PART = 0.2
_DRIFT = 0.8
"""A difference of means, in standard deviations, that is called large (Cohen 1988): seasons alone make medium ones."""
_TREND = 0.3
_CLOCK = 0.95
"""A column that goes with time so closely is a clock or a counter: that it grows is no news."""
_SHIFT = 0.4
_DRAWS = 99
_CALENDAR = frozenset(
    {"year", "yr", "quarter", "season", "month", "mnth", "week", "weekday", "day", "date", "hour", "hr"}
)
"""Parts of a date go with it by their nature."""
_LISTED = 3
_LEVELS = (ColumnType.CATEGORY, ColumnType.BOOLEAN)


@dataclass(frozen=True)
class _Change:
    name: str
    strength: float
    words: str


def feature_drift(sample: RowSample, target: str | None = None) -> Iterator[Finding]:
    """Find features that change along the table's date, or along its rows where a column counts them.

    Nothing is said of tables without either: in what order their rows stand may mean nothing.

    Notes
    -----
    The earliest fifth of the rows against the latest. A number changes when its means differ by 0.8 standard deviations
    and its ranks go with time (Spearman, 0.3 at least, in one direction); a category when 40 % of the rows would have
    to change their level beyond those that would in rows of any order: few rows of many levels are never spread alike.
    So many must also change than in any of 99 random orders for each category of the table.
    """
    clock = _clock(sample, target)
    if clock is None:
        return
    name, moments = clock
    order = np.argsort(moments, kind="stable")
    size = int(_PART * len(order))
    early, late = order[:size], order[-size:]
    changes = []
    levelled = sum(column.type in _LEVELS for column in sample.dataset.columns)
    for column in sample.dataset.columns:
        if column.name not in (target, name) and not words(column.name) & _CALENDAR:
            change = _change(sample, column, moments, (early, late), _DRAWS * max(1, levelled))
            if change is not None:
                changes.append(change)
    if not changes:
        return
    changes.sort(key=lambda one: -one.strength)
    told = "; ".join(one.words for one in changes[:_LISTED])
    more = f"; and {len(changes) - _LISTED} more" if len(changes) > _LISTED else ""
    along = name or "the rows"
    whose = "its" if len(changes) == 1 else "their"
    text = f"{whose} values change along {along}, from the earliest fifth of the rows to the latest: {told}{more}."
    repair = "Split by time, so that the models are judged on values as they come last."
    step = Repair(f"Split by {name}", split=("time", name)) if name else None
    yield Finding(tuple(one.name for one in changes), text, "feature-drift", "medium", repair, step)


def _clock(sample: RowSample, target: str | None) -> tuple[str, Floats] | None:
    """Return the date, or the column that counts the rows, and its value in each row."""
    if len(sample.table) < _FEWEST_ROWS:
        return None
    order = row_order(sample.dataset, target)
    if order is not None:
        if order.kind != "time":
            return None
        return order.column.name, sample.table[order.column.name].to_numpy().astype(np.int64).astype(np.float64)
    for column in sample.dataset.columns:
        counts = column.type is ColumnType.IDENTIFIER and column.integer and column.name != target
        if counts and not column.missing and _counts_rows(sample.table[column.name]):
            return column.name, sample.table[column.name].to_numpy(dtype=np.float64)
    return None


def _counts_rows(values: pd.Series) -> bool:
    return bool(np.all(np.diff(values.to_numpy(dtype=np.float64)) > 0))


def _change(
    sample: RowSample,
    column: Column,
    moments: Floats,
    ends: tuple[NDArray[np.int64], NDArray[np.int64]],
    draws: int,
) -> _Change | None:
    if column.name in sample.names:
        return _of_numbers(column.name, sample.of(column.name), moments, *ends)
    if column.type in _LEVELS:
        early, late = (sample.table[column.name].iloc[part] for part in ends)
        return _of_levels(column.name, early, late, draws)
    return None


def _of_numbers(
    name: str, values: Floats, moments: Floats, early: NDArray[np.int64], late: NDArray[np.int64]
) -> _Change | None:
    first, last = (values[part][np.isfinite(values[part])] for part in (early, late))
    if min(len(first), len(last)) < _PART * _FEWEST_ROWS:
        return None
    spread = float(np.sqrt((first.var() + last.var()) / 2))
    change = float(last.mean() - first.mean())
    known = np.isfinite(values)
    if not np.isfinite(change) or abs(change) <= _DRIFT * spread or np.ptp(values[known]) == 0:
        return None
    trend = float(spearmanr(moments[known], values[known]).statistic)
    if not _TREND <= abs(trend) < _CLOCK:
        return None
    told = f"{name} is {number(float(first.mean()))} on average, then {number(float(last.mean()))}"
    return _Change(name, abs(change) / max(spread, np.finfo(float).tiny), told)


def _of_levels(name: str, early: pd.Series, late: pd.Series, draws: int) -> _Change | None:
    first, last = (part.value_counts(normalize=True) for part in (early, late))
    if first.empty or last.empty:
        return None
    shares = pd.DataFrame({"first": first, "last": last}).fillna(0.0)
    moved = float((shares["last"] - shares["first"]).abs().sum() / 2)
    if moved < _SHIFT or not _beyond_chance(early, late, moved, draws):
        return None
    place = int((shares["last"] - shares["first"]).abs().to_numpy().argmax())
    level, was, now = shares.index[place], percent(shares["first"].iloc[place]), percent(shares["last"].iloc[place])
    return _Change(name, moved, f"{level} is {was} of {name}, then {now}")


def _beyond_chance(early: pd.Series, late: pd.Series, moved: float, draws: int) -> bool:
    """Tell whether more rows change their level than in random orders, by what counts as a shift."""
    rng = np.random.default_rng(15)
    codes = pd.factorize(pd.concat([early, late]).dropna())[0]
    size, levels = int(early.notna().sum()), int(codes.max()) + 1
    by_chance = np.empty(draws)
    for draw in range(draws):
        order = rng.permutation(codes)
        first, last = np.bincount(order[:size], minlength=levels), np.bincount(order[size:], minlength=levels)
        by_chance[draw] = np.abs(last / last.sum() - first / first.sum()).sum() / 2
    usual = float(by_chance.mean())
    # The part of what can still move that does, as Cohen's kappa counts agreement beyond chance.
    beyond = (moved - usual) / max(1 - usual, float(np.finfo(float).tiny))
    return moved > float(by_chance.max()) and beyond >= _SHIFT
