"""Text of a column → its distinct values, and those → numbers."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import compute as pc

MISSING = (
    *("", "NA", "N/A", "n/a", "na", "n.a.", "N.A.", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN", "NaT", "null", "NULL"),
    *("Null", "None", "\\N", "?", "-", "--", "---", "–", "—", ".", "..", "...", "#N/A", "#N/A N/A", "#NA"),
    *("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""What stands for a missing value in a text table, when it is all that a cell holds."""

_GROUPING = r" '’\x{00a0}\x{202f}"
"""What else groups digits: spaces and apostrophes."""
_ARABIC_DECIMAL, _ARABIC_GROUP = "٫", "٬"
_WRAPPED = r'(?s)^="(.*)"$'
_GUARDED = r"(?s)^'([=+\-@].*|\d[\d.,]*)$"
_BRACKETED = r"^\( ?(\d[^()]*)\)$"
_MINUS_BEHIND = rf"^(\d[\d.,{_GROUPING}]*?) ?-$"
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_INFINITE = r"(?i)^[+-]?inf(inity)?$"


@dataclass(frozen=True)
class ValueCounts:
    """The distinct values of a text column, in how many rows each stands, and how many rows there are in all."""

    levels: pa.StringArray
    counts: NDArray[np.int64]
    rows: int

    @property
    def known(self) -> int:
        """Rows that have a value."""
        return int(self.counts.sum())


@dataclass(frozen=True)
class Coded:
    """A text column as its distinct values and, for each row, which of them it holds (null where it is missing)."""

    levels: pa.StringArray
    codes: pa.Int32Array

    def spread(self, values: pa.Array) -> pa.Array:
        """Turn one value a level into one value a row."""
        return values.take(self.codes)

    @cached_property
    def tally(self) -> ValueCounts:
        """How often each level occurs."""
        counts = np.bincount(self.codes.drop_null().to_numpy(), minlength=len(self.levels))
        return ValueCounts(self.levels, counts.astype(np.int64), len(self.codes))


def encode(raw: pa.ChunkedArray) -> Coded:
    """Split a text column into distinct values, trimmed and without what stands for missing, and their codes."""
    found = raw.dictionary_encode().combine_chunks()
    if isinstance(found, pa.ChunkedArray):
        found = found.chunk(0) if found.num_chunks else pa.array([], pa.string()).dictionary_encode()
    trimmed = unwrapped(pc.utf8_trim_whitespace(found.dictionary.cast(pa.string())))
    missing = pc.is_in(trimmed, value_set=pa.array(MISSING))
    known = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    merged = known.dictionary_encode()
    return Coded(merged.dictionary, merged.indices.take(found.indices))


def unwrapped(texts: pa.StringArray) -> pa.StringArray:
    """Return texts without what only keeps a spreadsheet from changing or running them: ``="0012"``, ``'-5``."""
    if not pc.any(pc.match_substring_regex(texts, "^[=']"), min_count=0).as_py():
        return texts
    inner = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, _WRAPPED, r"\1"))
    return pc.replace_substring_regex(inner, _GUARDED, r"\1")


def all_match(levels: pa.StringArray, pattern: str) -> bool:
    """Tell whether every level matches `pattern`."""
    return bool(pc.all(pc.match_substring_regex(levels, pattern), min_count=0).as_py())


def parse_numbers(
    levels: pa.StringArray, decimal: str = ".", *, codes: bool = False, other_mark: bool = True
) -> pa.Array | None:
    """Read distinct texts as numbers.

    Parameters
    ----------
    levels : pyarrow.StringArray
        Distinct values.
    decimal : str
        Decimal mark of the file; the other mark may group thousands.
    codes : bool
        Whether values that look like codes are read as numbers too.
    other_mark : bool
        Whether a column may use the other decimal mark than its file.

    Returns
    -------
    pyarrow.Array or None
        ``int64`` where all are whole and fit, else ``float64`` with infinite values as null; None where some value is
        no number, or where the values are codes: with leading zeros and of one length, or longer than an integer.
    """
    plain = _plain_numbers(levels, marks_of(decimal) if other_mark else (decimal,))
    if plain is None or (not codes and are_codes(plain)):
        return None
    if all_match(levels, _BRACKETED):
        # Brackets stand for a minus only where some numbers have none.
        return None
    return as_numbers(plain)


