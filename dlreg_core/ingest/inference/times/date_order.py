"""Text of a column → dates, moments or times of day, worked out on its distinct values only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from dlreg_core.ingest.inference.numbers.text_numbers import ValueCounts
from dlreg_core.ingest.inference.times.date_cells import ORDERS, DateOrder, Moments, in_order, moments_from_parts
from dlreg_core.ingest.inference.times.date_formats import (
    DASHES,
    DOTS,
    MONTH_NAME_YEAR,
    YEAR_MONTH,
    DateParts,
    split_dates,
)
from dlreg_core.ingest.inference.times.time_of_day import BoolArray, IntArray, times_of_day

_LOOKED_AT = 500
"""Distinct values by which a column of anything else is told from dates before all of them are looked at."""
_FEWEST_DATES = 8
"""Different dates from which the steps between them can tell which order is the right one."""
MOST_DATES = 5_000
"""More different dates that fit several orders than these don't settle which is the right one."""
_REGULAR, _FURTHER = 0.35, 0.5
_MORE_YEARS = 3
_DAY = 86_400_000_000_000
_TIMES = -2
"""Where forms are listed: a time of day."""


@dataclass(frozen=True)
class Dates:
    """Moments in UTC, one a level.

    `day_first` is None where the order of day and month can't be in doubt, `year_first` where years of two digits stand
    in front; `ambiguous` where the dates fit several orders and nothing else tells. `time_of_day` is True where there
    are times without a day, which then is 1 January 1970. `far` are the levels out of the range of dates, which have no
    moment, and `forms` has a number for the way in which each level is written.
    """

    moments: pa.TimestampArray
    far: BoolArray
    forms: IntArray
    day_first: bool | None = None
    year_first: bool = False
    ambiguous: bool = False
    time_of_day: bool = False


@dataclass(frozen=True)
class NearDates:
    """A column most of whose values are dates: how many rows aren't, an example of them, and how the dates are read."""

    others: int
    known: int
    example: str
    day_first: bool | None = None
    time_of_day: bool = False
    doubtful: bool = False
    """Whether all values could be dates, but as well be numbers of versions or the like."""
    far: bool = False
    """Whether all values are dates out of range."""


def parse_dates(
    levels: pa.StringArray, day_first: bool | None = None, *, digits: bool = False, named: bool = False
) -> Dates | None:
    """Read distinct texts as dates, moments or times of day.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Distinct values: ISO 8601 dates and moments (``/`` and ``.`` are taken too, and none as in 20141013T000000),
        dd/mm/yyyy or mm/dd/yyyy, years of two digits, months by their English names, each with an optional time;
        months, quarters and weeks of a year; or times alone, such as 18:00 or 18.00.00. Each is read by its own form,
        and the order of day and month is one for all. Offsets from UTC are applied.
    day_first : bool, optional
        The order to take where all values fit both; without it, the day comes first, unless steps such as those from
        month to month tell otherwise.
    digits : bool
        Whether eight digits, such as 20141013, may be a date.
    named : bool
        Whether the column's name says that it holds dates.

    Returns
    -------
    Dates or None
        None where some value is none of these, or where all are out of the range of dates.
    """
    if not len(levels):
        return None
    apart = split_dates(levels[:_LOOKED_AT], digits=digits)
    if not apart.known.all():
        return _times(levels)
    apart = _plausible(split_dates(levels, digits=digits) if len(levels) > _LOOKED_AT else apart, named=named)
    order, ambiguous = _decided(apart, day_first)
    found = in_order(apart, order)
    if not found.read.all() or found.far.all():
        return _times(levels)
    return Dates(found.values, found.far, apart.form, *_told(apart, order), ambiguous)


