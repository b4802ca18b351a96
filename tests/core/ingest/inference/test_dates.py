"""Dates, moments and times of day as people write them."""

from __future__ import annotations

from datetime import datetime

import pyarrow as pa
import pytest

from dlreg_core.specs import ColumnType
from tests.core.ingest.inference.one_column import read_column


def read(values: list[str], name: str = "x") -> tuple[ColumnType, list[object]]:
    column, found = read_column(name, values)
    return column.type, (found.cast(pa.timestamp("us")) if pa.types.is_timestamp(found.type) else found).to_pylist()


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("20141013T000000", datetime(2014, 10, 13)),
        ("20141013T143000Z", datetime(2014, 10, 13, 14, 30)),
        ("13 Oct 2014", datetime(2014, 10, 13)),
        ("13-OCT-14", datetime(2014, 10, 13)),
        ("13 October 2014 14:30", datetime(2014, 10, 13, 14, 30)),
        ("Mon, 13 Oct 2014 14:30:05 GMT", datetime(2014, 10, 13, 14, 30, 5)),
        ("Oct 13, 2014", datetime(2014, 10, 13)),
        ("October 13th, 2014", datetime(2014, 10, 13)),
        ("Sept. 3, 2014 2:30 p.m.", datetime(2014, 9, 3, 14, 30)),
        ("13/10/69", datetime(1969, 10, 13)),
        ("13/10/14", datetime(2014, 10, 13)),
        ("13/10/2014, 14:30", datetime(2014, 10, 13, 14, 30)),
        ("2014/10/13 14:30:05.25", datetime(2014, 10, 13, 14, 30, 5, 250_000)),
    ],
)
def test_ways_to_write_a_moment(written: str, moment: datetime) -> None:
    assert read([written, "", written.replace("3", "2", 1)])[1][0] == moment


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("18.00.00", datetime(1970, 1, 1, 18)),
        ("6:30", datetime(1970, 1, 1, 6, 30)),
        ("06:30:15", datetime(1970, 1, 1, 6, 30, 15)),
        ("6:30 PM", datetime(1970, 1, 1, 18, 30)),
        ("12:05 am", datetime(1970, 1, 1, 0, 5)),
    ],
)
def test_times_of_day(written: str, moment: datetime) -> None:
    column, values = read_column("x", [written, written.replace("0", "1", 1)])
    assert (column.type, column.time_of_day) == (ColumnType.DATETIME, True)
    assert values.cast(pa.timestamp("us")).to_pylist()[0] == moment


@pytest.mark.parametrize(
    "values",
    [["25.00.00", "18.00.00"], ["1.2.3", "1.10.4"], ["31 Feb 2014", "1 Mar 2014"], ["3 Foo 2014", "4 Bar 2014"]],
)
def test_what_is_no_date_stays_text(values: list[str]) -> None:
    assert read(values) == (ColumnType.CATEGORY, values)


def test_eight_digits_are_a_date_where_the_name_says_so() -> None:
    values = ["20141013", "20150228", "20141013"]
    assert read(values, "sale_date")[1][:2] == [datetime(2014, 10, 13), datetime(2015, 2, 28)]
    assert read(values, "amount") == (ColumnType.NUMBER, [20141013, 20150228, 20141013])
    assert read(["20141341", "20150228"], "date")[0] is ColumnType.NUMBER