def as_numbers(plain: pa.StringArray) -> pa.Array | None:
    """Return plain numerals, or nulls, as ``int64`` where all are whole, else as ``float64``; None if none can be."""
    if all_match(plain, r"^[+-]?\d+$"):
        return _cast_whole(plain)
    numbers = plain.cast(pa.float64())
    return pc.if_else(pc.is_finite(numbers), numbers, pa.scalar(None, pa.float64()))


def number_like(levels: pa.StringArray) -> pa.BooleanArray:
    """Tell of each distinct text whether it is a plain number with either decimal mark."""
    text = pc.replace_substring(levels, ",", ".")
    return pc.or_(pc.match_substring_regex(text, _NUMBER), pc.match_substring_regex(text, _INFINITE))


def mark_of(levels: pa.StringArray, decimal: str) -> str:
    """Return the decimal mark that a column of numbers is read with: the file's, unless only the other one fits."""
    return next((mark for mark in marks_of(decimal) if not numerals(levels, mark).null_count), decimal)


def marks_of(decimal: str) -> tuple[str, str]:
    """Return the decimal marks that a column may have, that of its file first."""
    return (decimal, "." if decimal == "," else ",")


def _plain_numbers(levels: pa.StringArray, marks: tuple[str, ...]) -> pa.StringArray | None:
    """Return the texts as Python writes numbers."""
    for mark in marks:
        plain = numerals(levels, mark)
        if not plain.null_count:
            return plain
    return None


def numerals(levels: pa.StringArray, mark: str) -> pa.StringArray:
    """Return each text, by itself, as Python writes numbers; null where it is no number with that decimal mark.

    Notes
    -----
    Digits are grouped by threes, or above the thousands by twos as in India (4,25,000); a group of digits follows a
    number that doesn't begin with 0, so that 0,306 is no 306. A minus may stand behind, or be a pair of brackets.
    Digits of Arabic, Persian and other scripts count as what they are.
    """
    other = "." if mark == "," else ","
    levels = _plain_signs(in_ascii(levels, mark))
    m, group = re.escape(mark), rf"[{other}{_GROUPING}]"
    threes = rf"[1-9]\d{{0,2}}({group}\d{{3}})+"
    twos = rf"[1-9]\d?({re.escape(other)}\d{{2}})+{re.escape(other)}\d{{3}}"
    grouped = pc.match_substring_regex(levels, rf"^[+-]?({threes}|{twos})({m}\d*)?$")
    ungrouped = pc.replace_substring_regex(levels, group, "")
    plain = pc.replace_substring(pc.if_else(grouped, ungrouped, levels), mark, ".")
    one_mark = pc.invert(pc.match_substring(levels, other))
    fits = pc.and_(pc.or_(grouped, one_mark), number_like(plain))
    return pc.if_else(fits, plain, pa.scalar(None, pa.string()))


def _plain_signs(levels: pa.StringArray) -> pa.StringArray:
    """Return texts with the minus of negative numbers in front: also where it stands behind, or is in brackets."""
    levels = pc.replace_substring(levels, "−", "-")
    if pc.any(pc.match_substring_regex(levels, r"^\(|-$"), min_count=0).as_py():
        levels = pc.replace_substring_regex(levels, _BRACKETED, r"-\1")
        levels = pc.replace_substring_regex(levels, _MINUS_BEHIND, r"-\1")
    return levels


def in_ascii(levels: pa.StringArray, mark: str) -> pa.StringArray:
    """Return texts with the digits of all scripts, and the marks of Arabic, as those of Latin."""
    if not pc.any(pc.match_substring_regex(levels, r"[^\x00-\x7F]"), min_count=0).as_py():
        return levels
    found = [None if text is None else _in_ascii(text, mark) for text in levels.to_pylist()]
    return pa.array(found, pa.string())


def _in_ascii(text: str, mark: str) -> str:
    if text.isascii():
        return text
    text = text.replace(_ARABIC_DECIMAL, mark).replace(_ARABIC_GROUP, "." if mark == "," else ",")
    # Signs such as ² are digits, but none of a number.
    return "".join(str(unicodedata.digit(sign)) if sign.isdecimal() else sign for sign in text)


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