class DateEvidence:
    """The few of many texts that say together what all of them say about the order of their dates."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, ...], str] = {}
        self._possible: set[DateOrder] = set(ORDERS)

    @property
    def levels(self) -> pa.StringArray:
        """The texts."""
        return pa.array(list(self._kept.values()), pa.string())

    def add(self, levels: pa.StringArray, apart: DateParts) -> None:
        """Look at more texts, which were taken apart."""
        matters = apart.of_kind("short", "last") | np.isin(apart.form, (YEAR_MONTH, MONTH_NAME_YEAR))
        places = np.flatnonzero(matters)
        if not len(places):
            return
        # What speaks against an order is kept however much there is already.
        for order in tuple(self._possible):
            against = places[~in_order(apart, order).read[places]]
            if len(against):
                self._possible.discard(order)
                self._keep(levels, apart, against[:1])
        if len(self._kept) <= MOST_DATES:
            table = np.stack([apart.form, apart.a, apart.b, apart.c, apart.plain])[:, places]
            self._keep(levels, apart, places[np.unique(table, axis=1, return_index=True)[1]])

    def _keep(self, levels: pa.StringArray, apart: DateParts, places: IntArray) -> None:
        table = np.stack([apart.form, apart.a, apart.b, apart.c, apart.plain])[:, places].T.tolist()
        for key, level in zip(table, levels.take(pa.array(places)).to_pylist(), strict=True):
            self._kept.setdefault(tuple(key), level)


def near_dates(tally: ValueCounts, day_first: bool | None = None, *, named: bool = False) -> NearDates | None:
    """Tell of a column of texts whether most of its values are dates, and what the others are; None where they aren't.

    Parameters
    ----------
    tally : ValueCounts
        The distinct values of a column that `parse_dates` has refused.
    day_first : bool, optional
        The order to take where the dates fit both.
    named : bool
        Whether the column's name says that it holds dates.
    """
    levels, counts = tally.levels, tally.counts
    start = levels[:_LOOKED_AT]
    if not len(levels) or not (split_dates(start).known.any() or times_of_day(start)[1].any()):
        return None
    every = split_dates(levels)
    apart = _plausible(every, named=named)
    order, _ = _decided(apart, day_first)
    found = in_order(apart, order)
    times = times_of_day(levels)[1]
    is_time = bool(counts[times].sum() > counts[found.read].sum())
    read = times if is_time else found.read & ~found.far
    told = (None, False) if is_time else _told(apart, order)
    near = _near(tally, read, told[0], time_of_day=is_time)
    if near is None:
        # What is no date only because it could be a version is told too.
        certain = _plausible(every, named=True)
        order, _ = _decided(certain, day_first)
        sure = in_order(certain, order)
        if sure.read.all():
            example, far = str(levels[0].as_py())[:40], bool(sure.far.all())
            return NearDates(0, tally.known, example, _told(certain, order)[0], doubtful=not far, far=far)
    return near


def _near(tally: ValueCounts, read: BoolArray, day_first: bool | None, *, time_of_day: bool) -> NearDates | None:
    others = int(tally.counts[~read].sum())
    if read.sum() < 2 or not 0 < others <= tally.known // 2:
        return None
    example = str(tally.levels[int(np.argmax(~read))].as_py())[:40]
    return NearDates(others, tally.known, example, day_first, time_of_day)


def _times(levels: pa.StringArray) -> Dates | None:
    found, read = times_of_day(levels[:_LOOKED_AT])
    if read.all() and len(levels) > _LOOKED_AT:
        found, read = times_of_day(levels)
    if not read.all():
        return None
    none = np.zeros(len(levels), dtype=np.bool_)
    forms = np.full(len(levels), _TIMES, dtype=np.int64)
    return Dates(moments_from_parts(found, read, none).values, none, forms, time_of_day=True)


def _plausible(apart: DateParts, *, named: bool) -> DateParts:
    """Take away forms that all of a column's values have and that still say something else."""
    doubtful = np.zeros(len(apart.form), dtype=np.bool_)
    marked = np.isin(apart.form, (DASHES, DOTS))
    # Versions and sections, such as 1.10.12, aren't written with two digits throughout, and begin with small numbers.
    if not named and not apart.plain[marked].all() and not np.any(apart.a[marked] > 12):
        doubtful |= marked
    months = apart.form == YEAR_MONTH
    # Seasons, such as 2010-11, go from a year to the next.
    if months.any() and np.all(apart.b[months] == (apart.a[months] + 1) % 100):
        doubtful |= months
    short = (apart.form == MONTH_NAME_YEAR) & ~apart.plain
    days = apart.a[short] % 100
    # Jan-31 is a day, and Jan-10 beside it too.
    if short.any() and not _are_years(days):
        doubtful |= short
    form = np.where(doubtful, -1, apart.form)
    return DateParts(form, apart.a, apart.b, apart.c, apart.time, apart.plain)


