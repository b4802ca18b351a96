"""Types and profiles of columns."""

from __future__ import annotations

import math
import uuid
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest

from dlreg_core.specs import Column, ColumnType
from tests.core.ingest.inference.one_column import read_column


def described(values: Sequence[object], name: str = "x") -> Column:
    kind = None if values and not isinstance(values[0], str) else pa.string()
    return read_column(name, pa.array(values, kind))[0]


CASES: list[tuple[str, Sequence[object], ColumnType]] = [
    ("x", ["1", "2", "", "3.5"], ColumnType.NUMBER),
    ("x", ["1e3", "+5", "-.5"], ColumnType.NUMBER),
    ("x", ["0", "1", "0"], ColumnType.NUMBER),
    ("x", ["yes", "no", "", "yes"], ColumnType.BOOLEAN),
    ("x", ["True", "False"], ColumnType.BOOLEAN),
    ("x", [True, False, None], ColumnType.BOOLEAN),
    ("x", ["yes", "no", "maybe"], ColumnType.CATEGORY),
    ("x", ["2024-01-02", "2024-12-31"], ColumnType.DATETIME),
    ("x", ["2024-01-02T03:04:05Z", "2024-01-02 03:04"], ColumnType.DATETIME),
    ("x", ["31/12/2024", "01/02/2024"], ColumnType.DATETIME),
    ("x", ["12/31/2024 11:30 PM", "01/02/2024 12:00 AM"], ColumnType.DATETIME),
    ("x", ["31/12/2024", "12/31/2024"], ColumnType.CATEGORY),
    ("x", ["30/02/2024", "01/02/2024"], ColumnType.CATEGORY),
    ("x", ["02139", "10001"], ColumnType.CATEGORY),
    ("x", ["NA", "", "?"], ColumnType.CONSTANT),
    ("x", ["5", "5.0", ""], ColumnType.CONSTANT),
    ("x", [f"{i}" for i in range(100, 130)], ColumnType.IDENTIFIER),
    ("x", [f"{i}" for i in range(20)], ColumnType.NUMBER),
    ("year", [f"{i}" for i in range(1990, 2020)], ColumnType.NUMBER),
    ("x", [f"{i * i}" for i in range(30)], ColumnType.NUMBER),
    ("customer_id", [f"{i * i}" for i in range(30)], ColumnType.IDENTIFIER),
    ("PassengerId", [f"{i * i}" for i in range(30)], ColumnType.IDENTIFIER),
    ("paid", [f"{i * i}" for i in range(30)], ColumnType.NUMBER),
    ("id", [f"{i + 0.5}" for i in range(30)], ColumnType.NUMBER),
    ("x", [f"{math.sin(i):.9f}" for i in range(1, 60)], ColumnType.NUMBER),
    ("x", [str(uuid.UUID(int=i * 7919)) for i in range(30)], ColumnType.IDENTIFIER),
    ("x", [f"A-{i:04d}" for i in range(30)], ColumnType.IDENTIFIER),
    ("x", [f"{10**25 + i}" for i in range(30)], ColumnType.IDENTIFIER),
    ("x", [f"a sentence about item {i}" for i in range(30)], ColumnType.TEXT),
    ("x", [f"level {i % 50}" for i in range(200)], ColumnType.CATEGORY),
    ("x", [f"level {i % 51}" for i in range(200)], ColumnType.TEXT),
    ("x", [f"level {i % 90}" for i in range(2000)], ColumnType.CATEGORY),
]


@pytest.mark.parametrize(("name", "values", "kind"), CASES)
def test_types(name: str, values: Sequence[object], kind: ColumnType) -> None:
    column = described(values, name)
    assert column.type is kind
    if kind in (ColumnType.IDENTIFIER, ColumnType.CONSTANT):
        assert column.note.endswith(".")


def test_number_profile_against_numpy() -> None:
    numbers = np.random.default_rng(0).normal(size=1000).round(3)
    column = described([*map(str, numbers), "", "inf"])
    assert column.missing == 2 and "not finite" in column.note
    assert column.distinct == len(set(numbers))
    assert (column.minimum, column.maximum) == (numbers.min(), numbers.max())
    assert column.mean == pytest.approx(numbers.mean()) and column.median == pytest.approx(np.median(numbers))
    assert not column.integer
    counts, edges = np.histogram(numbers, bins=20)
    assert column.histogram is not None
    assert column.histogram.counts == tuple(counts) and column.histogram.edges == pytest.approx(edges)


