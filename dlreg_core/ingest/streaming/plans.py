"""What each column of a large table is read as: decided on a sample, and on what didn't fit the decision before."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa

from dlreg_core.ingest.columns import plain_values, says_dates, says_durations
from dlreg_core.ingest.dates import parse_dates
from dlreg_core.ingest.durations import UNIT, parse_durations
from dlreg_core.ingest.moments import Order, order_of
from dlreg_core.ingest.units import Measures, parse_measures
from dlreg_core.ingest.values import Tally, encode, mark_of, parse_numbers
from dlreg_core.specs import NumberForm

MOST_EVIDENCE = 50_000
"""Values of a batch that are kept to make a better plan by."""


class Misfit(Exception):  # noqa: N818 - it is how a column says that it must be read in another way
    """A batch that can't be read as planned; ``evidence`` holds its values, None where only text is left."""

    def __init__(self, evidence: pa.Array | None = None) -> None:
        super().__init__()
        self.evidence = evidence


class Kind(Enum):
    """How the values of a column are read."""

    WHOLE = "whole"
    FRACTION = "fraction"
    MEASURE = "measure"
    DATE = "date"
    DURATION = "duration"
    TEXT = "text"


ARROW_TYPES = {
    Kind.WHOLE: pa.int64(),
    Kind.FRACTION: pa.float64(),
    Kind.MEASURE: pa.float64(),
    Kind.DATE: pa.timestamp("ns"),
    Kind.DURATION: pa.float64(),
    Kind.TEXT: pa.string(),
}


@dataclass(frozen=True)
class Plan:
    """How a column is read.

    ``form`` is how a column of numbers is written; ``day_first``, ``year_first``, ``digits`` and ``time_of_day`` are as
    `parse_dates` takes and tells them, ``said`` is the order of day and month that a person has told; ``whole`` whether
    all numbers with a unit are whole; ``final`` is a column of text that was tried as something else.
    """

    name: str
    kind: Kind
    form: NumberForm = field(default_factory=NumberForm)
    unit: str = ""
    whole: bool = False
    day_first: bool | None = None
    year_first: bool = False
    said: bool | None = None
    digits: bool = False
    time_of_day: bool = False
    final: bool = False

    @property
    def arrow_type(self) -> pa.DataType:
        """The type of its values."""
        return pa.int64() if self.whole else ARROW_TYPES[self.kind]

    @property
    def order(self) -> Order | None:
        """The order of day, month and year; None where no date needs one."""
        return order_of(self.day_first, year_first=self.year_first)

    @property
    def dated(self) -> bool:
        """Whether the column's name says that it holds dates."""
        return says_dates(self.name)

    @property
    def lasting(self) -> bool:
        """Whether the column's name says that it holds durations."""
        return says_durations(self.name)


def plan_for(name: str, values: pa.ChunkedArray, decimal: str, day_first: bool | None) -> Plan:
    """Decide how to read a column by some of its values, as the whole column would be read if these were all.

    Parameters
    ----------
    name : str
        Name of the column.
    values : pyarrow.ChunkedArray
        Texts, or values of a Parquet file.
    decimal : str
        Decimal mark of the file.
    day_first : bool, optional
        What a person said about dates that fit both orders.
    """
    if pa.types.is_string(values.type):
        return plan_by_levels(name, encode(values).tally, decimal, day_first)
    kind = plain_values(name, values.slice(0, 0)).type
    if pa.types.is_timestamp(kind):
        return Plan(name, Kind.DATE)
    if pa.types.is_duration(values.type):
        return Plan(name, Kind.DURATION, unit=UNIT, whole=pa.types.is_integer(kind))
    # The values tell too: whole numbers beyond the range of integers become fractions.
    kind = plain_values(name, values).type
    return Plan(name, Kind.WHOLE if pa.types.is_integer(kind) else Kind.FRACTION)


def plan_by_levels(name: str, tally: Tally, decimal: str, day_first: bool | None) -> Plan:
    """Decide how to read a column of texts by its distinct values."""
    levels = tally.levels
    if not len(levels):
        # Nothing is known yet: numbers are the quickest to try.
        return Plan(name, Kind.WHOLE)
    dated = says_dates(name)
    dates = parse_dates(levels, day_first, digits=True, named=True) if dated else None
    numbers = parse_numbers(levels, decimal) if dates is None else None
    if numbers is not None:
        kind = Kind.WHOLE if pa.types.is_integer(numbers.type) else Kind.FRACTION
        return Plan(name, kind, NumberForm(decimal="," if mark_of(levels, decimal) == "," else "."))
    durations = parse_durations(levels, named=says_durations(name)) if dates is None else None
    if durations is not None:
        return Plan(name, Kind.DURATION, unit=UNIT, whole=pa.types.is_integer(durations.seconds.type))
    dates = dates or parse_dates(levels, day_first, named=dated)
    if dates is not None:
        return Plan(
            name,
            Kind.DATE,
            day_first=dates.day_first,
            year_first=dates.year_first,
            said=day_first,
            digits=dated,
            time_of_day=dates.time_of_day,
        )
    measures = parse_measures(tally, decimal, name)
    if isinstance(measures, Measures):
        whole = pa.types.is_integer(measures.numbers.type)
        return Plan(name, Kind.MEASURE, measures.form, unit=measures.unit, whole=whole)
    return Plan(name, Kind.TEXT, said=day_first)
