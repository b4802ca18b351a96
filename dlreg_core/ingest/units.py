"""How a column of texts is written, where they are numbers with something around them or words among them.

``$1,250.00``, ``92%``, ``23.4 kmpl``, ``8GB``, ``(1,250)``; one text is read in `dlreg_core.ingest.cells`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.cells import SIGN_WORDS, Parts, scaled
from dlreg_core.ingest.unit_table import convertible, is_currency, is_letter, magnitude, meaning, same_unit
from dlreg_core.ingest.values import Tally, are_codes, as_numbers, marks_of, numerals
from dlreg_core.specs import NumberForm

_T = TypeVar("_T")
_MOST_UNITS = 5
_MONTHS = frozenset(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"))
_SHORTEST_CODE = 4
_MOST_EXACT = 2**53
FEW = 0.05
"""Share of the rows that may lack the unit that the others have, or hold a word in place of a number.

One row in twenty is too few to be a level that the column is about, and costs a model less than a column of numbers
that it is given as texts.
"""
_RARE = 0.01
"""Share of the rows that may hold something with digits that is no number: 3+ among counts, 12B among house numbers.

Such are often levels or codes of a column that isn't made of numbers at all.
"""


@dataclass(frozen=True)
class Aside:
    """What was seen beside the numbers of a column, in rows.

    Attributes
    ----------
    known : int
        Rows that have a value.
    bare, alone : int
        Rows that have no unit where others have one, and rows that have nothing but the unit.
    strays : tuple of (str, int)
        Values that are no numbers of the column, and their rows, most frequent first.
    """

    known: int = 0
    bare: int = 0
    alone: int = 0
    strays: tuple[tuple[str, int], ...] = ()

    @property
    def stray_rows(self) -> int:
        """Rows whose value is no number."""
        return sum(rows for _, rows in self.strays)


@dataclass(frozen=True)
class Measures:
    """A text column whose values are numbers.

    Attributes
    ----------
    numbers : pyarrow.Array
        One a level; null where a level is the unit alone, or no number.
    unit : str
        As it is written most often; empty where there is none.
    form : NumberForm
        How the numbers are written.
    aside : Aside
        What else there is.
    """

    numbers: pa.Array
    unit: str
    form: NumberForm
    aside: Aside


@dataclass(frozen=True)
class SeveralUnits:
    """What kept numbers with units from being one column of numbers: units and their rows, most frequent first."""

    rows: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class NearNumbers:
    """What kept a column that is mostly numbers from being one: too many values that are none, and what they are."""

    aside: Aside


def parse_measures(tally: Tally, decimal: str = ".", name: str = "") -> Measures | SeveralUnits | NearNumbers | None:
    """Read texts as numbers with a unit, or as numbers among which few are something else.

    Parameters
    ----------
    tally : Tally
        The distinct values of the column.
    decimal : str
        Decimal mark of the file.
    name : str
        Name of the column: where the unit stands in it, values without one have it.

    Returns
    -------
    Measures, SeveralUnits, NearNumbers or None
        Numbers where all rows have the same unit (a few may lack it, or be no numbers), units and their rows where
        there are some few, what is no number where that is too much, and None where the values are something else.
    """
    if not len(tally.levels):
        return None
    parts = Parts.of(tally.levels, decimal)
    written = pa.array([text or None for text in parts.digits], pa.string())
    mark, plain = _best_mark(written, tally.counts, decimal)
    read = _bools(plain.is_valid())
    if 2 * tally.counts[read].sum() < tally.known:
        return None
    form = _form(parts, read, mark)
    units = [unit for _, unit in parts.units(form)]
    rows = _rows_by_unit(_pick(units, read), tally.counts[read])
    bare = rows.pop("", 0)
    zeros = _all_zero(parts, units, read)
    found = _one_unit(rows, 0 if zeros else bare, tally.known)
    if found is None:
        return _several(rows, bare)
    cells = read_as(tally.levels, tally.counts, found, form)
    if bare and found and not bare_is_clear(cells.aside.bare, tally.known, zeros, found, name):
        return _several({found: rows[found]}, bare)
    return _judged(cells, found, form)


def _judged(cells: Cells, unit: str, form: NumberForm) -> Measures | NearNumbers | None:
    """Tell numbers from what is no column of numbers, given the unit that they all have."""
    aside = cells.aside
    if not few_strays(aside, whole=cells.like_codes):
        return NearNumbers(aside) if 0 < 2 * (aside.stray_rows + aside.alone) <= aside.known else None
    around = aside.strays or aside.alone or unit or form != NumberForm(decimal=form.decimal)
    # Numbers with nothing around them, which were no numbers all the same: codes, or all in brackets.
    if not around or cells.numbers is None or cells.leading_zeros or cells.beyond(unit):
        return None
    return Measures(cells.numbers, unit, form, aside)


@dataclass(frozen=True)
class Cells:
    """Some values of a column, read by its unit and form.

    Attributes
    ----------
    numbers : pyarrow.Array or None
        Null where a value is no number of the column; None where some are too long for numbers.
    aside : Aside
        What stands beside the numbers.
    spellings : dict of str to int
        The ways in which the unit is written, and their rows.
    zeros : bool
        Whether all numbers without the unit are zero.
    plain : pyarrow.StringArray
        The numbers without a unit and of a column without one, as they are written.
    foreign : bool
        Whether there are numbers in another unit that can be converted, or with a word that may be a sign.
    """

    numbers: pa.Array | None
    aside: Aside
    spellings: dict[str, int]
    zeros: bool
    plain: pa.StringArray
    foreign: bool

    @property
    def lengths(self) -> set[int]:
        """How long the numbers are as they are written; 0 stands for those that can be no codes."""
        codes = pc.match_substring_regex(self.plain, r"^\d+$")
        return set(pc.if_else(codes, pc.utf8_length(self.plain), 0).unique().to_pylist())

    @property
    def like_codes(self) -> bool:
        """Whether all numbers are whole and of one length, four digits or more."""
        return codes_by_length(self.lengths)

    @property
    def leading_zeros(self) -> bool:
        """Whether the numbers are codes: of one length, some with leading zeros."""
        return are_codes(self.plain)

    @property
    def any_leading_zero(self) -> bool:
        """Whether some begin with a zero that no number needs."""
        return bool(pc.any(pc.match_substring_regex(self.plain, r"^0\d+$"), min_count=0).as_py())

    def beyond(self, unit: str) -> bool:
        """Tell whether marks out of so many are more than that: 31/5 is a date or a fraction."""
        highest = pc.max(self.numbers).as_py() if unit.startswith("/") and self.numbers is not None else None
        return highest is not None and highest > int(unit[1:])


def codes_by_length(lengths: set[int]) -> bool:
    """Tell from their lengths whether whole numbers may be codes."""
    return len(lengths) == 1 and min(lengths) >= _SHORTEST_CODE


def read_as(levels: pa.StringArray, counts: NDArray[np.int64], unit: str, form: NumberForm) -> Cells:
    """Read the distinct values of a column whose unit and form are known, each by itself.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Distinct values.
    counts : ndarray of int64
        Their rows.
    unit : str
        The unit of the column; numbers in another one are none of it.
    form : NumberForm
        How its numbers are written.
    """
    parts = Parts.of(levels, form.decimal)
    plain = numerals(pa.array([text or None for text in parts.digits], pa.string()), form.decimal)
    read = _bools(plain.is_valid())
    pairs = list(parts.units(form))
    units = [own for _, own in pairs]
    good = read & np.array([not own or same_unit(own, unit) for own in units], dtype=np.bool_)
    others = {own for own, fine, number in zip(units, good.tolist(), read.tolist(), strict=True) if number and not fine}
    spellings: dict[str, int] = {}
    for own, count, fine in zip(units, counts.tolist(), good.tolist(), strict=True):
        if fine and own:
            spellings[own] = spellings.get(own, 0) + count
    kept = pc.if_else(pa.array(good), plain, pa.scalar(None, pa.string()))
    return Cells(
        _numbers(kept, np.array([times for times, _ in pairs]), good),
        _aside(levels.to_pylist(), counts, good, units, unit),
        spellings,
        _all_zero(parts, units, read),
        kept.drop_null() if not unit else kept.slice(0, 0),
        any(convertible(own, unit) or own.casefold() in SIGN_WORDS for own in others),
    )


def _aside(
    levels: Iterable[str], counts: NDArray[np.int64], good: NDArray[np.bool_], units: Iterable[str], unit: str
) -> Aside:
    """Count what stands beside the numbers of a column, given which levels are some and what unit each has."""
    bare = alone = 0
    strays: dict[str, int] = {}
    for level, count, fine, own in zip(levels, counts.tolist(), good.tolist(), units, strict=True):
        if fine:
            bare += 0 if own or not unit else count
        elif unit and same_unit(level, unit):
            alone += count
        else:
            strays[level] = strays.get(level, 0) + count
    listed = sorted(strays.items(), key=lambda item: (-item[1], item[0]))
    return Aside(int(counts.sum()), bare, alone, tuple(listed))


def few_strays(aside: Aside, *, whole: bool) -> bool:
    """Tell whether a column is one of numbers in spite of the values that are none.

    Parameters
    ----------
    aside : Aside
        What stands beside the numbers.
    whole : bool
        Whether all numbers are whole, without a unit and of one length, as codes are: then something with digits is a
        code as well.
    """
    odd = sum(rows for level, rows in aside.strays if any(sign.isdigit() for sign in level))
    rest = aside.stray_rows + aside.alone
    return rest <= FEW * aside.known and odd <= (0 if whole else _RARE) * aside.known


def bare_is_clear(bare: int, known: int, all_zero: bool, unit: str, name: str) -> bool:
    """Tell whether values without the unit of the others can only have that: few, zeros, or the name says so."""
    return bare <= FEW * known or all_zero or (len(unit) > 0 and _named(unit, name))


def _named(unit: str, name: str) -> bool:
    """Tell whether the name of a column holds its unit: Price ($), weight_kg, Length [mm]."""
    words = [word for word in name.replace("_", " ").replace("(", " ").replace(")", " ").split() if word]
    return any(same_unit(word.strip("[],:"), unit) for word in words)


def _best_mark(written: pa.StringArray, counts: NDArray[np.int64], decimal: str) -> tuple[str, pa.StringArray]:
    """Return the decimal mark with which most rows are numbers, the file's among equals, and the numerals."""
    best: tuple[int, str, pa.StringArray] | None = None
    for mark in marks_of(decimal):
        plain = numerals(written, mark)
        rows = int(counts[plain.is_valid().to_numpy(zero_copy_only=False)].sum())
        if best is None or rows > best[0]:
            best = rows, mark, plain
    assert best is not None
    return best[1], best[2]


