"""The forms in which dates are written, and a text taken apart into what they tell: three numbers and a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from dlreg_core.arrow import bools
from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.times.time_of_day import (
    CLOCK,
    HALF,
    ZONE,
    BoolArray,
    IntArray,
    clock,
    or_empty,
    whole,
)

_DATE_TIME = rf"(?:(?:[T ]| ?[,-] ?) *{CLOCK}{HALF}{ZONE})?$"
_NO_TIME = r"(?P<H>)(?P<M>)(?P<S>)(?P<f>)(?P<half>)(?P<zone>)$"
_WEEKDAY = r"^(?:(?i:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,? )?"
_MONTH = r"(?P<b>[A-Za-z]{3,9})\.?"
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_BEGINS = r"^(?:\d|[Qq][1-4]|(?i:mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec))"
_FIRST_LIKELY_YEAR, _LAST_LIKELY_YEAR = 1900, 2100
_PIVOT = 69
"""Two digits up to this are years of this century, as C's and Python's ``strptime`` read them."""

DateFormatKind = Literal["known", "last", "short", "month", "quarter", "week"]


@dataclass(frozen=True)
class _Form:
    """A way to write dates.

    ``kind`` says what the groups a, b and c are: ``known`` year, month and day; ``last`` day and month in either order
    and the year; ``short`` the same with two digits for the year, which may also come first; ``month`` year and month,
    ``quarter`` year and quarter, ``week`` year and ISO week. What is ``likely`` only is no date in other centuries,
    since codes look the same.
    """

    name: str
    pattern: str
    kind: DateFormatKind = "known"
    likely: bool = False

    @property
    def named(self) -> bool:
        """Whether months have names."""
        return _MONTH in self.pattern


FORMS = (
    _Form("year first", r"^(?P<a>\d{4})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{1,2})" + _DATE_TIME),
    _Form("year last", r"^(?P<a>\d{1,2})[-/.](?P<b>\d{1,2})[-/.](?P<c>\d{4})" + _DATE_TIME, "last"),
    _Form("slashes", r"^(?P<a>\d{1,2})/(?P<b>\d{1,2})/(?P<c>\d{2})" + _DATE_TIME, "short"),
    _Form("dashes", r"^(?P<a>\d{1,2})-(?P<b>\d{1,2})-(?P<c>\d{2})" + _DATE_TIME, "short"),
    _Form("dots", r"^(?P<a>\d{1,2})\.(?P<b>\d{1,2})\.(?P<c>\d{2})" + _DATE_TIME, "short"),
    _Form(
        "compact",
        r"^(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})[T ]"
        rf"(?P<H>\d{{2}}):?(?P<M>\d{{2}})(?::?(?P<S>\d{{2}})(?:[.,](?P<f>\d{{1,9}})\d*)?)?{HALF}{ZONE}$",
    ),
    _Form("digits", r"^(?P<a>\d{4})(?P<b>\d{2})(?P<c>\d{2})" + _DATE_TIME, likely=True),
    _Form(
        "day month",
        _WEEKDAY + rf"(?P<c>\d{{1,2}})[-/. ]{{1,2}}{_MONTH}[-/. ,]{{1,2}}(?P<a>\d{{4}}|\d{{2}})" + _DATE_TIME,
    ),
    _Form("day month", rf"^(?P<c>\d{{1,2}}){_MONTH}(?P<a>\d{{4}})(?::{CLOCK}(?P<half>)(?P<zone>))?$"),
    _Form(
        "month day",
        _WEEKDAY + rf"{_MONTH}[ -](?P<c>\d{{1,2}})(?:st|nd|rd|th)?,? ?-?(?P<a>\d{{4}})" + _DATE_TIME,
    ),
    _Form("year-month", rf"^(?P<a>\d{{4}})(?:[-/]|-?[Mm])(?P<b>\d{{1,2}})(?P<c>){_NO_TIME}", "month", likely=True),
    _Form("month/year", rf"^(?P<b>\d{{1,2}})[-/](?P<a>\d{{4}})(?P<c>){_NO_TIME}", "month", likely=True),
    _Form("month year", rf"^{_MONTH}[-/. ,']{{0,2}}(?P<a>\d{{4}}|\d{{2}})(?P<c>){_NO_TIME}", "month", likely=True),
    _Form("year month", rf"^(?P<a>\d{{4}})[-/. ]{{0,2}}{_MONTH}(?P<c>){_NO_TIME}", "month", likely=True),
    _Form("year quarter", rf"^(?P<a>\d{{4}})[-/. ]?[Qq](?P<b>[1-4])(?P<c>){_NO_TIME}", "quarter", likely=True),
    _Form("quarter year", rf"^[Qq](?P<b>[1-4])[-/. ']?(?P<a>\d{{4}})(?P<c>){_NO_TIME}", "quarter", likely=True),
    _Form("quarter year", rf"^(?P<b>[1-4])[Qq][-/. ']?(?P<a>\d{{4}})(?P<c>){_NO_TIME}", "quarter", likely=True),
    _Form("year week", rf"^(?P<a>\d{{4}})[- ]?[Ww](?P<b>\d{{1,2}})(?P<c>){_NO_TIME}", "week", likely=True),
)
NAMES = tuple(form.name for form in FORMS)
KINDS = np.array([form.kind for form in FORMS])
YEAR_MONTH = NAMES.index("year-month")
MONTH_NAME_YEAR = NAMES.index("month year")
DASHES, DOTS = NAMES.index("dashes"), NAMES.index("dots")
_DIGITS = NAMES.index("digits")


@dataclass(frozen=True)
class DateParts:
    """Texts taken apart, an entry a text.

    Attributes
    ----------
    form : ndarray of int64
        The place of its form in `FORMS`; -1 where it has none.
    a, b, c : ndarray of int64
        The numbers that it holds, as the form's kind says; a year of two digits is a full one where its place is
        known, a month that is no month is 0.
    time : ndarray of int64
        Nanoseconds since midnight UTC.
    plain : ndarray of bool
        For years of two digits, whether day and month have two digits each; for months, whether the year has four.
    """

    form: IntArray
    a: IntArray
    b: IntArray
    c: IntArray
    time: IntArray
    plain: BoolArray

    @property
    def known(self) -> BoolArray:
        """Whether each text has a form."""
        return self.form >= 0

    def of_kind(self, *kinds: DateFormatKind) -> BoolArray:
        """Tell which texts have a form of one of these kinds."""
        return self.known & np.isin(KINDS[self.form], kinds)


def split_dates(levels: pa.StringArray, *, digits: bool = False) -> DateParts:
    """Take texts apart, each on its own.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Distinct values.
    digits : bool
        Whether eight digits, such as 20141013, may be a date.
    """
    rows = len(levels)
    form = np.full(rows, -1, dtype=np.int64)
    a, b, c, time = (np.zeros(rows, dtype=np.int64) for _ in range(4))
    plain = np.ones(rows, dtype=np.bool_)
    # All forms hold a digit, and none is longer than a weekday, a month by its name and a time with an offset.
    begins = pc.and_(pc.match_substring_regex(levels, _BEGINS), pc.match_substring_regex(levels, r"\d"))
    may_be = pc.and_(begins, pc.less_equal(pc.utf8_length(levels), 64))
    left = np.flatnonzero(bools(may_be))
    for place, known in enumerate(FORMS):
        if not len(left):
            break
        if place == _DIGITS and not digits:
            continue
        parts = pc.extract_regex(levels.take(pa.array(left)), known.pattern)
        fits = np.flatnonzero(bools(pc.is_valid(parts)))
        if not len(fits):
            continue
        found = parts.take(pa.array(fits))
        read = _read(found, known)
        fits, kept = fits[read.kept], left[fits[read.kept]]
        form[kept] = place
        a[kept], b[kept], c[kept], time[kept] = read.a, read.b, read.c, read.time
        plain[kept] = read.plain
        left = np.delete(left, fits)
    return DateParts(form, a, b, c, time, plain)


@dataclass(frozen=True)
class _Read:
    kept: BoolArray
    a: IntArray
    b: IntArray
    c: IntArray
    time: IntArray
    plain: BoolArray


def _read(parts: pa.StructArray, form: _Form) -> _Read:
    time, valid = clock(parts)
    a = whole(parts, "a") if form.kind in ("last", "short") else _years(parts)
    b, c = _months(parts), whole(parts, "c")
    if form.named:
        valid &= b > 0
    plain = np.ones(len(parts), dtype=np.bool_)
    if form.kind == "short":
        plain = bools(pc.and_(*(pc.equal(pc.utf8_length(parts.field(name)), 2) for name in ("a", "b"))))
    elif form.kind == "month":
        plain = bools(pc.equal(pc.utf8_length(parts.field("a")), 4))
    if form.likely:
        valid &= (a >= _FIRST_LIKELY_YEAR) & (a <= _LAST_LIKELY_YEAR)
    return _Read(valid, a[valid], b[valid], c[valid], time[valid], plain[valid])


def _months(parts: pa.StructArray) -> IntArray:
    """Return months as numbers; 0 for a word that is none."""
    words = parts.field("b")
    if pc.all(pc.match_substring_regex(words, r"^\d+$"), min_count=0).as_py():
        return whole(parts, "b")
    coded = words.dictionary_encode()
    numbers = np.array([_month(word.lower()) for word in coded.dictionary.to_pylist()], dtype=np.int64)
    found: IntArray = numbers[coded.indices.to_numpy()]
    return found


def _month(word: str) -> int:
    short = "sep" if word == "sept" else word
    return next((number for number, month in enumerate(_MONTHS, start=1) if month.startswith(short)), 0)


def _years(parts: pa.StructArray) -> IntArray:
    years = whole(parts, "a")
    short = bools(pc.equal(pc.utf8_length(or_empty(parts.field("a"))), 2))
    return np.where(short, full_years(years), years)


def full_years(years: IntArray) -> IntArray:
    """Return years of two digits as full ones."""
    return np.where(years < _PIVOT, years + 2000, years + 1900)
