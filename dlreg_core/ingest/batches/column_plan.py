"""What each column of a large table is read as: decided on a sample, and on what didn't fit the decision before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa

from dlreg_core.ingest.inference.column_values import plain_values, says_dates, says_durations
from dlreg_core.ingest.inference.numbers.quantity_columns import Measures, parse_measures
from dlreg_core.ingest.inference.numbers.text_numbers import ValueCounts, encode, mark_of, parse_numbers
from dlreg_core.ingest.inference.times.date_cells import DateOrder, date_order_of
from dlreg_core.ingest.inference.times.date_order import parse_dates
from dlreg_core.ingest.inference.times.durations import UNIT, parse_durations
from dlreg_core.specs import Column, ColumnType, NumberForm

_TEXT_TYPES = (ColumnType.CATEGORY, ColumnType.TEXT, ColumnType.BOOLEAN)
MOST_EVIDENCE = 50_000
"""Values of a batch that are kept to make a better plan by."""


class Misfit(Exception):  # noqa: N818 - it is how a column says that it must be read in another way
    """A batch that can't be read as planned; ``evidence`` holds its values, None where only text is left."""

    def __init__(self, evidence: pa.Array | None = None) -> None:
        super().__init__()
        self.evidence = evidence


class ReaderKind(Enum):
    """How the values of a column are read."""

    WHOLE = "whole"
    FRACTION = "fraction"
    MEASURE = "measure"
    DATE = "date"
    DURATION = "duration"
    TEXT = "text"


ARROW_TYPES = {
    ReaderKind.WHOLE: pa.int64(),
    ReaderKind.FRACTION: pa.float64(),
    ReaderKind.MEASURE: pa.float64(),
    ReaderKind.DATE: pa.timestamp("ns"),
    ReaderKind.DURATION: pa.float64(),
    ReaderKind.TEXT: pa.string(),
}


@dataclass(frozen=True)
class ColumnPlan:
    """How a column is read.

    ``form`` is how a column of numbers is written; ``day_first``, ``year_first``, ``digits`` and ``time_of_day`` are as
    `parse_dates` takes and tells them, ``said`` is the order of day and month that a person has told; ``dated`` and
    ``lasting`` whether it is known beforehand, by its name, that the column holds dates or durations; ``codes`` whether
    what looks like codes is numbers all the same; ``cells`` whether it is of a workbook, whose dates are in ISO 8601
    where they stand among texts; ``whole`` whether all numbers with a unit are whole; ``final`` is a column of text
    that is to stay that; ``sure`` is a plan that was made in view of all values, or of those that didn't fit it.
    """

    name: str
    kind: ReaderKind
    form: NumberForm = field(default_factory=NumberForm)
    unit: str = ""
    whole: bool = False
    day_first: bool | None = None
    year_first: bool = False
    said: bool | None = None
    digits: bool = False
    time_of_day: bool = False
    dated: bool = False
    lasting: bool = False
    codes: bool = False
    cells: bool = False
    final: bool = False
    sure: bool = False

    @property
    def arrow_type(self) -> pa.DataType:
        """The type of its values."""
        return pa.int64() if self.whole else ARROW_TYPES[self.kind]

    @property
    def order(self) -> DateOrder | None:
        """The order of day, month and year; None where no date needs one."""
        return date_order_of(self.day_first, year_first=self.year_first)


@dataclass(frozen=True)
class KnownColumns:
    """What is known of a table's columns before their values are looked at.

    Attributes
    ----------
    decimal : str
        Decimal mark of the file.
    day_first : bool, optional
        What a person said about dates that fit both orders.
    cells : bool
        Whether the file is a workbook.
    like : mapping of str to Column
        Profiles of columns that some are to be read like: text stays text, and dates keep their order.
    """

    decimal: str = "."
    day_first: bool | None = None
    cells: bool = False
    like: Mapping[str, Column] = field(default_factory=dict)

    def text(self, name: str, *, final: bool = False) -> ColumnPlan:
        """Return the plan of a column that is nothing but text."""
        return ColumnPlan(
            name,
            ReaderKind.TEXT,
            said=self.said(name),
            dated=self.dated(name),
            lasting=self.lasting(name),
            final=final,
        )

    def said(self, name: str) -> bool | None:
        """Return the order of day and month that is known of a column."""
        return self.like[name].day_first if name in self.like else self.day_first

    def dated(self, name: str) -> bool:
        """Tell whether a column is known to hold dates: by its name, where nothing else tells."""
        return self.like[name].type is ColumnType.DATETIME if name in self.like else says_dates(name)

    def lasting(self, name: str) -> bool:
        """Tell whether a column is known to hold durations."""
        return self.like[name].unit == UNIT if name in self.like else says_durations(name)