def test_whole_numbers_written_with_a_point() -> None:
    assert described(["1.0", "2.0", "2.0"]).integer


def test_extreme_numbers_have_no_histogram() -> None:
    column = described(["1.7e308", "-1.7e308", "1.6e308"])
    assert column.type is ColumnType.NUMBER and column.histogram is None
    assert Column.model_validate_json(column.model_dump_json()) == column
    tiny = described(["1", "1.0000000000000002"])
    assert tiny.histogram is None


def test_levels_are_the_most_frequent_first() -> None:
    column = described(["b", "a", "b", "c", "b", "a", ""])
    assert [(level.value, level.count) for level in column.levels] == [("b", 3), ("a", 2), ("c", 1)]
    assert (column.distinct, column.missing) == (3, 1)
    assert len(described([f"l{i}" for i in range(30)] * 3).levels) == 20


@pytest.mark.parametrize(
    ("values", "low", "high", "day_first"),
    [
        (["2024-01-02", "2023-12-31"], "2023-12-31T00:00:00", "2024-01-02T00:00:00", None),
        (["2024-01-02T03:04:05Z", "2024-01-02T03:04:05+02:00"], "2024-01-02T01:04:05", "2024-01-02T03:04:05", None),
        (["2024-01-02T00:00:00-0530", "2024-01-02T00:00:00"], "2024-01-02T00:00:00", "2024-01-02T05:30:00", None),
        (["2024-01-02 03:04:05.25", "2024-01-02 03:04"], "2024-01-02T03:04:00", "2024-01-02T03:04:05.250000", None),
        (["31/12/2024", "01/02/2024"], "2024-02-01T00:00:00", "2024-12-31T00:00:00", True),
        (["12/31/2024", "01/02/2024"], "2024-01-02T00:00:00", "2024-12-31T00:00:00", False),
        (["1.2.2024 12:30 AM", "31.12.2024 1:00 pm"], "2024-02-01T00:30:00", "2024-12-31T13:00:00", True),
    ],
)
def test_dates(values: list[str], low: str, high: str, day_first: bool | None) -> None:
    column = described(values)
    assert (column.minimum, column.maximum, column.day_first) == (low, high, day_first)
    assert not column.note


def test_dates_that_fit_both_orders_say_so() -> None:
    column = described(["03/04/2024", "05/06/2024"])
    assert column.day_first is True and "day/month/year" in column.note
    assert described(["04/04/2024", "05/05/2024"]).note == ""


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (["1", "2", "3", "ERR"], '1 of 4 values is no number: "ERR"'),
        (["23.4 kmpl", "18.9 kmpl", "20 km/kg"], "several units, kmpl (2 rows) and km/kg (1 row)"),
        (["02139", "10001"], "leading zeros"),
    ],
)
def test_notes_say_what_keeps_a_column_from_being_numbers(values: list[str], said: str) -> None:
    assert said in described(values).note


def test_typed_columns_of_parquet() -> None:
    assert described([1.5, float("nan"), float("inf"), 2.0]).missing == 2
    assert described([None, None]).type is ColumnType.CONSTANT
    assert read_column("x", pa.array(["a", "b", "a"]).dictionary_encode())[0].type is ColumnType.CATEGORY
    assert read_column("x", pa.array([2**63 + 1, 5], pa.uint64()))[1].type == pa.float64()
    zoned = pa.array([0, 10**6], pa.timestamp("us", "Europe/Paris"))
    assert read_column("x", zoned)[0].maximum == "1970-01-01T00:00:01"


@pytest.mark.parametrize(
    "values",
    [np.tile(np.arange(18, 66), 5), np.tile(np.arange(0, 97, 4), 5), np.tile(np.arange(1, 32) / 10, 5), np.arange(7)],
)
def test_evenly_spread_values_have_no_false_peaks(values: np.ndarray) -> None:
    found = described([str(value) for value in values])
    assert found.histogram is not None
    counts, edges = found.histogram.counts, np.array(found.histogram.edges)
    assert sum(counts) == len(values)
    # All bins hold as much, but for a last one that is not full.
    assert len(set(counts[:-1])) == 1 and counts[-1] <= counts[0]
    assert len(counts) <= 20 and np.diff(edges) == pytest.approx(edges[1] - edges[0])
