"""Cells of a column whose form is known → values, each cell for itself.

A whole column tells by all of its cells how it is written. Once that is known, a cell means what it means there,
whether it stands alone, among others, or beside one that can't be read. What it can't mean in that form, but plainly
means in the other one, is read so and told; what fits both is read in the form that is known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.ingest.inference.mixed_units import converted, convertible
from dlreg_core.ingest.inference.numbers.number_cells import read_cells
from dlreg_core.ingest.inference.numbers.text_numbers import MISSING, numerals
from dlreg_core.ingest.inference.times.date_cells import Moments, date_order_of, read_moments
from dlreg_core.ingest.inference.times.durations import UNIT, read_durations
from dlreg_core.specs import ColumnFormat, NumberForm

How = Literal[
    "as-known", "missing", "unreadable", "infinite", "unit", "other-unit", "converted", "other-mark", "other-order",
    "open-order",
]  # fmt: skip
"""How a cell was read: in the form that is known, in another one, or not at all."""

_INFINITE = re.compile(r"[+\-−]?inf(inity)?", re.IGNORECASE)


@dataclass(frozen=True)
class ReadCells:
    """Distinct texts as they were read.

    Attributes
    ----------
    values : ndarray of float64, datetime64[ns] or object, shape (texts,)
        NaN, NaT or None where a text is missing or can't be read.
    how : tuple of str
        How each was read.
    units : tuple of str
        The unit beside a number where it isn't that of the column; empty elsewhere.
    """

    values: NDArray[Any]
    how: tuple[How, ...]
    units: tuple[str, ...]


def read_known(texts: Sequence[str], form: ColumnFormat) -> ReadCells:
    """Read distinct texts in a form that is known.

    Parameters
    ----------
    texts : sequence of str
        Distinct cells of a column.
    form : ColumnFormat
        How the column is written that they belong to.

    Returns
    -------
    ReadCells
        In the same order. What is read of a text doesn't depend on the others.
    """
    trimmed = [text.strip() for text in texts]
    known = [place for place, text in enumerate(trimmed) if text not in _MISSING]
    read = _READERS[form.kind]([trimmed[place] for place in known], form)
    values = np.full(len(texts), _NOTHING[form.kind], dtype=read.values.dtype)
    values[known] = read.values
    how: list[How] = ["missing"] * len(texts)
    units = [""] * len(texts)
    for place, code, unit in zip(known, read.how, read.units, strict=True):
        how[place], units[place] = code, unit
    return ReadCells(values, tuple(how), tuple(units))


def fits_both(texts: Sequence[str], form: ColumnFormat) -> NDArray[np.bool_]:
    """Tell which texts mean something else with the other decimal mark, or in the other order of day and month."""
    other = form
    if form.kind == "number":
        other = form.model_copy(update={"form": _with_other_mark(form.form)})
    elif form.kind == "date" and form.day_first is not None:
        other = form.model_copy(update={"day_first": not form.day_first})
    mine, theirs = read_known(texts, form), read_known(texts, other)
    both = np.array([{a, b} <= {"as-known", "converted"} for a, b in zip(mine.how, theirs.how, strict=True)], np.bool_)
    return np.asarray(both & (mine.values != theirs.values), dtype=np.bool_)


def _texts(texts: list[str], form: ColumnFormat) -> ReadCells:  # noqa: ARG001 - one of several readers
    how: list[How] = ["as-known"] * len(texts)
    return ReadCells(np.array(texts, dtype=object), tuple(how), ("",) * len(texts))


def _numbers(texts: list[str], form: ColumnFormat) -> ReadCells:
    own = _measured(texts, form.form)
    if form.unit == UNIT:
        lengths = read_durations(pa.array(texts, pa.string())).to_pylist()
        own = [(length, UNIT) if cell[0] is None else cell for cell, length in zip(own, lengths, strict=True)]
    unfit = [text for text, (number, _) in zip(texts, own, strict=True) if number is None]
    others = dict(zip(unfit, _measured(unfit, _with_other_mark(form.form)), strict=True))
    values = np.full(len(texts), np.nan)
    how: list[How] = []
    units: list[str] = []
    for place, (text, first) in enumerate(zip(texts, own, strict=True)):
        number, unit = others.get(text, first)
        code: How = "as-known" if first[0] is not None else "other-mark"
        if number is None or not np.isfinite(number):
            code = "infinite" if _INFINITE.fullmatch(text) or number is not None else "unreadable"
        elif unit and not form.unit:
            code = "unit"
        elif unit in ("", form.unit):
            values[place] = number
        elif convertible(unit, form.unit):
            values[place] = converted(number, unit, form.unit)
            code = code if values[place] == number else "converted"
        else:
            code = "other-unit"
        how.append(code)
        units.append("" if unit == form.unit else unit)
    return ReadCells(values, tuple(how), tuple(units))


def _measured(texts: list[str], form: NumberForm) -> list[tuple[float | None, str]]:
    """Read numbers with their units; those with nothing around them, which most are, in the quickest way."""
    plain = dict(zip(texts, numerals(pa.array(texts, pa.string()), form.decimal).to_pylist(), strict=True))
    rest = [text for text in texts if plain[text] is None]
    read = dict(zip(rest, read_cells(pa.array(rest, pa.string()), form), strict=True))
    return [read[text] if text in read else (float(plain[text] or "nan"), "") for text in texts]


def _with_other_mark(form: NumberForm) -> NumberForm:
    return form.model_copy(update={"decimal": "." if form.decimal == "," else ","})


def _dates(texts: list[str], form: ColumnFormat) -> ReadCells:
    moments = np.full(len(texts), np.datetime64("NaT", "ns"), dtype="datetime64[ns]")
    how: list[How] = ["unreadable"] * len(texts)
    levels = pa.array(texts, pa.string())
    for code, found in _readings(levels, form):
        usable = found.read & ~found.far
        values = found.values.to_numpy(zero_copy_only=False)
        for place in np.flatnonzero(usable):
            if how[place] == "unreadable":
                moments[place], how[place] = values[place], code
    return ReadCells(moments, tuple(how), ("",) * len(texts))


def _readings(levels: pa.StringArray, form: ColumnFormat) -> Iterator[tuple[How, Moments]]:
    """Read texts as dates in the form that is known, and then in others that they may have instead."""
    if form.time_of_day:
        yield "as-known", read_moments(levels, None, time_of_day=True)
    order = date_order_of(form.day_first, year_first=form.year_first)
    yield "as-known", read_moments(levels, order)
    if form.day_first is not None:
        yield "other-order", read_moments(levels, date_order_of(not form.day_first))
    elif order is None:
        # The table has no date in which there is an order, so that none is known.
        yield "open-order", read_moments(levels, date_order_of(day_first=True))
        yield "open-order", read_moments(levels, date_order_of(day_first=False))


_MISSING = frozenset(MISSING)
_READERS = {"number": _numbers, "date": _dates, "text": _texts}
_NOTHING: dict[str, Any] = {"number": np.nan, "date": np.datetime64("NaT", "ns"), "text": None}
