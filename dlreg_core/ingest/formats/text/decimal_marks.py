"""The decimal mark of a text table, told from all of its columns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import pyarrow as pa

from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.numbers.text_numbers import MISSING, unwrapped

_MOST_ROWS = 10_000
_ENOUGH = 0.95
"""Share of the different values of a column that are numbers, if it shall tell the mark."""

_BEFORE = r"[+\-−(' ]*(?:[A-Z]{0,3}[€$£¥₹₩₽₺₴₪฿₫] ?|[A-Z]{3} |Rs\.? ?)?[+\-−(]*"
_CORE = r"(?P<number>\d[\d.,]*\d|\d|[.,]\d+)"
_BEHIND = r"(?:[eE][+-]?\d+)?(?:[-−]|[ \x{00a0}\x{202f}]?[^\d.,\s][^\d.,]{0,20}[23]?)?"
_NUMBER = rf"^{_BEFORE}{_CORE}{_BEHIND}$"
_WHOLE = r"^\d+$"
_FRACTION = {
    ",": r"^(\d*|[1-9]\d{0,2}(\.\d{3})+),\d+$",
    ".": r"^(\d*|[1-9]\d{0,2}(,\d{3})+|[1-9]\d?(,\d{2})+,\d{3})\.\d+$",
}
_GROUPED = {",": r"^[1-9]\d{0,2}(\.\d{3})+$", ".": r"^([1-9]\d{0,2}(,\d{3})+|[1-9]\d?(,\d{2})+,\d{3})$"}


class _Says(Enum):
    """What a column tells of the decimal mark."""

    COMMA = ","
    POINT = "."
    EITHER = "either"
    NOTHING = "nothing"


@dataclass(frozen=True)
class DecimalMark:
    """The decimal mark of a table, and the columns that fit both marks where nothing but the delimiter settles it."""

    decimal: str
    doubtful: tuple[str, ...] = ()


def decimal_mark(table: pa.Table, delimiter: str) -> DecimalMark:
    """Return the decimal mark of a table of texts.

    Parameters
    ----------
    table : pyarrow.Table
        Texts.
    delimiter : str
        What separates its columns.

    Returns
    -------
    DecimalMark
        The one that more columns can only be read with: 84,5 and 0,306 have a decimal comma, 3.75 hasn't. Columns such
        as 385.000 tell nothing. Where as many columns tell the one as the other, it is the comma in a table whose
        columns are separated by semicolons, which stand in for commas there.
    """
    said = {name: _told(column) for name, column in zip(table.column_names, table.columns, strict=True)}
    counts = [sum(says is mark for says in said.values()) for mark in (_Says.COMMA, _Says.POINT)]
    usual = "," if delimiter == ";" else "."
    if counts[0] != counts[1]:
        return DecimalMark("," if counts[0] > counts[1] else ".")
    either = tuple(name for name, says in said.items() if says is _Says.EITHER)
    return DecimalMark(usual, either if delimiter == ";" and not counts[0] else ())


def _told(column: pa.ChunkedArray) -> _Says:
    levels = unwrapped(pc.utf8_trim_whitespace(_one(column.slice(0, _MOST_ROWS).unique())))
    known = levels.filter(pc.invert(pc.is_in(levels, value_set=pa.array(MISSING))))
    if not pc.any(pc.match_substring_regex(known, r"\d?[.,]\d"), min_count=0).as_py():
        return _Says.NOTHING
    numbers = pc.extract_regex(known, _NUMBER).field("number")
    fits = {mark: _share(numbers, (_WHOLE, _FRACTION[mark], _GROUPED[mark])) >= _ENOUGH for mark in (",", ".")}
    if fits[","] and fits["."]:
        return _Says.EITHER
    return _Says.COMMA if fits[","] else _Says.POINT if fits["."] else _Says.NOTHING


def _one(levels: pa.Array | pa.ChunkedArray) -> pa.Array:
    return levels.combine_chunks() if isinstance(levels, pa.ChunkedArray) else levels


def _share(numbers: pa.Array, patterns: tuple[str, ...]) -> float:
    found = pc.match_substring_regex(numbers, "|".join(f"(?:{pattern})" for pattern in patterns))
    return (pc.sum(found).as_py() or 0) / max(1, len(numbers))