def plan_for(name: str, values: pa.ChunkedArray, known: KnownColumns) -> ColumnPlan:
    """Decide how to read a column by some of its values, as the whole column would be read if these were all.

    Parameters
    ----------
    name : str
        Name of the column.
    values : pyarrow.ChunkedArray
        Texts, or values of any flat type.
    known : KnownColumns
        What is known of the table.

    Raises
    ------
    TableError
        If the column holds lists, structures or bytes.
    """
    if pa.types.is_string(values.type):
        return plan_by_levels(name, encode(values).tally, known)
    kind = plain_values(name, values.slice(0, 0)).type
    if pa.types.is_timestamp(kind):
        return ColumnPlan(name, ReaderKind.DATE)
    if pa.types.is_duration(values.type):
        return ColumnPlan(name, ReaderKind.DURATION, unit=UNIT, whole=pa.types.is_integer(kind))
    # The values tell too: whole numbers beyond the range of integers become fractions.
    kind = plain_values(name, values).type
    return ColumnPlan(name, ReaderKind.WHOLE if pa.types.is_integer(kind) else ReaderKind.FRACTION)


def plan_by_levels(name: str, tally: ValueCounts, known: KnownColumns) -> ColumnPlan:
    """Decide how to read a column of texts by its distinct values."""
    levels, decimal, like = tally.levels, known.decimal, known.like.get(name)
    if like is not None and (like.type in _TEXT_TYPES or not len(levels)):
        return known.text(name, final=True)
    if not len(levels):
        # Nothing is known yet: numbers are the quickest to try.
        return ColumnPlan(name, ReaderKind.WHOLE)
    return (
        (_dates(name, levels, known, digits=True) if known.dated(name) else None)
        or _numbers(name, levels, decimal, like)
        or (_durations(name, levels, known) if like is None or like.type is not ColumnType.DATETIME else None)
        or _dates(name, levels, known)
        or _measures(name, tally, decimal)
        or known.text(name)
    )


def _numbers(name: str, levels: pa.StringArray, decimal: str, like: Column | None) -> ColumnPlan | None:
    codes = like is not None and like.type is ColumnType.NUMBER
    numbers = parse_numbers(levels, decimal, codes=codes)
    if numbers is None:
        return None
    kind = ReaderKind.WHOLE if pa.types.is_integer(numbers.type) else ReaderKind.FRACTION
    return ColumnPlan(name, kind, NumberForm(decimal="," if mark_of(levels, decimal) == "," else "."), codes=codes)


def _durations(name: str, levels: pa.StringArray, known: KnownColumns) -> ColumnPlan | None:
    lasting = known.lasting(name)
    found = parse_durations(levels, named=lasting)
    if found is None:
        return None
    return ColumnPlan(
        name, ReaderKind.DURATION, unit=UNIT, whole=pa.types.is_integer(found.seconds.type), lasting=lasting
    )


def _dates(name: str, levels: pa.StringArray, known: KnownColumns, *, digits: bool = False) -> ColumnPlan | None:
    dated, said = known.dated(name), known.said(name)
    found = parse_dates(levels, said, digits=digits, named=dated)
    if found is None:
        return None
    return ColumnPlan(
        name,
        ReaderKind.DATE,
        day_first=found.day_first,
        year_first=found.year_first,
        said=said,
        digits=dated,
        time_of_day=found.time_of_day,
        dated=dated,
        lasting=known.lasting(name),
        cells=known.cells,
    )


def _measures(name: str, tally: ValueCounts, decimal: str) -> ColumnPlan | None:
    found = parse_measures(tally, decimal, name)
    if not isinstance(found, Measures):
        return None
    return ColumnPlan(
        name, ReaderKind.MEASURE, found.form, unit=found.unit, whole=pa.types.is_integer(found.numbers.type)
    )