def _form(parts: Parts, read: NDArray[np.bool_], mark: str) -> NumberForm:
    """Return how numbers are written: the mark, the word that is a minus, and whether letters multiply."""
    money = [is_currency(before) for before in parts.before]
    behind = _pick(parts.after, read)
    signs = {after.casefold() for after in behind} & SIGN_WORDS
    minus = ""
    if "cr" in signs and len(signs) > 1:
        # Bookkeeping's convention: debits are positive.
        minus = "cr"
    elif len(signs) == 1 and "" in behind:
        # Where only one of them stands, it is the sign of what is negative, as COBOL writes it.
        minus = next(iter(signs))
    plain = {after for after, paid in zip(behind, _pick(money, read), strict=True) if after and not paid}
    letters = {after for after in plain if is_letter(after)}
    classes = {letter.casefold() for letter in letters}
    # K alone is kelvin, M alone may be anything; together, or a small k beside numbers without one, they multiply.
    several = len(classes) > 1 or (letters == {"k"} and "" in behind)
    scaled_ones = several and all(magnitude(after) is not None for after in plain)
    return NumberForm(decimal="," if mark == "," else ".", minus=minus, scaled=scaled_ones)


def _one_unit(rows: dict[str, int], bare: int, known: int) -> str | None:
    """Return the unit of a column, empty where it has none; None where it has several."""
    rest = sum(rows.values())
    # 12B among house numbers: what has something behind it is the exception.
    if not rows or (bare and rest <= _RARE * known):
        return ""
    unit, most = max(rows.items(), key=lambda item: item[1])
    others = [other for other in rows if other != unit]
    rare = rest - most <= _RARE * known and not any(convertible(other, unit) for other in others)
    return unit if rare else None


