"""How a column of texts is written, where they are numbers with something around them or words among them.

``$1,250.00``, ``92%``, ``23.4 kmpl``, ``8GB``, ``(1,250)``; one text is read in
`dlreg_core.ingest.inference.numbers.number_cells`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import bools
from dlreg_core.ingest.inference.numbers.number_cells import SIGN_WORDS, Parts
from dlreg_core.ingest.inference.numbers.number_columns import (
    RARE,
    QuantityCells,
    StrayCounts,
    all_zero,
    bare_is_clear,
    few_strays,
    read_as,
)
from dlreg_core.ingest.inference.numbers.text_numbers import ValueCounts, marks_of, numerals
from dlreg_core.ingest.inference.numbers.unit_registry import convertible, is_currency, is_letter, magnitude, meaning
from dlreg_core.specs import NumberForm

_T = TypeVar("_T")
_MOST_UNITS = 5
_MONTHS = frozenset(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"))


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
    aside : StrayCounts
        What else there is.
    """

    numbers: pa.Array
    unit: str
    form: NumberForm
    aside: StrayCounts


@dataclass(frozen=True)
class SeveralUnits:
    """What kept numbers with units from being one column of numbers: units and their rows, most frequent first."""

    rows: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class NearNumbers:
    """What kept a column that is mostly numbers from being one: too many values that are none, and what they are."""

    aside: StrayCounts


def parse_measures(
    tally: ValueCounts, decimal: str = ".", name: str = ""
) -> Measures | SeveralUnits | NearNumbers | None:
    """Read texts as numbers with a unit, or as numbers among which few are something else.

    Parameters
    ----------
    tally : ValueCounts
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
    read = bools(plain.is_valid())
    if 2 * tally.counts[read].sum() < tally.known:
        return None
    form = _form(parts, read, mark)
    units = [unit for _, unit in parts.units(form)]
    rows = _rows_by_unit(_pick(units, read), tally.counts[read])
    bare = rows.pop("", 0)
    zeros = all_zero(parts, units, read)
    found = _one_unit(rows, 0 if zeros else bare, tally.known)
    if found is None:
        return _several(rows, bare)
    cells = read_as(tally.levels, tally.counts, found, form)
    if bare and found and not bare_is_clear(cells.aside.bare, tally.known, zeros, found, name):
        return _several({found: rows[found]}, bare)
    return _judged(cells, found, form)


def _judged(cells: QuantityCells, unit: str, form: NumberForm) -> Measures | NearNumbers | None:
    """Tell numbers from what is no column of numbers, given the unit that they all have."""
    aside = cells.aside
    if not few_strays(aside, whole=cells.like_codes):
        near = aside.strays and 2 * (aside.stray_rows + aside.alone) <= aside.known
        return NearNumbers(aside) if near else None
    around = aside.strays or aside.alone or unit or form != NumberForm(decimal=form.decimal)
    # Numbers with nothing around them, which were no numbers all the same: codes, or all in brackets.
    if not around or cells.numbers is None or cells.leading_zeros or cells.beyond(unit):
        return None
    return Measures(cells.numbers, unit, form, aside)


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
    if not rows or (bare and rest <= RARE * known):
        return ""
    unit, most = max(rows.items(), key=lambda item: item[1])
    others = [other for other in rows if other != unit]
    rare = rest - most <= RARE * known and not any(convertible(other, unit) for other in others)
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


def _pick(values: Iterable[_T], chosen: NDArray[np.bool_]) -> list[_T]:
    return [value for value, kept in zip(values, chosen.tolist(), strict=True) if kept]
