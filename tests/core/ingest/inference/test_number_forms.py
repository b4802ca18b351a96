"""Columns of numbers as people and programs write them, whole and cell by cell."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dlreg_core.ingest.inference.numbers.number_cells import read_cells
from dlreg_core.specs import Column, ColumnType, NumberForm
from tests.core.ingest.inference.one_column import read_column


def read(values: Sequence[str], decimal: str = ".", name: str = "x") -> tuple[Column, list[object]]:
    column, found = read_column(name, values, decimal)
    return column, found.to_pylist()


@pytest.mark.parametrize(
    ("values", "decimal", "numbers"),
    [
        (["4,25,000", "95,000", "1,25,00,000"], ".", [425000, 95000, 12500000]),
        (["1.234,56", "410,00-", "15,75 -"], ",", [1234.56, -410, -15.75]),
        (["(1,250)", "900"], ".", [-1250, 900]),
        (["0,306", "1,234"], ".", [0.306, 1.234]),
        (["۴۰", "۴۱٫۵", "۱٬۰۰۰"], ".", [40, 41.5, 1000]),
        (["१२", "३"], ".", [12, 3]),
        (['="6.7"', '="54.3"'], ".", [6.7, 54.3]),
        (["'-5", "'+3", "7"], ".", [-5, 3, 7]),
        (['15.6"', '14"', "13.3''"], ".", [15.6, 14, 13.3]),
        (["4.1/5", "3/5", "NEW", *["2.5/5"] * 20], ".", [4.1, 3, None, *[2.5] * 20]),
        (["€1.2M", "€600K", "€2.3M"], ".", [1200000, 600000, 2300000]),
        (["19M", "14k", "950"], ".", [19000000, 14000, 950]),
        (["2.5 million USD", "300 thousand USD"], ".", [2500000, 300000]),
        (["5 kg", "6 kgs", "7 KG"], ".", [5, 6, 7]),
        (["\\N", "81", "82"], ".", [None, 81, 82]),
    ],
)
def test_ways_of_writing_numbers(values: list[str], decimal: str, numbers: list[float | None]) -> None:
    column, found = read(values, decimal)
    assert column.type is ColumnType.NUMBER
    assert found == numbers


def test_codes_in_quoted_cells_keep_their_zeros() -> None:
    column, found = read([f'="{i:06d}"' for i in range(30)])
    assert column.type is ColumnType.IDENTIFIER
    assert found[:2] == ["000000", "000001"]


def test_all_in_brackets_is_no_minus() -> None:
    assert read(["(1)", "(2)"])[0].type is ColumnType.CATEGORY


@pytest.mark.parametrize(
    ("values", "numbers", "said"),
    [
        (["5.00 CR", "7.00", "2.50 CR"], [-5, 7, -2.5], "Amounts with CR are read as negative."),
        (["5.00 Cr", "7.00 Dr"], [-5, 7], "Amounts with CR are read as negative."),
        (["5.00 DB", "7.00"], [-5, 7], "Amounts with DB are read as negative."),
        (["5.00 CR", "7.00 CR"], [5, 7], ""),
    ],
)
def test_words_for_a_sign(values: list[str], numbers: list[float], said: str) -> None:
    column, found = read(values)
    assert (found, column.note) == (numbers, said)


@pytest.mark.parametrize(
    ("values", "unit"), [([f"R${i},437" for i in range(1, 9)] * 12, "R$"), ([f"{i} kms" for i in range(90)], "kms")]
)
def test_few_words_among_numbers_are_missing_and_told(values: list[str], unit: str) -> None:
    column, found = read([*values, "included", "Petrol", "included"])
    rows = len(values) + 3
    assert (column.type, column.unit, column.missing) == (ColumnType.NUMBER, unit, 3)
    assert column.note_code == "not-numbers"
    told = f'3 of {rows} values are no numbers: "included" (2 times) and "Petrol", and count as missing.'
    assert column.note == told
    assert found[-3:] == [None] * 3


def test_one_row_in_twenty_may_hold_a_word() -> None:
    assert read([*map(str, range(95)), *["none"] * 5])[0].type is ColumnType.NUMBER
    column, _ = read([*map(str, range(94)), *["none"] * 6])
    assert (column.type, column.note_code) == (ColumnType.TEXT, "not-numbers")
    assert column.note == '6 of 100 values are no numbers: "none" (6 times), so the column is read as text.'


@pytest.mark.parametrize(
    ("values", "kind", "why"),
    [
        # Levels and codes with digits are no slips of the pen.
        ([*(str(i % 4) for i in range(97)), "3+", "3+", "3+"], ColumnType.CATEGORY, "not-numbers"),
        ([*(str(536365 + i) for i in range(999)), "C536379"], ColumnType.IDENTIFIER, "identifier"),
        ([*(f"{i:05d}" for i in range(300, 399)), "unknown"], ColumnType.TEXT, "leading-zeros"),
        (["3 Jan", "4 Feb"], ColumnType.CATEGORY, ""),
        (["1/2", "3/4", "1/4"], ColumnType.CATEGORY, ""),
        (["31/5", "1/5", "2/5"], ColumnType.CATEGORY, ""),
        (["12A", "7B", "9"], ColumnType.CATEGORY, ""),
    ],
)
def test_what_is_no_column_of_numbers(values: list[str], kind: ColumnType, why: str) -> None:
    column, _ = read(values)
    assert (column.type, column.note_code) == (kind, why)


def test_a_rare_value_with_digits_makes_no_text_of_many_numbers() -> None:
    column, found = read([*(f"{i / 4}" for i in range(500)), "12-14"])
    assert (column.type, found[-1]) == (ColumnType.NUMBER, None)
    assert '1 of 501 values is no number: "12-14"' in column.note


@pytest.mark.parametrize(("small", "large"), [("mW", "MW"), ("mPa", "MPa"), ("mHz", "MHz"), ("mg", "Mg"), ("Mb", "MB")])
def test_units_whose_case_means_something_are_two(small: str, large: str) -> None:
    column, _ = read([f"{i} {small if i % 3 else large}" for i in range(30)])
    assert column.note_code == "mixed-units"
    assert f"{small} (20 rows) and {large} (10 rows)" in column.note


@pytest.mark.parametrize("spellings", [("8GB", "16 gb"), ("5 mhz", "6 MHZ"), ("3 hours", "2 hrs"), ("1 km", "2 KMS")])
def test_units_whose_case_means_nothing_are_one(spellings: tuple[str, str]) -> None:
    assert read(spellings)[0].type is ColumnType.NUMBER


def test_a_name_tells_the_unit_of_bare_numbers() -> None:
    values = [f"${i * i}" if i % 2 else str(i * i) for i in range(1, 31)]
    column, found = read(values, name="Price ($)")
    assert (column.type, column.unit, found[:3]) == (ColumnType.NUMBER, "$", [1, 4, 9])
    assert column.note == "15 values have no unit and are taken as $."
    assert read(values, name="price")[0].note_code == "mixed-units"


_WRITTEN = st.sampled_from(
    ["12", "-3.5", "1,250", "4,25,000", "(7)", "8-", "$5", "6 kg", "3 lb", "n/k", "5 CR", "2.5/5", "x", "", "7,5"]
)


@settings(max_examples=25)
@given(st.lists(_WRITTEN, min_size=1, max_size=12), st.sampled_from([".", ","]), st.booleans())
def test_every_cell_is_read_by_itself(texts: list[str], decimal: str, signed: bool) -> None:
    form = NumberForm(decimal="," if decimal == "," else ".", minus="cr" if signed else "")
    together = read_cells(pa.array(texts, pa.string()), form)
    assert together == [read_cells(pa.array([text], pa.string()), form)[0] for text in texts]
