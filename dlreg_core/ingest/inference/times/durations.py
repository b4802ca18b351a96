"""Texts that say how long something took, such as 26:30:00, 72:15, 1 day, 2:03:04 or PT1H30M → seconds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import bools
from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.numbers.text_numbers import ValueCounts
from dlreg_core.ingest.inference.times.time_of_day import BoolArray, or_empty, times_of_day

UNIT = "s"
"""What durations are measured in."""
DURATION_WORDS = frozenset(
    {"duration", "elapsed", "runtime", "laptime", "lap", "pace", "uptime", "downtime", "dauer", "length", "split"}
)
"""Words in the name of a column by which times are durations even where they could be times of day."""
_FRACTION = r"(?:[.,](?P<f>\d{1,9})\d*)?"
_NONE = "(?P<d>)(?P<h>)"
_SIGN = r"^(?P<sign>[+\-−]?)"
_D, _H, _M, _S = (rf"(?P<{name}>\d+)" for name in "dhms")
_PATTERNS = (
    rf"{_SIGN}(?P<d>){_H}:(?P<m>\d{{2}}):(?P<s>\d{{2}}){_FRACTION}$",
    rf"{_SIGN}{_NONE}{_M}:(?P<s>\d{{2}}){_FRACTION}$",
    rf"{_SIGN}{_D} days?,? \+?{_H}:(?P<m>\d{{2}}):(?P<s>\d{{2}}){_FRACTION}$",
    rf"{_SIGN}P(?:{_D}D)?(?:T(?:{_H}H)?(?:{_M}M)?(?:{_S}{_FRACTION}S)?)?$",
    rf"(?i){_SIGN}(?:{_D} ?(?:d|days?),? ?)?(?:{_H} ?(?:h|hrs?|hours?),? ?)?(?:{_M} ?(?:m|mins?|minutes?),? ?)?"
    rf"(?:{_S}{_FRACTION} ?(?:s|secs?|seconds?))?$",
)
_HOURS = r"^(?P<h>\d{1,2}):\d{2}:\d{2}(?:[.,]\d+)?$"
_FILLED = r"^0\d:\d{2}$"
_THREE, _TWO, _DAYS, _ISO, _UNITS = range(5)
_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_LOOKED_AT = 500


@dataclass(frozen=True)
class Durations:
    """Seconds, one a level; `minutes` tells whether some are written as minutes and seconds, such as 72:15."""

    seconds: pa.Array
    minutes: bool = False


@dataclass(frozen=True)
class _Taken:
    """Texts taken apart: their form, -1 where they have none, seconds, and what tells them from times of day."""

    form: NDArray[np.int64]
    seconds: NDArray[np.float64]
    parts: NDArray[np.int64]

    @property
    def read(self) -> BoolArray:
        return self.form >= 0


def read_durations(levels: pa.StringArray) -> pa.DoubleArray:
    """Read texts as seconds, each on its own; null where one is no duration. Two numbers are minutes and seconds."""
    taken = _take(levels)
    return pa.array(taken.seconds, mask=~taken.read)


def parse_durations(levels: pa.StringArray, *, named: bool = False) -> Durations | None:
    """Read distinct texts as durations, where nothing else is meant by them.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Distinct values.
    named : bool
        Whether the column's name says that it holds durations.

    Returns
    -------
    Durations or None
        None where some value is no duration, or where all may be times of day.
    """
    if not len(levels) or not _take(levels[:_LOOKED_AT]).read.all():
        return None
    taken = _take(levels)
    if not taken.read.all() or not _is_certain(levels, taken, named=named):
        return None
    seconds = taken.seconds
    exact = pa.array(seconds.astype(np.int64)) if np.all(seconds == np.floor(seconds)) else pa.array(seconds)
    return Durations(exact, bool(np.any(taken.form == _TWO)))


def near_durations(tally: ValueCounts, *, named: bool = False) -> tuple[int, str] | None:
    """Tell how many rows of a column aren't durations while most are, and give an example; None where most aren't."""
    levels = tally.levels
    if not len(levels) or not _take(levels[:_LOOKED_AT]).read.any():
        return None
    taken = _take(levels)
    others = int(tally.counts[~taken.read].sum())
    good = levels.filter(pa.array(taken.read))
    if not 0 < others <= tally.known // 2 or parse_durations(good, named=named) is None:
        return None
    return others, str(levels[int(np.argmax(~taken.read))].as_py())[:40]


def may_be_durations(levels: pa.StringArray) -> bool:
    """Tell whether times of day have seconds and look as if they told how long something took.

    They do where an hour of one digit isn't filled up with a zero, or where none is in the afternoon.
    """
    hours = pc.extract_regex(levels, _HOURS)
    if hours.null_count or not len(levels):
        return False
    texts = hours.field("h")
    single = bool(pc.any(pc.equal(pc.utf8_length(texts), 1)).as_py())
    return single or not bool(pc.any(pc.greater(texts.cast(pa.int64()), 11)).as_py())


def telling_times(levels: pa.StringArray) -> tuple[str, ...]:
    """Return a few of many times that say together what all of them say about being durations or times of day."""
    taken, clock = _take(levels), times_of_day(levels)[1]
    hours = pc.extract_regex(levels, _HOURS).field("h")
    length = pc.utf8_length(or_empty(hours)).to_numpy()
    late = np.array(pc.if_else(pc.equal(or_empty(hours), ""), "0", hours).cast(pa.int64())) > 11
    filled = bools(pc.match_substring_regex(levels, _FILLED))
    colon = bools(pc.match_substring(levels, ":"))
    keys = np.stack([taken.form, np.minimum(taken.parts, 2), clock, length, late, filled, colon])
    _, first = np.unique(keys, axis=1, return_index=True)
    return tuple(levels.take(pa.array(np.sort(first))).to_pylist())


def _is_certain(levels: pa.StringArray, taken: _Taken, *, named: bool) -> bool:
    if not bools(pc.match_substring(levels, ":")).all():
        # A single number with a unit is a measure like any other.
        return bool(np.any((taken.form != _UNITS) | (taken.parts > 1)))
    _, clock = times_of_day(levels)
    if named or not clock.all():
        return True
    two = taken.form == _TWO
    # 4:35 beside 1:02:03 is minutes and seconds; 09:30 beside 09:30:15 is a time of day.
    filled = bools(pc.match_substring_regex(levels, _FILLED))
    return bool(two.any() and not two.all() and not filled.any())


def _take(levels: pa.StringArray) -> _Taken:
    rows = len(levels)
    form, parts = np.full(rows, -1, dtype=np.int64), np.zeros(rows, dtype=np.int64)
    seconds = np.zeros(rows)
    may_be = pc.and_(pc.match_substring_regex(levels, r"^[+\-−]?(P|\d)"), pc.less_equal(pc.utf8_length(levels), 40))
    left = np.flatnonzero(bools(may_be))
    for place, pattern in enumerate(_PATTERNS):
        if not len(left):
            break
        found = pc.extract_regex(levels.take(pa.array(left)), pattern)
        fits = np.flatnonzero(bools(pc.is_valid(found)))
        if not len(fits):
            continue
        total, count, valid = _seconds(found.take(pa.array(fits)), place)
        kept = left[fits[valid]]
        form[kept], seconds[kept], parts[kept] = place, total[valid], count[valid]
        left = np.delete(left, fits)
    return _Taken(form, seconds, parts)


def _seconds(parts: pa.StructArray, form: int) -> tuple[NDArray[np.float64], NDArray[np.int64], BoolArray]:
    total, count = np.zeros(len(parts)), np.zeros(len(parts), dtype=np.int64)
    valid = np.ones(len(parts), dtype=np.bool_)
    for name, worth in _SECONDS.items():
        text = or_empty(parts.field(name))
        number = pc.if_else(pc.equal(text, ""), "0", text).cast(pa.float64()).to_numpy()
        count += bools(pc.not_equal(text, ""))
        total += number * worth
        if form in (_THREE, _DAYS, _TWO) and name in ("m", "s") and not (form == _TWO and name == "m"):
            valid &= number < 60
    if form == _DAYS:
        valid &= pc.cast(parts.field("h"), pa.float64()).to_numpy() < 24
    fraction = pc.utf8_lpad(or_empty(parts.field("f")), 1, "0")
    total += pc.binary_join_element_wise("0", fraction, ".").cast(pa.float64()).to_numpy()
    minus = bools(pc.is_in(parts.field("sign"), value_set=pa.array(["-", "−"])))
    if form == _DAYS:
        # -1 day, 23:00:00 is how Python and pandas write minus one hour: only the days are negative.
        days = parts.field("d").cast(pa.float64()).to_numpy() * _SECONDS["d"]
        return np.where(minus, total - 2 * days, total), count, valid & (count > 0)
    return np.where(minus, -total, total), count, valid & (count > 0)
