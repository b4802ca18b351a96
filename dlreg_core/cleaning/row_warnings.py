"""What is odd about new rows, in a sentence a column."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from dlreg_core.cleaning.conform import UnexpectedCells
from dlreg_core.specs import ColumnFormat

_MARKS = {".": "a decimal point", ",": "a decimal comma"}
_ORDERS = {True: "day/month/year", False: "month/day/year"}


def odd_words(name: str, type_name: str, seen: UnexpectedCells, form: ColumnFormat) -> str:
    """Say how rows of a column were read that aren't written as those learned from.

    Parameters
    ----------
    name : str
        Name of the column.
    type_name : str
        What the column is read as.
    seen : UnexpectedCells
        The rows.
    form : ColumnFormat
        How those learned from are written.
    """
    one = seen.rows == 1
    are, count = ("is", "counts") if one else ("are", "count")
    lost = f"{count} as missing: {_listed(seen)}."
    said = {
        "unreadable": f"can't be read as {type_name} and {lost}",
        "infinite": f"{are} not finite and {lost}",
        "unit": f"{'has' if one else 'have'} a unit, and those learned from had none: {'it' if one else 'they'} {lost}",
        "converted": f"in {seen.unit} {are} converted into {form.unit}.",
        "other-unit": f"in {seen.unit} can't be converted into {form.unit}, the unit learned from, and {lost}",
        "open-order": (
            f"{'fits' if one else 'fit'} day/month and month/day, and those learned from don't tell which is meant; "
            f"read as {_ORDERS[True]}: {_listed(seen, read=True)}."
        ),
        "other-mark": f"{are} plainly written with {_MARKS[_other_mark(form)]} and read so, {_unlike(seen, form)}",
        "other-order": f"{are} plainly {_ORDERS[not form.day_first]} and read so, {_unlike(seen, form)}",
    }
    return f"{name}: {seen.rows:,} {'value' if one else 'values'} {said[seen.how]}"


def _other_mark(form: ColumnFormat) -> str:
    return "." if form.form.decimal == "," else ","


def _unlike(seen: UnexpectedCells, form: ColumnFormat) -> str:
    """Say what is written otherwise, and how those are read that could be."""
    mine = _ORDERS[bool(form.day_first)] if seen.how == "other-order" else _MARKS[form.form.decimal]
    told = f"unlike those learned from: {_listed(seen)}."
    if not seen.doubtful:
        return told
    fit, are = ("other fits", "is") if seen.doubtful == 1 else ("others fit", "are")
    listed = ", ".join(f"{text} in row {row:,} as {_plain(value)}" for text, row, value in seen.doubtful_cells)
    return f"{told} {seen.doubtful:,} {fit} both and {are} read as {mine}, as those learned from: {listed}."


def _listed(seen: UnexpectedCells, *, read: bool = False) -> str:
    cells = [
        f"{text[:40]} in row {row:,}" + (f" as {_plain(value)}" if read else "") for text, row, value in seen.cells
    ]
    return ", ".join(cells) + (" …" if seen.rows > len(cells) else "")


def _plain(value: Any) -> str:
    if isinstance(value, np.datetime64):
        moment = pd.Timestamp(value)
        if pd.isna(moment):
            return "missing"
        return f"{moment:%Y-%m-%d}" if moment == moment.normalize() else f"{moment:%Y-%m-%d %H:%M:%S}"
    return f"{value:.15g}"
