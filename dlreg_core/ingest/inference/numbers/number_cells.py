"""A cell → a number and its unit, by itself, as its column is written: ``$1,250.00``, ``8GB``, ``410,00- CR``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.numbers.text_numbers import as_numbers, in_ascii, numerals
from dlreg_core.ingest.inference.numbers.unit_registry import is_currency, is_letter, magnitude
from dlreg_core.specs import NumberForm

_SIGN = r"[€$£¥₹₩₽₺₴₪฿₫]"
_CURRENCY = rf"(?:[A-Z]{{0,3}}{_SIGN}|[A-Z]{{3}}\b|Rs\.?)"
# A word, such as kmpl, km/h, m², m2 or °C, perhaps a second one, such as sq ft; letters may not run into digits.
_WORD = r"[\p{L}µΩ°][\p{L}µΩ°²³/·*^%.\-]*[23]?"
_LONGEST_WORD = 16
"""Characters of such a word without its power. An expression that counts them takes ten times as long to be made."""
_UNIT = rf"""(?:%|‰|{_SIGN}|["″”′]|''|/\d+|{_WORD}(?: (?:{_WORD}|{_SIGN}))?)"""
_SPACE = r"\x{00a0}\x{202f}"
_DIGITS = rf"\d(?:[\d.,'’ {_SPACE}]*[\d.,])?|[.,]\d+"
_MEASURE = (
    rf"^(?P<open>\(?)(?P<sign>[+\-−]?) ?(?P<before>{_CURRENCY}?) ?(?P<minus>[+\-−]?) ?(?P<digits>{_DIGITS})"
    rf"(?P<power>(?:[eE][+-]?\d+)?)[ {_SPACE}]?(?P<after>{_UNIT}?)(?P<close>\)?)$"
)
_MINUS_BEHIND = r"^([^\d(+\-−]{0,5}\d[\d.,'’ \x{00a0}\x{202f}]*?) ?[-−]( [^\d]*)?$"
SIGN_WORDS = frozenset(("cr", "dr", "db"))
"""What bookkeepers write behind amounts instead of a sign."""
_PLAIN = NumberForm()


@dataclass(frozen=True)
class Parts:
    """Texts taken apart: a number as it is written, and what stands before and behind it; empty where there is none."""

    before: list[str]
    after: list[str]
    digits: list[str]
    """With sign and power of ten."""

    @classmethod
    def of(cls, levels: pa.StringArray, mark: str = ".") -> Parts:
        """Take texts apart; digits are empty where a text is nothing like a number."""
        levels = in_ascii(levels, mark)
        found = pc.extract_regex(pc.replace_substring_regex(levels, _MINUS_BEHIND, r"-\1\2"), _MEASURE)
        names = ("open", "close", "sign", "minus", "digits", "power")
        columns = [[text or "" for text in found.field(name).to_pylist()] for name in (*names, "before", "after")]
        before, after = ([text.strip() for text in columns[place]] for place in (6, 7))
        digits = [
            "" if any(map(_is_long, behind.split(" "))) else _signed(*cell)
            for behind, *cell in zip(after, *columns[:6], strict=True)
        ]
        return cls(before, after, digits)

    @cached_property
    def like_numbers(self) -> NDArray[np.bool_]:
        """Which texts hold something like a number."""
        return np.array([bool(text) for text in self.digits], dtype=np.bool_)

    def numbers(self, mark: str) -> pa.Array | None:
        """Return the numbers with a decimal mark, null where there is none; None if they are too long for numbers."""
        texts = pa.array([text or None for text in self.digits], pa.string())
        return as_numbers(numerals(texts, mark))

    def units(self, form: NumberForm) -> Iterator[tuple[float, str]]:
        """Yield what each number is to be multiplied by, and its unit, as a form says."""
        for before, after in zip(self.before, self.after, strict=True):
            yield _unit(before, after, form)


def _is_long(word: str) -> bool:
    return len(word.rstrip("23")) > _LONGEST_WORD and not word.startswith("/")


def _signed(opened: str, closed: str, sign: str, minus: str, digits: str, power: str) -> str:
    # Bookkeepers put negative amounts in brackets.
    if not digits or bool(opened) != bool(closed):
        return ""
    negative = (bool(opened) + sum(mark in ("-", "−") for mark in (sign, minus))) % 2
    return f"{'-' if negative else ''}{digits.strip()}{power}"


def _unit(before: str, after: str, form: NumberForm) -> tuple[float, str]:
    times = 1.0
    if form.minus and after.casefold() in SIGN_WORDS:
        times, after = (-1.0 if after.casefold() == form.minus else 1.0), ""
    word, _, rest = after.partition(" ")
    money = is_currency(before) or is_currency(rest)
    found = magnitude(word, money=money)
    # A letter alone may be a unit: that of all numbers of its column is one.
    if found is not None and (money or form.scaled or (not is_letter(word) and not rest)):
        times, after = times * found, rest
    return times, f"{before} {after}".strip()


def read_cells(levels: pa.StringArray, form: NumberForm = _PLAIN) -> list[tuple[float | None, str]]:
    """Read texts as numbers and the units beside them, each by itself.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Distinct values, trimmed and without nulls.
    form : NumberForm
        How the numbers of their column are written.

    Returns
    -------
    list of (float or None, str)
        None where a text is no number in that form; an empty unit where it has none.
    """
    if not len(levels):
        return []
    parts = Parts.of(levels, form.decimal)
    numbers = parts.numbers(form.decimal)
    values = [None] * len(levels) if numbers is None else numbers.to_pylist()
    return [
        (None if value is None else scaled(float(value), times), unit)
        for value, (times, unit) in zip(values, parts.units(form), strict=True)
    ]


def scaled(number: float, times: float) -> float:
    """Multiply a number as it is written: 2.3 million is 2300000, not the nearest to it that floats can count."""
    return number * times if abs(times) == 1 else float(f"{number * times:.15g}")


def read_measures(levels: pa.StringArray, decimal: str = ".") -> list[tuple[float | None, str]]:
    """Read texts, each by itself, as `read_cells` does: with the other decimal mark what only that one fits."""
    found = [
        read_cells(levels, NumberForm(decimal="," if mark == "," else "."))
        for mark in (decimal, "." if decimal == "," else ",")
    ]
    return [first if first[0] is not None else second for first, second in zip(*found, strict=True)]
