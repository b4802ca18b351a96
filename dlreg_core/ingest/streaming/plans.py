"""What each column of a large table is read as: decided on a sample, and on what didn't fit the decision before."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import pyarrow as pa

from dlreg_core.ingest.columns import DATE_WORDS, plain_values
from dlreg_core.ingest.dates import parse_dates
from dlreg_core.ingest.judging import words
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
    TEXT = "text"


ARROW_TYPES = {
    Kind.WHOLE: pa.int64(),
    Kind.FRACTION: pa.float64(),
    Kind.MEASURE: pa.float64(),
    Kind.DATE: pa.timestamp("ns"),
    Kind.TEXT: pa.string(),
}


@dataclass(frozen=True)
class Plan:
    """How a column is read.

    ``form`` is how a column of numbers is written; ``day_first``, ``digits`` and ``time_of_day`` are as
    `parse_dates` takes and tells them, ``said`` whether a person has told the order of day and month; ``whole`` whether
    all numbers with a unit are whole; ``final`` is a column of text that was tried as something else.
    """

    name: str
    kind: Kind
    form: NumberForm = field(default_factory=NumberForm)
    unit: str = ""
    whole: bool = False
    day_first: bool | None = None
    said: bool = False
    digits: bool = False
    time_of_day: bool = False
    final: bool = False

    @property
    def arrow_type(self) -> pa.DataType:
        """The type of its values."""
        return pa.int64() if self.whole else ARROW_TYPES[self.kind]


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
    # The values tell too: whole numbers beyond the range of integers become fractions.
    kind = plain_values(name, values).type
    return Plan(name, Kind.WHOLE if pa.types.is_integer(kind) else Kind.FRACTION)


def plan_by_levels(name: str, tally: Tally, decimal: str, day_first: bool | None) -> Plan:
    """Decide how to read a column of texts by its distinct values."""
    levels = tally.levels
    if not len(levels):
        # Nothing is known yet: numbers are the quickest to try.
        return Plan(name, Kind.WHOLE)
    digits = bool(words(name) & DATE_WORDS)
    dates = parse_dates(levels, day_first, digits=True) if digits else None
    numbers = parse_numbers(levels, decimal) if dates is None else None
    if numbers is not None:
        kind = Kind.WHOLE if pa.types.is_integer(numbers.type) else Kind.FRACTION
        return Plan(name, kind, NumberForm(decimal="," if mark_of(levels, decimal) == "," else "."))
    dates = dates or parse_dates(levels, day_first)
    if dates is not None:
        said = day_first is not None
        return Plan(name, Kind.DATE, day_first=dates.day_first, said=said, digits=digits, time_of_day=dates.time_of_day)
    measures = parse_measures(tally, decimal, name)
    if isinstance(measures, Measures):
        whole = pa.types.is_integer(measures.numbers.type)
        return Plan(name, Kind.MEASURE, measures.form, unit=measures.unit, whole=whole)
    return Plan(name, Kind.TEXT)
