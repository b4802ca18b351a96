"""Levels that have an order: low, medium, high; XS to XXL; 1-5, 6-10, 11+; weekdays, months, grades.

An order is found only where every level has its place on one known scale, so that nothing is put in an order by chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

FEWEST = 3
"""Two levels can't be told from one another any better by an order."""
MOST = 100
"""More levels than this are not put in an order."""

# From the lowest to the highest; words beside a bar mean the same place.
_SCALES = tuple(
    tuple(tuple(place.split("|")) for place in scale.split(" < "))
    for scale in (
        "none|no|nil < extremely low < very low|v low < low|lo < medium low|low medium|rather low < "
        "medium|med|moderate|mid|middle|average|normal < medium high|rather high < high|hi|elevated < "
        "very high|v high < extremely high|extreme|critical|urgent",
        "xxs|2xs < xs|extra small|x small|very small|tiny < s|small|sm < m|medium|med|md|mid < l|large|lg|big < "
        "xl|extra large|x large|very large < xxl|2xl < xxxl|3xl|huge < 4xl < 5xl",
        "awful|terrible|horrible|unacceptable < very bad|very poor < bad|poor < below average < "
        "fair|ok|okay|average|acceptable|satisfactory|regular|typical|mediocre|neutral < above average < good < "
        "very good|great < excellent|outstanding|perfect|superb",
        "fair < good < very good < premium < ideal",
        "po < fa < ta < gd < ex",
        "strongly disagree|totally disagree|fully disagree|completely disagree < disagree < "
        "somewhat disagree|slightly disagree|rather disagree < neutral|neither|undecided|neither agree nor disagree < "
        "somewhat agree|slightly agree|rather agree < agree < "
        "strongly agree|totally agree|fully agree|completely agree",
        "very dissatisfied|very unsatisfied < dissatisfied|unsatisfied < neutral|neither < satisfied < very satisfied",
        "very unlikely < unlikely < neutral|possible < likely < very likely|certain",
        "not important|unimportant < slightly important < moderately important < important < very important < "
        "extremely important",
        "never < almost never|very rarely < rarely|seldom < sometimes|occasionally < often|frequently|usually < "
        "very often|almost always < always",
        "none|absent < minimal|trace < mild|slight|minor < moderate < severe|serious|major < very severe|critical",
        "beginner|novice|basic < intermediate < advanced < expert|master",
        "intern|trainee < junior|entry < mid|middle|intermediate|regular < senior < lead|principal",
        "bronze < silver < gold < platinum < diamond",
        "none|no education < primary|elementary < secondary|middle school|high school < "
        "some college|vocational|associate|associates < tertiary|college|university|bachelor|bachelors < "
        "graduate|postgraduate|master|masters < phd|doctorate|doctoral",
        "cold < cool < mild|warm < hot < very hot",
        "newborn|infant|baby < toddler < child|kid < teen|teenager|adolescent < young adult|young < "
        "adult|middle aged < senior|elderly|old",
        "first|1st < second|2nd < third|3rd < fourth|4th < fifth|5th < sixth|6th < seventh|7th < eighth|8th < "
        "ninth|9th < tenth|10th",
        "january|jan < february|feb < march|mar < april|apr < may < june|jun < july|jul < august|aug < "
        "september|sep|sept < october|oct < november|nov < december|dec",
        "monday|mon < tuesday|tue|tues < wednesday|wed < thursday|thu|thur|thurs < friday|fri < "
        "saturday|sat < sunday|sun",
        "dawn < morning < noon|midday < afternoon < evening < night|midnight",
    )
)
_PLACES = tuple({word: place for place, words in enumerate(scale) for word in words} for scale in _SCALES)

_GRADE = re.compile(r"^([a-f])([+-]?)$")
_RATINGS_LOW_TO_HIGH = "d c cc ccc- ccc ccc+ b- b b+ bb- bb bb+ bbb- bbb bbb+ a- a a+ aa- aa aa+ aaa"
_RATINGS = {rating: place for place, rating in enumerate(_RATINGS_LOW_TO_HIGH.split())}
_STEP = re.compile(
    r"^(q|quarter|level|lvl|grade|stage|phase|tier|class|year|week|day|month|floor|step|rank|band) ?"
    r"(\d{1,3}|[ivx]{1,4})$"
)
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4, "v": 5, "vi": 6, "vii": 7, "viii": 8, "ix": 9, "x": 10}

_NUMBER = r"[$€£]?([+-]?\d+(?:\.\d+)?)%?"
_BETWEEN = re.compile(rf"^[(\[]?{_NUMBER} ?(?:-|–|—|to|until|,|\.\.) ?{_NUMBER}[)\]]?$")
_BELOW = re.compile(rf"^(?:<=?|≤|under|below|less than|up to|at most|fewer than) ?{_NUMBER}$")
_ABOVE = re.compile(rf"^(?:>=?|≥|over|above|more than|at least|from) ?{_NUMBER}$")
_PLUS = re.compile(rf"^{_NUMBER} ?(?:\+|and over|and above|and more|or more|or older|and older|plus)$")
_SINGLE = re.compile(rf"^{_NUMBER}$")
_THOUSANDS = re.compile(r"(?<=\d)[, ](?=\d{3}(?!\d))")
_LAST_WORD = re.compile(r" ?([^\W\d_]+)$")
_NOT_UNITS = frozenset({"over", "above", "more", "older", "plus"})