def _several(rows: dict[str, int], bare: int) -> SeveralUnits | None:
    """Tell several units from words that only follow a number, such as months or the letters of house numbers."""
    letters = all(len(unit) == 1 and unit.isalpha() for unit in rows)
    if len(rows) > _MOST_UNITS or letters or all(unit[:3].lower() in _MONTHS for unit in rows):
        return None
    if all(unit.startswith("/") for unit in rows):
        # Marks out of so many have one measure; 1/2 and 3/4 are something else.
        return None
    listed = sorted(rows.items(), key=lambda item: -item[1])
    return SeveralUnits((*listed, *((("no unit", bare),) if bare else ())))


def _rows_by_unit(units: list[str], counts: NDArray[np.int64]) -> dict[str, int]:
    """Count the rows of each unit; spellings of one unit are one, written as it is most often."""
    spellings: dict[object, dict[str, int]] = {}
    for unit, count in zip(units, counts.tolist(), strict=True):
        seen = spellings.setdefault(meaning(unit) if unit else "", {})
        seen[unit] = seen.get(unit, 0) + count
    return {max(seen, key=lambda unit: seen[unit]): sum(seen.values()) for seen in spellings.values()}


def _all_zero(parts: Parts, units: Iterable[str], read: NDArray[np.bool_]) -> bool:
    """Tell whether the values without a unit are zero, which is the same in every unit."""
    bare = (digits for digits, unit, fine in zip(parts.digits, units, read.tolist(), strict=True) if fine and not unit)
    return all(set(text) <= set("0., ") for text in bare)


def _numbers(plain: pa.StringArray, factors: NDArray[np.float64], good: NDArray[np.bool_]) -> pa.Array | None:
    numbers = as_numbers(plain)
    if numbers is None or np.all(factors[good] == 1):
        return numbers
    values = [
        None if value is None else scaled(value, factor)
        for value, factor in zip(numbers.to_pylist(), factors.tolist(), strict=True)
    ]
    if all(value is None or (float(value).is_integer() and abs(value) < _MOST_EXACT) for value in values):
        return pa.array([None if value is None else int(value) for value in values], pa.int64())
    return pa.array(values, pa.float64())


def _bools(values: pa.BooleanArray) -> NDArray[np.bool_]:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)


def _pick(values: Iterable[_T], chosen: NDArray[np.bool_]) -> list[_T]:
    return [value for value, kept in zip(values, chosen.tolist(), strict=True) if kept]
