"""What is said about a column of dates, times or durations, each with its code for programs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from dlreg_core.arrow import bools
from dlreg_core.arrow import compute as pc
from dlreg_core.ingest.inference.numbers.text_numbers import ValueCounts
from dlreg_core.ingest.inference.times.date_cells import FIRST_YEAR, LAST_YEAR
from dlreg_core.ingest.inference.times.date_formats import NAMES
from dlreg_core.ingest.inference.times.date_order import NearDates, near_dates
from dlreg_core.ingest.inference.times.durations import near_durations
from dlreg_core.ingest.inference.times.time_of_day import BoolArray, IntArray

_LISTED = 3
_DATE_CELL = r"^\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}:\d{2})?$"
"""How a cell of a workbook that is a date stands among texts."""
_MONTHS = 12
_ONE = {"dates": "date", "times of day": "time of day", "durations": "duration"}


class DateNote(NamedTuple):
    """A sentence, its code, and the order of day and month of the dates that it is about."""

    text: str
    code: str
    day_first: bool | None = None


@dataclass
class DateForms:
    """In which ways the dates of a column are written, and how many are out of range.

    Attributes
    ----------
    rows, examples : dict
        By the name of a form, its rows and the first text in it.
    far : int
        Rows whose date is out of range.
    far_example : str
        One of them.
    """

    rows: dict[str, int] = field(default_factory=dict)
    examples: dict[str, str] = field(default_factory=dict)
    far: int = 0
    far_example: str = ""

    def add(self, levels: pa.StringArray, forms: IntArray, far: BoolArray, counts: NDArray[np.int64]) -> None:
        """Count the rows of distinct texts."""
        for form in dict.fromkeys(forms[forms >= 0].tolist()):
            places = np.flatnonzero(forms == form)
            self.add_form(NAMES[form], str(levels[int(places[0])].as_py()), int(counts[places].sum()))
        if far.any():
            self.add_far(str(levels[int(np.argmax(far))].as_py()), int(counts[far].sum()))

    def add_form(self, name: str, example: str, rows: int) -> None:
        """Count rows of one form."""
        self.rows[name] = self.rows.get(name, 0) + rows
        self.examples.setdefault(name, example)

    def add_far(self, example: str, rows: int) -> None:
        """Count rows out of range."""
        self.far += rows
        self.far_example = self.far_example or example


def dates_note(ways: DateForms, order: str = "") -> DateNote:
    """Say what is odd about dates: their order is a guess, some are out of range, they are written in several ways.

    Parameters
    ----------
    ways : DateForms
        How they are written.
    order : str
        The order that they are read in, where it is a guess: "day/month/year".
    """
    texts, codes = [], []
    if order:
        texts.append(_order_text(order))
        codes.append("ambiguous-dates")
    if ways.far:
        texts.append(_far_text(ways))
        codes.append("open-dates")
    if len(ways.rows) > 1:
        texts.append(_ways_text(ways))
        codes.append("date-forms")
    return DateNote(" ".join(texts), codes[0] if codes else "")


def order_words(day_first: bool | None) -> str:
    """Return an order of day, month and year in words."""
    return {True: "day/month/year", False: "month/day/year", None: "year/month/day"}[day_first]


def _order_text(order: str) -> str:
    return f"The dates fit day/month and month/day; they are read as {order}." if order[0] != "y" else (
        f"The dates fit several orders of day, month and year; they are read as {order}."
    )  # fmt: skip


def _far_text(ways: DateForms) -> str:
    count = "date" if ways.far == 1 else "dates"
    verb, missing = ("stands", "counts") if ways.far == 1 else ("stand", "count")
    lie = "lies" if ways.far == 1 else "lie"
    return (
        f"{ways.far:,} {count}, such as {ways.far_example}, {verb} for an open end or {lie} outside {FIRST_YEAR} to "
        f"{LAST_YEAR}, and {missing} as missing."
    )


def _ways_text(ways: DateForms) -> str:
    listed = sorted(ways.rows.items(), key=lambda item: -item[1])[:_LISTED]
    told = " and ".join(
        f"{rows:,} {'value' if rows == 1 else 'values'} such as {ways.examples[name]}" for name, rows in listed
    )
    return f"The dates are written in {len(ways.rows)} ways, {told}; each is read by its own."


@dataclass
class CellDates:
    """Dates of a workbook's column, of which some cells are dates and others texts.

    Attributes
    ----------
    cells, texts : int
        Rows of each.
    example : str
        The first text.
    early, late : bool
        Whether no cell has a day after the 12th, and all texts have one.
    """

    cells: int = 0
    texts: int = 0
    example: str = ""
    early: bool = True
    late: bool = True

    def add(self, levels: pa.StringArray, counts: NDArray[np.int64], read: pa.TimestampArray) -> None:
        """Count the rows of distinct values, given what they are read as; cells that are dates are in ISO 8601."""
        cells = bools(pc.match_substring_regex(levels, _DATE_CELL))
        days = pc.day(read).fill_null(1).to_numpy(zero_copy_only=False)
        self.cells += int(counts[cells].sum())
        self.texts += int(counts[~cells].sum())
        self.early = self.early and bool(np.all(days[cells] <= _MONTHS))
        self.late = self.late and bool(np.all(days[~cells] > _MONTHS))
        if not self.example and not cells.all():
            self.example = str(levels[int(np.argmax(~cells))].as_py())

    def note(self) -> DateNote | None:
        """Say that some cells are dates and the others texts that are dates; None where it isn't so."""
        if not self.cells or not self.texts:
            return None
        # A spreadsheet takes 03/04/2019 for a date of its own order, and leaves 14/04/2019 as text.
        exchanged = self.early and self.late
        told = (
            "None of the former has a day after the 12th and all of the latter have: a spreadsheet has taken what fits "
            "its own order for dates, so their day and month are most likely exchanged."
            if exchanged
            else "Day and month of the cells that are dates may have been exchanged by a spreadsheet."
        )
        are = "cell is a date" if self.cells == 1 else "cells are dates"
        verb = "is" if self.texts == 1 else "are"
        text = f'{self.cells:,} {are} and {self.texts:,} {verb} text such as "{self.example}", read as dates too.'
        return DateNote(f"{text} {told}", "exchanged-dates" if exchanged else "half-dates")


