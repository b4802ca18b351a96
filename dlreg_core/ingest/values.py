"""Text of a column → numbers or dates, worked out on its distinct values only."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from dlreg_core.ingest.arrow import compute as pc

MISSING = ("", "NA", "N/A", "n/a", "#N/A", "<NA>", "NaN", "nan", "null", "NULL", "?", "-")
"""What stands for a missing value in a text table, when it is all that a cell holds."""

_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_INFINITE = r"(?i)^[+-]?inf(inity)?$"
_DATE_TIME = (
    r"(?:[T ]+(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9})\d*)?)?"
    r" ?(?P<half>[AaPp][Mm])?(?P<zone>Z|z| ?UTC|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?$"
)
_YEAR_FIRST = r"^(?P<a>\d{4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,2})" + _DATE_TIME
_YEAR_LAST = r"^(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{4})" + _DATE_TIME
# What a timestamp in nanoseconds can hold, with a year to spare on both sides.
_FIRST_YEAR, _LAST_YEAR = 1679, 2260

IntArray = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Coded:
    """A text column as its distinct values and, for each row, which of them it holds (null where it is missing)."""

    levels: pa.StringArray
    codes: pa.Int32Array

    def spread(self, values: pa.Array) -> pa.Array:
        """Turn one value a level into one value a row."""
        return values.take(self.codes)


@dataclass(frozen=True)
class Dates:
    """Moments in UTC, one a level.

    `day_first` is None where the year comes first; `ambiguous` where day and month fit both ways.
    """

    moments: pa.TimestampArray
    day_first: bool | None
    ambiguous: bool


def encode(raw: pa.ChunkedArray) -> Coded:
    """Split a text column into distinct values, trimmed and without what stands for missing, and their codes."""
    found = raw.dictionary_encode().combine_chunks()
    if isinstance(found, pa.ChunkedArray):
        found = found.chunk(0) if found.num_chunks else pa.array([], pa.string()).dictionary_encode()
    trimmed = pc.utf8_trim_whitespace(found.dictionary.cast(pa.string()))
    missing = pc.is_in(trimmed, value_set=pa.array(MISSING))
    known = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    merged = known.dictionary_encode()
    return Coded(merged.dictionary, merged.indices.take(found.indices))


def all_match(levels: pa.StringArray, pattern: str) -> bool:
    """Tell whether every level matches `pattern`."""
    return bool(pc.all(pc.match_substring_regex(levels, pattern), min_count=0).as_py())


def parse_numbers(levels: pa.StringArray, decimal: str = ".", *, codes: bool = False) -> pa.Array | None:
    """Read distinct texts as numbers.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Distinct values.
    decimal : str
        Decimal mark of the file; the other mark may group thousands.
    codes : bool
        Whether values that look like codes are read as numbers too.

    Returns
    -------
    pyarrow.Array or None
        ``int64`` where all are whole and fit, else ``float64`` with infinite values as null; None where some value is
        no number, or where the values are codes: with leading zeros and of one length, or longer than an integer.
    """
    plain = _plain_numbers(levels, decimal)
    if plain is None or (not codes and are_codes(plain)):
        return None
    if all_match(plain, r"^[+-]?\d+$"):
        return _cast_whole(plain)
    numbers = plain.cast(pa.float64())
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def number_like(levels: pa.StringArray, decimal: str = ".") -> pa.BooleanArray:
    """Tell of each distinct text whether it is a plain number."""
    text = pc.replace_substring(levels, ",", ".") if decimal == "," else levels
    return pc.or_(pc.match_substring_regex(text, _NUMBER), pc.match_substring_regex(text, _INFINITE))


def _plain_numbers(levels: pa.StringArray, decimal: str) -> pa.StringArray | None:
    group = "." if decimal == "," else ","
    g, d = re.escape(group), re.escape(decimal)
    if decimal == "." or not pc.any(pc.match_substring(levels, group), min_count=0).as_py():
        plain = pc.replace_substring(levels, decimal, ".")
        if pc.all(number_like(plain), min_count=0).as_py():
            return plain
    if all_match(levels, rf"^[+-]?\d{{1,3}}({g}\d{{3}})*({d}\d+)?$"):
        return pc.replace_substring(pc.replace_substring(levels, group, ""), decimal, ".")
    # A file with decimal commas may still hold a column that another program wrote with points.
    return levels if pc.all(number_like(levels), min_count=0).as_py() else None


def are_codes(plain: pa.StringArray) -> bool:
    """Tell whether whole numbers are codes, such as postcodes: of one length, some with leading zeros."""
    lengths = pc.utf8_length(plain).unique()
    return len(lengths) == 1 and len(plain) > 1 and _any_match(plain, r"^0\d+$") and all_match(plain, r"^\d+$")


def _any_match(levels: pa.StringArray, pattern: str) -> bool:
    return bool(pc.any(pc.match_substring_regex(levels, pattern), min_count=0).as_py())


def _cast_whole(plain: pa.StringArray) -> pa.Array | None:
    try:
        return pc.replace_substring_regex(plain, r"^\+", "").cast(pa.int64())
    except pa.ArrowInvalid:
        # More digits than an integer holds: an account number or the like, which rounding would destroy.
        return None


def parse_dates(levels: pa.StringArray, day_first: bool | None = None) -> Dates | None:
    """Read distinct texts as dates or moments.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Distinct values: ISO 8601 dates and moments (``/`` and ``.`` are taken too), or dd/mm/yyyy or mm/dd/yyyy with
        an optional time. Offsets from UTC are applied.
    day_first : bool, optional
        The order to take where all values fit both; without it, the day comes first.

    Returns
    -------
    Dates or None
        None where some value is no date.
    """
    if not len(levels):
        return None
    parts = pc.extract_regex(levels, _YEAR_FIRST)
    if not parts.null_count:
        moments = _moments(parts, "a", "b", "c")
        return None if moments is None else Dates(moments, None, False)
    parts = pc.extract_regex(levels, _YEAR_LAST)
    if parts.null_count:
        return None
    day_month = _moments(parts, "c", "b", "a")
    month_day = _moments(parts, "c", "a", "b")
    if day_month is not None and month_day is not None:
        choice = day_first if day_first is not None else True
        same = day_month.equals(month_day)
        return Dates(day_month if choice else month_day, choice, not same)
    if day_month is not None:
        return Dates(day_month, True, False)
    return None if month_day is None else Dates(month_day, False, False)


def _moments(parts: pa.StructArray, year: str, month: str, day: str) -> pa.TimestampArray | None:
    y, m, d = (_whole(parts, name) for name in (year, month, day))
    if np.any((y < _FIRST_YEAR) | (y > _LAST_YEAR) | (m < 1) | (m > 12) | (d < 1) | (d > 31)):
        return None
    months = (y - 1970).astype("datetime64[Y]").astype("datetime64[M]") + (m - 1)
    days = months.astype("datetime64[D]") + (d - 1)
    if np.any(days.astype("datetime64[M]") != months):
        return None
    seconds = _seconds(parts)
    if seconds is None:
        return None
    fraction = parts.field("f")
    nanoseconds = pc.utf8_rpad(_or_empty(fraction), 9, "0").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return pa.array(days.astype("datetime64[ns]") + seconds * 1_000_000_000 + nanoseconds)


def _seconds(parts: pa.StructArray) -> IntArray | None:
    hours, minutes, seconds = (_whole(parts, name) for name in ("H", "M", "S"))
    half = pc.utf8_lower(parts.field("half"))
    is_half = np.asarray(pc.not_equal(half, "").fill_null(False).to_numpy(zero_copy_only=False), dtype=np.bool_)
    if np.any(hours > 23) or np.any(minutes > 59) or np.any(seconds > 60):
        return None
    if np.any(is_half & ((hours < 1) | (hours > 12))):
        return None
    afternoon = np.asarray(pc.equal(half, "pm").fill_null(False).to_numpy(zero_copy_only=False), dtype=np.bool_)
    hours = np.where(is_half, hours % 12, hours) + 12 * afternoon
    zone = pc.replace_substring_regex(_or_empty(parts.field("zone")), r"(?i)z|utc|:| ", "")
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
