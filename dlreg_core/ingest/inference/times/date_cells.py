"""Dates, moments and times of day as texts, each read on its own once the form of their column is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from dlreg_core.ingest.inference.times.date_formats import DateParts, full_years, split_dates
from dlreg_core.ingest.inference.times.time_of_day import BoolArray, IntArray, times_of_day

DateOrder = Literal["dmy", "mdy", "ymd"]
"""What comes first where a date has nothing but numbers and its year isn't plainly in front: day, month, or year."""

ORDERS: tuple[DateOrder, ...] = ("dmy", "mdy", "ymd")
# What a timestamp in nanoseconds can hold, with a year to spare on both sides.
FIRST_YEAR, LAST_YEAR = 1679, 2260
_LONGEST_MONTH = 31
_SPECIAL = np.datetime64("1753-01-01", "D").astype(np.int64)
"""The first day that some databases know: it stands for "since ever"."""
_DAY = 86_400_000_000_000


@dataclass(frozen=True)
class Moments:
    """Moments in UTC, an entry a level.

    Attributes
    ----------
    values : pyarrow.TimestampArray
        In nanoseconds; null where a level is no date, or none that can be used.
    read : ndarray of bool
        Which levels are dates, also those out of range.
    far : ndarray of bool
        Which levels are dates out of range, such as 9999-12-31 or 0000-00-00, and so stand for an open end.
    """

    values: pa.TimestampArray
    read: BoolArray
    far: BoolArray


def read_moments(
    levels: pa.StringArray, order: DateOrder | None, *, time_of_day: bool = False, digits: bool = True
) -> Moments:
    """Read texts as a column of dates is read whose form is known, each on its own.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Texts without white space around them.
    order : {"dmy", "mdy", "ymd"}, optional
        The order of day, month and year in the column where it has dates that need one. With None it had none, and
        texts that could be read in several ways are no dates.
    time_of_day : bool
        Whether the column holds times without a day.
    digits : bool
        Whether eight digits, such as 20141013, are a date.
    """
    if time_of_day:
        times, read = times_of_day(levels)
        return moments_from_parts(times, read, np.zeros(len(levels), dtype=np.bool_))
    apart = split_dates(levels, digits=digits)
    if order is not None:
        return in_order(apart, order)
    tried = [in_order(apart, one) for one in ORDERS]
    counted = np.stack([found.values.cast(pa.int64()).fill_null(0).to_numpy() for found in tried])
    reads, fars = np.stack([found.read for found in tried]), np.stack([found.far for found in tried])
    place = reads.argmax(axis=0)[None]
    values, far = (np.take_along_axis(table, place, axis=0)[0] for table in (counted, fars))
    agree = (~reads | ((counted == values) & (fars == far))).all(axis=0)
    return moments_from_parts(values, reads.any(axis=0) & agree, far)


def date_order_of(day_first: bool | None, *, year_first: bool = False) -> DateOrder | None:
    """Return the order that a column's profile tells."""
    if day_first is None:
        return "ymd" if year_first else None
    return "dmy" if day_first else "mdy"


def in_order(apart: DateParts, order: DateOrder) -> Moments:
    """Return what texts that were taken apart mean in an order of day, month and year; null where they don't fit it."""
    years, months, days = _in_order(apart, order)
    zero = (years == 0) & (months == 0) & (days == 0) & apart.known
    read = apart.known & (years > 0) & (months >= 1) & (months <= 12) & (days >= 1) & (days <= _LONGEST_MONTH)
    # What isn't read must not run over while the others are worked out.
    y, m, d = np.where(read, years, 1970), np.where(read, months, 1), np.where(read, days, 1)
    first = (y - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (m - 1)
    day = first.astype("datetime64[D]") + (d - 1)
    read &= (day.astype("datetime64[M]") == first) | apart.of_kind("week")
    counted, real = _weeks(apart, years, day.astype(np.int64))
    read &= real
    far = (y < FIRST_YEAR) | (y > LAST_YEAR) | ((counted == _SPECIAL) & (apart.time == 0))
    far = (far & read) | zero
    read = read | zero
    used = read & ~far
    nanoseconds = np.where(used, counted, 0) * _DAY + np.where(used, apart.time, 0)
    return moments_from_parts(nanoseconds, read, far)


def moments_from_parts(nanoseconds: IntArray, read: BoolArray, far: BoolArray) -> Moments:
    """Put moments together; those that aren't read, or are out of range, become null."""
    values = pa.array(np.asarray(nanoseconds, dtype=np.int64), mask=~read | far).cast(pa.timestamp("ns"))
    return Moments(values, read, far)


def _in_order(apart: DateParts, order: DateOrder) -> tuple[IntArray, IntArray, IntArray]:
    """Return years, months and days; those of a form that tells them itself don't depend on the order."""
    short, last = apart.of_kind("short"), apart.of_kind("last")
    free = short | last
    third = np.where(short, full_years(apart.c), apart.c)
    years, months, days = apart.a, apart.b, apart.c
    quarter, week = apart.of_kind("quarter"), apart.of_kind("week")
    months = np.where(quarter, 3 * apart.b - 2, np.where(week, 1, months))
    # A week is counted on from the fourth of January, which is in the first one.
    days = np.where(apart.of_kind("month", "quarter"), 1, np.where(week, 4, days))
    if order == "ymd":
        years = np.where(short, full_years(apart.a), np.where(last, third, years))
        # A year of four digits at the end can't come first: there is no such order.
        return years, np.where(last, 0, months), days
    years = np.where(free, third, years)
    if order == "dmy":
        return years, months, np.where(free, apart.a, days)
    return years, np.where(free, apart.a, months), np.where(free, apart.b, days)


def _weeks(apart: DateParts, years: IntArray, days: IntArray) -> tuple[IntArray, BoolArray]:
    """Move ISO weeks from the fourth of January to the Monday of the week that is meant; and tell if there is one."""
    week = apart.of_kind("week")
    if not week.any():
        return days, np.ones(len(days), dtype=np.bool_)
    # 1 January 1970 was a Thursday; a week belongs to the year of its Thursday (ISO 8601).
    mondays = days - (days + 3) % 7 + 7 * (apart.b - 1)
    of = (mondays + 3).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    return np.where(week, mondays, days), ~week | (of == years)