def ordered_levels(levels: Sequence[str]) -> tuple[str, ...]:
    """Put levels in their order where they have one.

    Parameters
    ----------
    levels : sequence of str
        Different levels of one column.

    Returns
    -------
    tuple of str
        The lowest first; empty where the levels are no known scale, or two of them have the same place on it.
    """
    if not FEWEST <= len(levels) <= MOST:
        return ()
    plain = [_plain(level) for level in levels]
    found: list[list[Any] | None] = [_on_scale(plain, scale) for scale in _PLACES]
    for places in (*found, _grades(levels), _steps(plain), _ranges(levels)):
        if places is not None and len(set(places)) == len(levels):
            return tuple(level for _, level in sorted(zip(places, levels, strict=True), key=lambda pair: pair[0]))
    return ()


def any_order(levels: Iterable[str]) -> tuple[str, ...]:
    """Return an order to start from where a person wants one: the known one, by number, or by the alphabet."""
    found = sorted(set(levels))
    numbers = [_SINGLE.match(level.replace(",", "")) for level in found]
    if found and all(numbers):
        return tuple(sorted(found, key=lambda level: float(level.replace(",", "").strip("$€£%"))))
    return ordered_levels(found) or tuple(found)


def _plain(level: str) -> str:
    return (
        re.sub(r"[\s_\-]+", " ", level.strip().casefold()).strip(" .") if len(level) > 2 else level.strip().casefold()
    )


def _on_scale(plain: list[str], scale: dict[str, int]) -> list[int] | None:
    places = [scale.get(level) for level in plain]
    if None in places:
        # First Owner, Second Owner, Third Owner: the same words behind the one that tells the place.
        heads, tails = zip(*((level.partition(" ")[0], level.partition(" ")[2]) for level in plain), strict=True)
        if len(set(tails)) > 1 or not tails[0]:
            return None
        places = [scale.get(head) for head in heads]
    return None if None in places else [place for place in places if place is not None]


def _grades(levels: Sequence[str]) -> list[int] | None:
    """Place school grades, of which one at least has a plus or a minus: letters alone may be mere names."""
    plain = [level.strip().casefold() for level in levels]
    grades = [_GRADE.match(level) for level in plain]
    if all(grades) and any(grade[2] for grade in grades if grade):
        return [-3 * ord(grade[1]) + {"-": -1, "": 0, "+": 1}[grade[2]] for grade in grades if grade]
    ratings = [_RATINGS.get(level) for level in plain]
    if None not in ratings and sum(len(level.strip("+-")) > 1 for level in plain) > 1:
        return [rating for rating in ratings if rating is not None]
    return None


def _steps(plain: list[str]) -> list[int] | None:
    """Place Q1, Q2, Q3 or Stage I, Stage II: a word that counts up, and the same one in all levels."""
    steps = [_STEP.match(level) for level in plain]
    if not all(steps) or len({step[1] for step in steps if step}) > 1:
        return None
    places = [int(step[2]) if step[2].isdigit() else _ROMAN.get(step[2]) for step in steps if step]
    return None if None in places else [place for place in places if place is not None]


def _ranges(levels: Sequence[str]) -> list[tuple[float, float]] | None:
    """Place ranges of numbers such as <18, 18-25, 65+; None where two of them overlap."""
    plain = [_THOUSANDS.sub("", level.strip().casefold()) for level in levels]
    words = [match[1] if (match := _LAST_WORD.search(level)) else "" for level in plain]
    if len(set(words)) == 1 and words[0] and words[0] not in _NOT_UNITS:
        plain = [level.removesuffix(words[0]).strip() for level in plain]
    found = [_ends(level) for level in plain]
    if None in found or not any(_BETWEEN.match(level) for level in plain):
        return None
    ends = sorted(end for end in found if end is not None)
    overlap = any(high > low for (_, high), (low, _) in pairwise(ends))
    return None if overlap else [end for end in found if end is not None]


def _ends(level: str) -> tuple[float, float] | None:
    between = _BETWEEN.match(level)
    if between:
        low, high = float(between[1]), float(between[2])
        return (low, high) if low <= high else None
    for pattern, below in ((_BELOW, True), (_ABOVE, False), (_PLUS, False)):
        match = pattern.match(level)
        if match:
            return (float("-inf"), float(match[1])) if below else (float(match[1]), float("inf"))
    single = _SINGLE.match(level)
    return (float(single[1]), float(single[1])) if single else None
