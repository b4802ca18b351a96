"""The time within a text: hours, minutes and seconds, morning or afternoon, and the offset from UTC."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from dlreg_core.arrow import bools
from dlreg_core.arrow import compute as pc

CLOCK = r"(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:[.,](?P<f>\d{1,9})\d*)?)?"
HALF = r" ?(?P<half>[AaPp]\.?[Mm]\.?)?"
ZONE = r"(?P<zone>Z|z| ?UTC| ?GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})?"
TIME_OF_DAY = rf"^{CLOCK}{HALF}(?P<zone>)$"
DOTTED_TIME = r"^(?P<H>\d{1,2})\.(?P<M>\d{2})\.(?P<S>\d{2})(?P<f>)(?P<half>)(?P<zone>)$"
_DAY = 86_400
_SECOND = 1_000_000_000

IntArray = np.ndarray[Any, np.dtype[np.int64]]
BoolArray = np.ndarray[Any, np.dtype[np.bool_]]


def clock(parts: pa.StructArray) -> tuple[IntArray, BoolArray]:
    """Return the time that a text tells, in nanoseconds since midnight UTC, and whether it is one.

    Parameters
    ----------
    parts : pyarrow.StructArray
        Texts in the groups H, M, S, f, half and zone; missing ones are empty. 24:00 is the end of the day.
    """
    hours, minutes, seconds = (whole(parts, name) for name in ("H", "M", "S"))
    half = pc.replace_substring(pc.utf8_lower(or_empty(parts.field("half"))), ".", "")
    is_half = bools(pc.not_equal(half, ""))
    ends_day = (hours == 24) & (minutes == 0) & (seconds == 0) & ~is_half
    valid = ((hours <= 23) | ends_day) & (minutes <= 59) & (seconds <= 60)
    valid &= ~is_half | ((hours >= 1) & (hours <= 12))
    hours = np.where(is_half, hours % 12, hours) + 12 * bools(pc.equal(half, "pm"))
    zone = pc.replace_substring_regex(or_empty(parts.field("zone")), r"(?i)z|utc|gmt|:| ", "")
    padded = pc.utf8_rpad(pc.if_else(pc.equal(zone, ""), "+", zone), 5, "0")
    offset = pc.replace_substring(padded, "+", "").cast(pa.int64()).to_numpy(zero_copy_only=False)
    # Hours and minutes stand in one number, such as -0530: the sign holds for both.
    offset_minutes = np.sign(offset) * (np.abs(offset) // 100 * 60 + np.abs(offset) % 100)
    found = (hours * 3600 + (minutes - offset_minutes) * 60 + seconds) * _SECOND + _fraction(parts)
    return np.asarray(found, dtype=np.int64), valid


def times_of_day(levels: pa.StringArray) -> tuple[IntArray, BoolArray]:
    """Read texts such as 18:00 or 18.00.00, each on its own, as nanoseconds since midnight; and which of them are."""
    found, read = np.zeros(len(levels), dtype=np.int64), np.zeros(len(levels), dtype=np.bool_)
    for pattern in (TIME_OF_DAY, DOTTED_TIME):
        parts = pc.extract_regex(levels, pattern)
        fits = np.flatnonzero(bools(pc.is_valid(parts)) & ~read)
        if len(fits):
            times, valid = clock(parts.take(pa.array(fits)))
            found[fits], read[fits] = times % (_DAY * _SECOND), valid
    return found, read


def whole(parts: pa.StructArray, name: str) -> IntArray:
    """Return a group of digits as numbers; 0 where it is missing."""
    text = or_empty(parts.field(name))
    found: IntArray = pc.if_else(pc.equal(text, ""), "0", text).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


def or_empty(text: pa.StringArray) -> pa.StringArray:
    """Return texts with what is missing as an empty one."""
    return pc.if_else(pc.is_valid(text), text, "")


def _fraction(parts: pa.StructArray) -> IntArray:
    found: IntArray = pc.utf8_rpad(or_empty(parts.field("f")), 9, "0").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found