def durations_note(example: str, *, minutes: bool) -> DateNote:
    """Say that a column holds durations, and how one of them is read."""
    how = ", where two numbers are minutes and seconds" if minutes else ""
    such = f" such as {example}" if example else ""
    return DateNote(f"Durations{such} are read as a number of seconds{how}.", "durations")


def times_note(example: str) -> DateNote:
    """Say that times of day may be durations."""
    return DateNote(f"Values such as {example} are read as times of day, but may say how long something took.", "times")


def near_note(tally: ValueCounts, *, dated: bool, lasting: bool, day_first: bool | None) -> DateNote | None:
    """Say what keeps a column that is mostly made of dates, times or durations from being one; None where nothing does.

    Parameters
    ----------
    tally : ValueCounts
        The distinct values of a column that is read as text.
    dated, lasting : bool
        Whether its name says that it holds dates, or durations.
    day_first : bool, optional
        What a person said about the order of dates that fit both.
    """
    found = near_dates(tally, day_first, named=dated)
    if found is not None:
        return _near_dates_note(found)
    lengths = near_durations(tally, named=lasting)
    if lengths is None:
        return None
    others, example = lengths
    return DateNote(_few_text(others, tally.known, "durations", example), "not-durations")


def _near_dates_note(found: NearDates) -> DateNote:
    if found.doubtful:
        text = (
            f"Values such as {found.example} may be dates, or numbers of versions or sections; they are read as text."
        )
        return DateNote(text, "maybe-dates", found.day_first)
    if found.far:
        text = f"The dates, such as {found.example}, lie outside {FIRST_YEAR} to {LAST_YEAR}, so they are read as text."
        return DateNote(text, "far-dates", found.day_first)
    kind = "times of day" if found.time_of_day else "dates"
    code = "not-times" if found.time_of_day else "not-dates"
    order = f" ({order_words(found.day_first)})" if found.day_first is not None else ""
    return DateNote(_few_text(found.others, found.known, kind, found.example, order), code, found.day_first)


def _few_text(others: int, known: int, kind: str, example: str, order: str = "") -> str:
    are = f"values is no {_ONE[kind]}" if others == 1 else f"values are no {kind}"
    return f'{others:,} of {known:,} {are}{order}, such as "{example}", so the column is read as text.'
