"""Moments counted in the steps that rows follow each other by: a day, a month, a working day, or a number."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.array_types import Floats
from dlreg_core.specs import Spec

ClockKind = Literal["number", "time", "month", "working day"]

SLACK = 0.25
"""So much of a step may be missing from one: measurements aren't taken to the second."""

_DAY = 86_400e9
_SHORTEST_MONTH = 28 * _DAY
_SHORTER_MONTHS = 2.5
"""So many days shorter than the average some months in a row may be."""
_FEWEST_FOR_WORKING_DAYS = 20
_MOSTLY = 0.99
_UNITS = (("week", 7 * _DAY), ("day", _DAY), ("hour", 3600e9), ("minute", 60e9), ("second", 1e9))
_MONTHS = {1: "month", 3: "quarter", 12: "year"}


class Clock(Spec):
    """How moments are counted.

    ``step`` is in the numbers of the column; for dates in nanoseconds, in months where rows are on the same day of
    months (or on the last one), and in working days where no row is on a weekend.
    """

    kind: ClockKind
    step: float

    def read(self, moments: Floats) -> Floats:
        """Return moments in steps, the later the larger; those of dates are nanoseconds since 1970."""
        if self.kind == "month":
            return _months(moments) / self.step
        if self.kind == "working day":
            return _working_days(moments) / self.step
        return moments / self.step

    @property
    def unit(self) -> tuple[float, str]:
        """How long a step is: so many of a unit, which is called "step" where it has no name."""
        if self.kind == "number":
            return 1.0, "step"
        if self.kind == "working day":
            return self.step, "working day"
        if self.kind == "month":
            months = int(self.step)
            return (1.0, _MONTHS[months]) if months in _MONTHS else (float(months), "month")
        whole = (unit for unit in _UNITS if self.step >= unit[1] and math.isclose(self.step % unit[1], 0, abs_tol=1.0))
        shorter = (unit for unit in _UNITS if self.step >= unit[1])
        name, size = next(whole, None) or next(shorter, _UNITS[-1])
        return self.step / size, name

    def span(self, steps: float) -> str:
        """Return so many steps in words: "14 days", "1 quarter"."""
        size, name = self.unit
        return counted(steps * size, name)

    def in_moments(self, steps: float) -> float:
        """Return how much so many steps are at least in the column's numbers, for dates in days."""
        if self.kind == "number":
            return steps * self.step
        if self.kind == "month":
            return max(0.0, steps * self.step * 365.2425 / 12 - _SHORTER_MONTHS)
        if self.kind == "working day":
            return steps * self.step + 2 * math.floor((steps * self.step + 1e-3) / 5)
        return steps * self.step / _DAY


def fit_clock(groups: NDArray[np.int64], moments: Floats, *, dates: bool) -> Clock | None:
    """Return the clock of a table: its step is what mostly lies between a moment of a group and the next one.

    Parameters
    ----------
    groups : ndarray of int64, shape (rows,)
        The series that each row belongs to.
    moments : ndarray of float64, shape (rows,)
        When it is, for dates in nanoseconds since 1970; NaN where that isn't known.
    dates : bool
        Whether they are dates.

    Returns
    -------
    Clock or None
        None where no group has two moments.
    """
    groups, moments = distinct(groups, moments)
    apart = _apart(groups, moments, 1)
    if not len(apart):
        return None
    step = float(np.quantile(apart, 0.5, method="lower"))
    if not dates:
        return Clock(kind="number", step=step)
    whole = np.unique(moments)
    if step >= _SHORTEST_MONTH and _same_day_of_months(whole):
        return Clock(kind="month", step=max(1.0, float(np.median(_apart(groups, _months(moments), 1)))))
    if step == _DAY and len(whole) >= _FEWEST_FOR_WORKING_DAYS and _only_working_days(whole):
        return Clock(kind="working day", step=1.0)
    return Clock(kind="time", step=step)


def furthest(clock: Clock, groups: NDArray[np.int64], moments: Floats, horizon: int) -> float:
    """Return how many steps of the clock may pass until a row lies further ahead than the horizon.

    So many rows of a series mostly take that long: where days are missing here and there, more than as many steps.
    """
    groups, moments = distinct(groups, moments)
    apart = _apart(groups, clock.read(moments), horizon)
    usual = float(np.quantile(apart, _MOSTLY, method="higher")) if len(apart) else 0.0
    return max(float(horizon), usual) + SLACK


def distinct(groups: NDArray[np.int64], moments: Floats) -> tuple[NDArray[np.int64], Floats]:
    """Return each moment of each group once, by group and moment; without rows of which the moment isn't known."""
    known = np.isfinite(moments)
    groups, moments = groups[known], moments[known]
    order = np.lexsort((moments, groups))
    groups, moments = groups[order], moments[order]
    first = np.ones(len(groups), dtype=bool)
    first[1:] = (groups[1:] != groups[:-1]) | (moments[1:] != moments[:-1])
    return groups[first], moments[first]


def _apart(groups: NDArray[np.int64], moments: Floats, rows: int) -> Floats:
    """Return the distances between moments of a group that so many rows lie between, of sorted ones."""
    same = groups[rows:] == groups[:-rows]
    return np.asarray((moments[rows:] - moments[:-rows])[same])


def counted(count: float, name: str) -> str:
    """Return a number with its unit: "1 day", "1.5 hours"."""
    number = f"{round(count):,}" if math.isclose(count, round(count), abs_tol=1e-6) else f"{count:.3g}"
    return f"{number} {name}" if number == "1" else f"{number} {name}s"


def _dates(moments: Floats) -> pd.DatetimeIndex:
    found = np.full(len(moments), np.datetime64("NaT"), dtype="datetime64[ns]")
    known = np.isfinite(moments)
    found[known] = moments[known].astype(np.int64).astype("datetime64[ns]")
    return pd.DatetimeIndex(found)


def _months(moments: Floats) -> Floats:
    dates = _dates(moments)
    return np.asarray(12.0 * dates.year + dates.month, dtype=np.float64)


def _working_days(moments: Floats) -> Floats:
    found = np.full(len(moments), np.nan)
    known = np.isfinite(moments)
    days = moments[known].astype(np.int64).astype("datetime64[ns]").astype("datetime64[D]")
    found[known] = np.busday_count(np.datetime64("1970-01-01"), days)
    return found


def _same_day_of_months(moments: Floats) -> bool:
    dates = _dates(moments)
    same_time = len(np.unique(moments % _DAY)) == 1
    return same_time and (len(dates.day.unique()) == 1 or bool(dates.is_month_end.all()))


def _only_working_days(moments: Floats) -> bool:
    dates = _dates(moments)
    return bool((dates.dayofweek < 5).all()) and len(np.unique(moments % _DAY)) == 1
