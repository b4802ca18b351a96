"""Numbers as people write them: with units, currencies, brackets and marks of thousands."""

from __future__ import annotations

import pytest

from dlreg_core.specs import Column, ColumnType
from tests.core.ingest.inference.one_column import read_column


def read(values: list[str], decimal: str = ".", like: Column | None = None) -> tuple[Column, list[object]]:
    column, found = read_column("x", values, decimal, like)
    return column, found.to_pylist()


@pytest.mark.parametrize(
    ("values", "numbers", "unit"),
    [
        (["$1,250.00", "$900", "$ 3.5"], [1250, 900, 3.5], "$"),
        (["($1,250)", "$900"], [-1250, 900], "$"),
        (["-$5", "$-6", "$7"], [-5, -6, 7], "$"),
        (["92%", "5 %", ""], [92, 5, None], "%"),
        (["23.4 kmpl", "18 kmpl"], [23.4, 18], "kmpl"),
        (["8GB", "16 GB", "32gb"], [8, 16, 32], "GB"),
        (["1.339,69 €", "5 €"], [1339.69, 5], "€"),
        (["EUR 1,250", "EUR 3"], [1250, 3], "EUR"),
        (["−5 °C", "3.5 °C"], [-5, 3.5], "°C"),
        (["100 sq ft", "1,200 sq ft"], [100, 1200], "sq ft"),
        (["5 m2", "6.5 m2"], [5, 6.5], "m2"),
        (["5 m³/h", "6 m³/h"], [5, 6], "m³/h"),
        (["1e3 Pa", "2.5E-2 Pa"], [1000, 0.025], "Pa"),
        (["1 250 kg", "900 kg"], [1250, 900], "kg"),
    ],
)
def test_numbers_with_a_unit(values: list[str], numbers: list[float | None], unit: str) -> None:
    column, found = read(values)
    assert (column.type, column.unit, column.note) == (ColumnType.NUMBER, unit, "")
    assert found == numbers


@pytest.mark.parametrize(
    ("values", "decimal", "numbers"),
    [
        (["1,250", "1250", "3.5"], ".", [1250, 1250, 3.5]),
        (["1339,69", "5"], ".", [1339.69, 5]),
        (["0,5", "1.250"], ".", [0.5, 1250]),
        (["1.250", "2.375"], ",", [1250, 2375]),
        (["1.25", "3"], ",", [1.25, 3]),
        (["1 250,5", "3"], ".", [1250.5, 3]),
        (["1\u202f250", "1\u00a0300"], ".", [1250, 1300]),
        (["1'250.5", "12’000"], ".", [1250.5, 12000]),
        (["−5", "3"], ".", [-5, 3]),
        (["1,234,567.89"], ".", [1234567.89]),
    ],
)
def test_marks_of_a_column(values: list[str], decimal: str, numbers: list[float]) -> None:
    assert read([*values, "7"], decimal)[1] == [*numbers, 7]


@pytest.mark.parametrize(
    "values", [["1,25,00", "3"], ["12,5", "3.5"], ["12A", "7B"], ["3 Jan", "4 Feb"], ["A1", "B2"], ["1-2", "3-4"]]
)
def test_what_is_no_number_stays_text(values: list[str]) -> None:
    column, found = read(values)
    assert column.type is ColumnType.CATEGORY
    assert found == values


def test_several_units_are_told_and_left_alone() -> None:
    values = ["23.4 kmpl"] * 5 + ["17.3 km/kg"] * 2 + ["18 kmpl"]
    column, found = read(values)
    assert (column.type, column.note_code, column.unit) == (ColumnType.CATEGORY, "mixed-units", "")
    assert "kmpl (6 rows) and km/kg (2 rows)" in column.note
    assert found == values


def test_many_bare_numbers_among_units_are_several_units() -> None:
    column, _ = read(["92%", "88%", "0.92", "0.7"])
    assert column.note_code == "mixed-units"
    assert "% (2 rows) and no unit (2 rows)" in column.note


def test_a_few_bare_numbers_and_units_alone_are_told() -> None:
    column, found = read([f"{i + 0.5} bhp" for i in range(60)] + ["74", " bhp"])
    assert (column.type, column.unit, column.missing) == (ColumnType.NUMBER, "bhp", 1)
    assert column.note == "1 value is the unit alone and missing. 1 value has no unit and is taken as bhp."
    assert found[-2:] == [74, None]


def test_zeros_need_no_unit() -> None:
    column, found = read(["0", "5 km", "0.0", "7 km"])
    assert column.unit == "km"
    assert found == [0, 5, 0, 7]


def test_rows_to_predict_keep_the_kind_of_their_column() -> None:
    text = Column(name="x", type=ColumnType.CATEGORY, missing=0, distinct=2)
    assert read(["5 kg", "6 kg"], like=text)[1] == ["5 kg", "6 kg"]
    number = Column(name="x", type=ColumnType.NUMBER, missing=0, distinct=2)
    assert read(["5 kg", "6 kg"], like=number)[1] == [5, 6]
