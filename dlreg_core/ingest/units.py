"""Numbers with something around them: ``$1,250.00``, ``92%``, ``23.4 kmpl``, ``8GB``, ``(1,250)``."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.ingest.arrow import compute as pc
from dlreg_core.ingest.values import Tally, parse_numbers

_CURRENCY = r"(?:[A-Z]{0,3}[€$£¥₹₩₽₺₴₪฿₫]|[A-Z]{3}\b)"
# A word, such as kmpl, km/h, m², m2 or °C, perhaps a second one, such as sq ft; letters may not run into digits.
_WORD = r"[\p{L}µΩ°][\p{L}µΩ°²³/·*^%.\-]{0,15}[23]?"
_UNIT = rf"(?:%|‰|[€$£¥₹₩₽₺₴₪฿₫]|{_WORD}(?: {_WORD})?)"
_DIGITS = r"\d[\d.,'’ \x{00a0}\x{202f}]*|[.,]\d+"
_MEASURE = (
    rf"^(?P<open>\(?)(?P<sign>[+\-−]?) ?(?P<before>{_CURRENCY}?) ?(?P<minus>[+\-−]?) ?(?P<digits>{_DIGITS})"
    rf"(?P<power>(?:[eE][+-]?\d+)?) ?(?P<after>{_UNIT}?)(?P<close>\)?)$"
)
_MOST_UNITS = 5
_MONTHS = frozenset(("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"))
_FEW = 0.05
"""Share of the rows that may lack the unit that the others have."""


@dataclass(frozen=True)
class Measures:
    """A text column whose values are numbers with a unit.

    Attributes
    ----------
    numbers : pyarrow.Array
        One a level; null where a level is the unit alone.
    unit : str
        As it is written most often.
    bare, alone : int
        Rows that have no unit, and rows that have nothing but the unit.
    """

    numbers: pa.Array
    unit: str
    bare: int
    alone: int


@dataclass(frozen=True)
class SeveralUnits:
    """What kept numbers with units from being one column of numbers: units and their rows, most frequent first."""

    rows: tuple[tuple[str, int], ...]


def parse_measures(tally: Tally, decimal: str = ".") -> Measures | SeveralUnits | None:
    """Read texts as numbers with a unit.

    Parameters
    ----------
    tally : Tally
        The distinct values of the column.
    decimal : str
        Decimal mark of the file.

    Returns
    -------
    Measures, SeveralUnits or None
        Numbers where all rows have the same unit (a few may lack it), units and their rows where there are some few,
        and None where the values are something else.
    """
    levels, counts = tally.levels, tally.counts
    parts = pc.extract_regex(levels, _MEASURE)
    read = _bools(pc.is_valid(parts))
    units = [_key(b, a) for b, a in zip(_texts(parts, "before"), _texts(parts, "after"), strict=True)]
    alone = counts[~read].sum()
    if not any(units) or alone > _FEW * counts.sum():
        return None
    rows = _rows_by_unit([unit for unit, good in zip(units, read, strict=True) if good], counts[read])
    bare = rows.pop("", 0)
    # What is no number must be a unit alone; any other word is a category among numbers.
    if not {level.casefold() for level in levels.filter(pa.array(~read)).to_pylist()} <= {u.casefold() for u in rows}:
        return None
    if len(rows) > 1 or (bare > _FEW * counts.sum() and not _all_zero(parts, units)):
        return _several(rows, bare)
    numbers = _numbers(parts.filter(pa.array(read)), decimal)
    if numbers is None:
        return None
    places = pa.array(np.cumsum(read) - 1, pa.int64(), mask=~read)
    return Measures(numbers.take(places), next(iter(rows)), bare, int(alone))


def _several(rows: dict[str, int], bare: int) -> SeveralUnits | None:
    """Tell several units from words that only follow a number, such as months or the letters of house numbers."""
    letters = all(len(unit) == 1 and unit.isalpha() for unit in rows)
    if len(rows) > _MOST_UNITS or letters or all(unit[:3].lower() in _MONTHS for unit in rows):
        return None
    listed = sorted(rows.items(), key=lambda item: -item[1])
    return SeveralUnits((*listed, *((("no unit", bare),) if bare else ())))


def _key(before: str, after: str) -> str:
    return f"{before.strip()} {after.strip()}".strip()


def _rows_by_unit(units: list[str], counts: NDArray[np.int64]) -> dict[str, int]:
    """Count the rows of each unit; units that differ in their case alone are one, written as it is most often."""
    spellings: dict[str, dict[str, int]] = {}
    for unit, count in zip(units, counts.tolist(), strict=True):
        seen = spellings.setdefault(unit.casefold(), {})
        seen[unit] = seen.get(unit, 0) + count
    return {max(seen, key=lambda unit: seen[unit]): sum(seen.values()) for seen in spellings.values()}


def _all_zero(parts: pa.StructArray, units: list[str]) -> bool:
    """Tell whether the values without a unit are zero, which is the same in every unit."""
    digits = _texts(parts, "digits")
    return all(set(text) <= set("0., ") for text, unit in zip(digits, units, strict=True) if text and not unit)


def _numbers(parts: pa.StructArray, decimal: str) -> pa.Array | None:
    signs = zip(*(_texts(parts, name) for name in ("open", "close", "sign", "minus")), strict=True)
    texts = []
    for (opened, closed, *marks), digits, power in zip(
        signs, _texts(parts, "digits"), _texts(parts, "power"), strict=True
    ):
        # Bookkeepers put negative amounts in brackets.
        if bool(opened) != bool(closed):
            return None
        negative = (bool(opened) + sum(mark in ("-", "−") for mark in marks)) % 2
        texts.append(f"{'-' if negative else ''}{digits.strip()}{power}")
    return parse_numbers(pa.array(texts, pa.string()), decimal, codes=True)


def _texts(parts: pa.StructArray, name: str) -> list[str]:
    return [text or "" for text in parts.field(name).to_pylist()]


def _bools(values: pa.BooleanArray) -> NDArray[np.bool_]:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.bool_)
