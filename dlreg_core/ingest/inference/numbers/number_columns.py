"""The cells of a column, read by its unit and form: its numbers, and what stands beside them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import bools
from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.numbers.number_cells import SIGN_WORDS, Parts, scaled
from dlreg_core.ingest.inference.numbers.text_numbers import are_codes, as_numbers, numerals
from dlreg_core.ingest.inference.numbers.unit_registry import convertible, same_unit
from dlreg_core.specs import NumberForm

_SHORTEST_CODE = 4
_MOST_EXACT = 2**53
FEW = 0.05
"""Share of the rows that may lack the unit that the others have, or hold a word in place of a number.

One row in twenty is too few to be a level that the column is about, and costs a model less than a column of numbers
that it is given as texts.
"""
RARE = 0.01
"""Share of the rows that may hold something with digits that is no number: 3+ among counts, 12B among house numbers.

Such are often levels or codes of a column that isn't made of numbers at all.
"""


@dataclass(frozen=True)
class StrayCounts:
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
class QuantityCells:
    """Some values of a column, read by its unit and form.

    Attributes
    ----------
    numbers : pyarrow.Array or None
        Null where a value is no number of the column; None where some are too long for numbers.
    aside : StrayCounts
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
    aside: StrayCounts
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


def read_as(levels: pa.StringArray, counts: NDArray[np.int64], unit: str, form: NumberForm) -> QuantityCells:
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
    read = bools(plain.is_valid())
    pairs = list(parts.units(form))
    units = [own for _, own in pairs]
    good = read & np.array([not own or same_unit(own, unit) for own in units], dtype=np.bool_)
    others = {own for own, fine, number in zip(units, good.tolist(), read.tolist(), strict=True) if number and not fine}
    spellings: dict[str, int] = {}
    for own, count, fine in zip(units, counts.tolist(), good.tolist(), strict=True):
        if fine and own:
            spellings[own] = spellings.get(own, 0) + count
    kept = pc.if_else(pa.array(good), plain, pa.scalar(None, pa.string()))
    return QuantityCells(
        _numbers(kept, np.array([times for times, _ in pairs]), good),
        _aside(levels.to_pylist(), counts, good, units, unit),
        spellings,
        all_zero(parts, units, read),
        kept.drop_null() if not unit else kept.slice(0, 0),
        any(convertible(own, unit) or own.casefold() in SIGN_WORDS for own in others),
    )


def _aside(
    levels: Iterable[str], counts: NDArray[np.int64], good: NDArray[np.bool_], units: Iterable[str], unit: str
) -> StrayCounts:
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
    return StrayCounts(int(counts.sum()), bare, alone, tuple(listed))


def few_strays(aside: StrayCounts, *, whole: bool) -> bool:
    """Tell whether a column is one of numbers in spite of the values that are none.

    Parameters
    ----------
    aside : StrayCounts
        What stands beside the numbers.
    whole : bool
        Whether all numbers are whole, without a unit and of one length, as codes are: then something with digits is a
        code as well.
    """
    odd = sum(rows for level, rows in aside.strays if any(sign.isdigit() for sign in level))
    rest = aside.stray_rows + aside.alone
    return rest <= FEW * aside.known and odd <= (0 if whole else RARE) * aside.known


def bare_is_clear(bare: int, known: int, all_zero: bool, unit: str, name: str) -> bool:
    """Tell whether values without the unit of the others can only have that: few, zeros, or the name says so."""
    return bare <= FEW * known or all_zero or (len(unit) > 0 and _named(unit, name))


def _named(unit: str, name: str) -> bool:
    """Tell whether the name of a column holds its unit: Price ($), weight_kg, Length [mm]."""
    words = [word for word in name.replace("_", " ").replace("(", " ").replace(")", " ").split() if word]
    return any(same_unit(word.strip("[],:"), unit) for word in words)


def all_zero(parts: Parts, units: Iterable[str], read: NDArray[np.bool_]) -> bool:
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
