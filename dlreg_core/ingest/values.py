"""Text of a column → its distinct values, and those → numbers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.ingest.arrow import compute as pc

MISSING = (
    *("", "NA", "N/A", "n/a", "na", "n.a.", "N.A.", "<NA>", "NaN", "nan", "NAN", "-nan", "-NaN", "NaT", "null", "NULL"),
    *("Null", "None", "?", "-", "--", "---", "–", "—", ".", "..", "...", "#N/A", "#N/A N/A", "#NA"),
    *("#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
)
"""What stands for a missing value in a text table, when it is all that a cell holds."""

_GROUPING = r" '’\x{00a0}\x{202f}"
"""What else groups digits: spaces and apostrophes."""
_NUMBER = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_INFINITE = r"(?i)^[+-]?inf(inity)?$"


@dataclass(frozen=True)
class Tally:
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
    def tally(self) -> Tally:
        """How often each level occurs."""
        counts = np.bincount(self.codes.drop_null().to_numpy(), minlength=len(self.levels))
        return Tally(self.levels, counts.astype(np.int64), len(self.codes))


def encode(raw: pa.ChunkedArray) -> Coded:
    """Split a text column into distinct values, trimmed and without what stands for missing, and their codes."""
    found = raw.dictionary_encode().combine_chunks()
    if isinstance(found, pa.ChunkedArray):
        found = found.chunk(0) if found.num_chunks else pa.array([], pa.string()).dictionary_encode()
    trimmed = pc.utf8_trim_whitespace(found.dictionary.cast(pa.string()))
    missing = pc.is_in(trimmed, value_set=pa.array(MISSING))
    known = pc.if_else(missing, pa.scalar(None, pa.string()), trimmed)
    merged = known.dictionary_encode()
    return Coded(merged.dictionary, merged.indices.take(found.indices))


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
    plain = _plain_numbers(levels, _marks(decimal) if other_mark else (decimal,))
    if plain is None or (not codes and are_codes(plain)):
        return None
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
    levels = pc.replace_substring(levels, "−", "-")
    return next((mark for mark in _marks(decimal) if _with_mark(levels, mark) is not None), decimal)


def _marks(decimal: str) -> tuple[str, str]:
    return (decimal, "." if decimal == "," else ",")


def _plain_numbers(levels: pa.StringArray, marks: tuple[str, ...]) -> pa.StringArray | None:
    """Return the texts as Python writes numbers."""
    levels = pc.replace_substring(levels, "−", "-")
    for mark in marks:
        plain = _with_mark(levels, mark)
        if plain is not None:
            return plain
    return None


def _with_mark(levels: pa.StringArray, mark: str) -> pa.StringArray | None:
    m, group = re.escape(mark), rf"[{'.' if mark == ',' else ','}{_GROUPING}]"
    grouped = pc.match_substring_regex(levels, rf"^[+-]?\d{{1,3}}({group}\d{{3}})+({m}\d*)?$")
    ungrouped = pc.replace_substring_regex(levels, group, "")
    plain = pc.replace_substring(pc.if_else(grouped, ungrouped, levels), mark, ".")
    one_mark = pc.invert(pc.match_substring(levels, "." if mark == "," else ","))
    fits = pc.and_(pc.or_(grouped, one_mark), number_like(plain))
    return plain if pc.all(fits, min_count=0).as_py() else None


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
