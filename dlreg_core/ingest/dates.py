"""Text of a column → dates, moments or times of day, worked out on its distinct values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dlreg_core.ingest.arrow import compute as pc

_CLOCK = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9})\d*)?)?"
_HALF = r" ?(?P<half>[AaPp]\.?[Mm]\.?)?"
_ZONE = r"(?P<zone>Z|z| ?UTC| ?GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
_DATE_TIME = rf"(?:(?:[T ]| ?[,-] ?) *{_CLOCK}{_HALF}{_ZONE})?$"
_YEAR_FIRST = r"^(?P<a>\d{4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,2})" + _DATE_TIME
_YEAR_LAST = r"^(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{4})" + _DATE_TIME
# Two digits for the year only between slashes: with other marks they are as often versions or codes.
_SHORT_YEAR = r"^(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<c>\d{2})" + _DATE_TIME
_COMPACT = (
    r"^(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})[T ]"
    rf"(?P<H>\d{{2}}):?(?P<M>\d{{2}})(?::?(?P<S>\d{{2}})(?:[.,](?P<f>\d{{1,9}})\d*)?)?{_HALF}{_ZONE}$"
)
_DIGITS = r"^(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})" + _DATE_TIME
_WEEKDAY = r"^(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? )?"
_DAY_MONTH = _WEEKDAY + r"(?P<c>\d{1,2})[-/. ]{1,2}(?P<b>[A-Za-z]{3,9})\.?[-/. ,]{1,2}(?P<a>\d{4}|\d{2})" + _DATE_TIME
_MONTH_DAY = _WEEKDAY + r"(?P<b>[A-Za-z]{3,9})\.?[ -](?P<c>\d{1,2})(?:st|nd|rd|th)?,? ?-?(?P<a>\d{4})" + _DATE_TIME
_TIME = rf"^{_CLOCK}{_HALF}(?P<zone>)$"
_DOTTED_TIME = r"^(?P<H>\d{1,2})\.(?P<M>\d{2})\.(?P<S>\d{2})(?P<f>)(?P<half>)(?P<zone>)$"
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
# What a timestamp in nanoseconds can hold, with a year to spare on both sides.
_FIRST_YEAR, _LAST_YEAR = 1679, 2260
_FIRST_LIKELY_YEAR, _LAST_LIKELY_YEAR = 1900, 2100
_PIVOT = 69
"""Two digits up to this are years of this century, as C's and Python's ``strptime`` read them."""

IntArray = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Dates:
    """Moments in UTC, one a level.

    `day_first` is None where the order of day and month can't be in doubt; `ambiguous` where they fit both ways.
    `time_of_day` is True where there are times without a day, which then is 1 January 1970.
    """

    moments: pa.TimestampArray
    day_first: bool | None = None
    ambiguous: bool = False
    time_of_day: bool = False


def parse_dates(levels: pa.StringArray, day_first: bool | None = None, *, digits: bool = False) -> Dates | None:
    """Read distinct texts as dates, moments or times of day.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Distinct values: ISO 8601 dates and moments (``/`` and ``.`` are taken too, and none as in 20141013T000000),
        dd/mm/yyyy or mm/dd/yyyy, months by their English names, each with an optional time; or times alone, such as
        18:00 or 18.00.00. Offsets from UTC are applied.
    day_first : bool, optional
        The order to take where all values fit both; without it, the day comes first.
    digits : bool
        Whether eight digits, such as 20141013, may be a date.

    Returns
    -------
    Dates or None
        None where some value is none of these.
    """
    if not len(levels):
        return None
    for pattern in (_YEAR_FIRST, _COMPACT, _DAY_MONTH, _MONTH_DAY):
        found = _in_order(levels, pattern)
        if found is not None:
            return found
    if digits:
        found = _in_order(levels, _DIGITS, likely=True)
        if found is not None:
            return found
    for pattern in (_YEAR_LAST, _SHORT_YEAR):
        parts = pc.extract_regex(levels, pattern)
        if not parts.null_count:
            return _either_order(parts, day_first)
    return _times(levels)


def _in_order(levels: pa.StringArray, pattern: str, *, likely: bool = False) -> Dates | None:
    parts = pc.extract_regex(levels, pattern)
    if parts.null_count:
        return None
    if likely:
        years = _whole(parts, "a")
        if np.any((years < _FIRST_LIKELY_YEAR) | (years > _LAST_LIKELY_YEAR)):
            return None
    moments = _moments(parts, "a", "b", "c")
    return None if moments is None else Dates(moments)


def _either_order(parts: pa.StructArray, day_first: bool | None) -> Dates | None:
    day_month = _moments(parts, "c", "b", "a")
    month_day = _moments(parts, "c", "a", "b")
    if day_month is not None and month_day is not None:
        choice = day_first if day_first is not None else True
        return Dates(day_month if choice else month_day, choice, ambiguous=not day_month.equals(month_day))
    if day_month is not None:
        return Dates(day_month, True)
    return None if month_day is None else Dates(month_day, False)


def _times(levels: pa.StringArray) -> Dates | None:
    for pattern in (_TIME, _DOTTED_TIME):
        parts = pc.extract_regex(levels, pattern)
        if not parts.null_count:
            seconds = _seconds(parts)
            if seconds is None:
                return None
            return Dates(pa.array(seconds * 1_000_000_000 + _nanoseconds(parts), pa.timestamp("ns")), time_of_day=True)
    return None


def _moments(parts: pa.StructArray, year: str, month: str, day: str) -> pa.TimestampArray | None:
    m = _month_numbers(parts, month)
    y, d = _years(parts, year), _whole(parts, day)
    if np.any((y < _FIRST_YEAR) | (y > _LAST_YEAR) | (m < 1) | (m > 12) | (d < 1) | (d > 31)):
        return None
    months = (y - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (m - 1)
    days = months.astype("datetime64[D]") + (d - 1)
    if np.any(days.astype("datetime64[M]") != months):
        return None
    seconds = _seconds(parts)
    if seconds is None:
        return None
    return pa.array(days.astype("datetime64[ns]") + seconds * 1_000_000_000 + _nanoseconds(parts))


def _month_numbers(parts: pa.StructArray, name: str) -> IntArray:
    """Return months as numbers; 0 for a word that is none."""
    words = parts.field(name)
    if pc.all(pc.match_substring_regex(words, r"^\d+$"), min_count=0).as_py():
        return _whole(parts, name)
    return np.array([_month_number(word.lower()) for word in words.to_pylist()], dtype=np.int64)


def _month_number(word: str) -> int:
    short = "sep" if word == "sept" else word
    return next((number for number, month in enumerate(_MONTHS, start=1) if month.startswith(short)), 0)


def _years(parts: pa.StructArray, name: str) -> IntArray:
    years = _whole(parts, name)
    short = np.asarray(pc.equal(pc.utf8_length(parts.field(name)), 2).to_numpy(zero_copy_only=False), dtype=np.bool_)
    return np.where(short, years + np.where(years < _PIVOT, 2000, 1900), years)


def _nanoseconds(parts: pa.StructArray) -> IntArray:
    found: IntArray = pc.utf8_rpad(_or_empty(parts.field("f")), 9, "0").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def _seconds(parts: pa.StructArray) -> IntArray | None:
    hours, minutes, seconds = (_whole(parts, name) for name in ("H", "M", "S"))
    half = pc.replace_substring(pc.utf8_lower(_or_empty(parts.field("half"))), ".", "")
    is_half = np.asarray(pc.not_equal(half, "").to_numpy(zero_copy_only=False), dtype=np.bool_)
    if np.any(hours > 23) or np.any(minutes > 59) or np.any(seconds > 60):
        return None
    if np.any(is_half & ((hours < 1) | (hours > 12))):
        return None
    afternoon = np.asarray(pc.equal(half, "pm").to_numpy(zero_copy_only=False), dtype=np.bool_)
    hours = np.where(is_half, hours % 12, hours) + 12 * afternoon
    zone = pc.replace_substring_regex(_or_empty(parts.field("zone")), r"(?i)z|utc|gmt|:| ", "")
    padded = pc.utf8_rpad(pc.if_else(pc.equal(zone, ""), "+", zone), 5, "0")
    offset = pc.replace_substring(padded, "+", "").cast(pa.int64()).to_numpy(zero_copy_only=False)
    # Hours and minutes stand in one number, such as -0530: the sign holds for both.
    offset_minutes = np.sign(offset) * (np.abs(offset) // 100 * 60 + np.abs(offset) % 100)
    return np.asarray(hours * 3600 + (minutes - offset_minutes) * 60 + seconds, dtype=np.int64)


def _whole(parts: pa.StructArray, name: str) -> IntArray:
    text = _or_empty(parts.field(name))
    found: IntArray = pc.if_else(pc.equal(text, ""), "0", text).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def _or_empty(text: pa.StringArray) -> pa.StringArray:
    return pc.if_else(pc.is_valid(text), text, "")