def _are_years(numbers: IntArray) -> bool:
    """Tell whether numbers behind the names of months are years and not days, which reach from 1 to the last."""
    return bool(np.any((numbers < 1) | (numbers > 31))) or not (numbers.max() >= 29 and numbers.min() <= 3)


def _decided(apart: DateParts, day_first: bool | None) -> tuple[DateOrder, bool]:
    """Return the order of day, month and year, and whether the dates fit several and nothing tells which it is."""
    if not apart.of_kind("short", "last").any():
        return "dmy", False
    free = apart.of_kind("short", "last")
    tried = {order: in_order(apart, order) for order in ORDERS}
    fits = {order: int(found.read[free].sum()) for order, found in tried.items()}
    best = max(fits.values())
    possible = [order for order in ORDERS if fits[order] == best]
    if len(possible) == 1:
        return possible[0], False
    said: DateOrder | None = None if day_first is None else ("dmy" if day_first else "mdy")
    days = {order: _days(tried[order], apart, free) for order in possible}
    differ = any(not np.array_equal(days[order], days[possible[0]]) for order in possible[1:])
    if said in possible or not differ:
        return (said if said in possible else possible[0]), differ and said is None
    found, guessed = _likeliest(days)
    # That the year comes first without anything to tell so is read only into dashes.
    dashed = bool(np.all(apart.form[free] == DASHES))
    return (possible[0] if guessed and not dashed else found), guessed


def _likeliest(days: dict[DateOrder, IntArray]) -> tuple[DateOrder, bool]:
    """Return the order under which dates follow each other in even steps, or in the fewest years; and if it is a guess.

    Parameters
    ----------
    days : dict of str to ndarray of int64
        By order, the days since 1970.
    """
    orders: list[DateOrder] = list(days)
    different = {order: np.unique(days[order]) for order in orders}
    if not _FEWEST_DATES <= min(len(found) for found in different.values()) <= MOST_DATES:
        return orders[0], True
    steps = {order: np.diff(different[order]) for order in orders}
    uneven = {order: float(found.std() / found.mean()) for order, found in steps.items()}
    even, *others = sorted(orders, key=lambda order: uneven[order])
    if uneven[even] <= _REGULAR and uneven[others[0]] > 2 * uneven[even] + _FURTHER:
        return even, False
    years = {
        order: len(np.unique(different[order].astype("datetime64[D]").astype("datetime64[Y]"))) for order in orders
    }
    few, *others = sorted(orders, key=lambda order: years[order])
    return few, years[others[0]] < _MORE_YEARS * years[few]


def _days(found: Moments, apart: DateParts, free: BoolArray) -> IntArray:
    """Return the days that texts mean, without their time and without those out of range."""
    used = free & found.read & ~found.far
    counted: IntArray = found.values.cast(pa.int64()).fill_null(0).to_numpy()
    days: IntArray = (counted - apart.time)[used] // _DAY
    return days


def _told(apart: DateParts, order: DateOrder) -> tuple[bool | None, bool]:
    """Return `day_first` and `year_first` as a profile has them; nothing where no date needs an order."""
    if not apart.of_kind("short", "last").any():
        return None, False
    return (None, True) if order == "ymd" else (order == "dmy", False)
