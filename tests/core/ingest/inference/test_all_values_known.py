"""What a column of a table in memory is: nothing that was seen when it was planned makes it a text afterwards."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from dlreg_core.ingest.batches.typed_table import TypedTable
from dlreg_core.ingest.formats.raw_table import read_table
from dlreg_core.specs import ColumnType
from tests.core.ingest.inference.one_column import read_column

NUMBERS = [str(at * 7 % 90) for at in range(200)]
DAYS = [f"2020-01-{day:02d}" for day in range(1, 31)]


@pytest.mark.parametrize("odd", ["12B", "7K", "3M", "3 B"])
def test_a_number_with_a_letter_is_one_stray(odd: str) -> None:
    column, _ = read_column("x", [*NUMBERS, odd])
    assert (column.type, column.note_code, column.missing) == (ColumnType.NUMBER, "not-numbers", 1)


@pytest.mark.parametrize("odd", ["5 CR", "5 DR"])
def test_a_bookkeepers_word_among_weights_is_one_stray(odd: str) -> None:
    column, _ = read_column("x", [*(f"{number} kg" for number in NUMBERS), odd])
    assert (column.type, column.unit, column.missing) == (ColumnType.NUMBER, "kg", 1)


def test_one_number_with_leading_zeros_is_a_constant() -> None:
    column, _ = read_column("x", ["007"] * 100 + ["unknown"] * 3)
    assert (column.type, column.missing) == (ColumnType.CONSTANT, 3)


@pytest.mark.parametrize("far", ["31/12/9999", "31.12.9999", "01/01/1753", "1/1/0001"])
def test_an_open_end_in_another_form_is_missing(far: str) -> None:
    column, _ = read_column("x", [*DAYS, far])
    assert (column.type, column.note_code, column.missing) == (ColumnType.DATETIME, "open-dates", 1)


@pytest.mark.parametrize("times", [["4:35", "1:02:03"], ["4:35", "5:10"], ["14:35:10", "5:10:11"]])
@pytest.mark.parametrize("name", ["date", "day_duration", "date_lap"])
def test_times_in_a_column_of_dates_are_times_of_day(name: str, times: list[str]) -> None:
    column, _ = read_column(name, times)
    assert (column.type, column.time_of_day) == (ColumnType.DATETIME, True)


def test_numbers_with_a_unit_that_are_not_finite_are_told() -> None:
    column, _ = read_column("x", [*(f"{number} kg" for number in NUMBERS), "1e400 kg"])
    assert column.type is ColumnType.NUMBER
    assert column.missing == 1
    assert "not finite" in column.note


def test_whole_numbers_at_the_end_of_their_range_are_no_outliers() -> None:
    assert read_column("x", ["9223372036854775807", "-9223372036854775808", "5"])[0].outliers == 0
    hashes = pa.array(9 * 10**18 + np.arange(50) ** 2 * 10**12)
    assert read_column("x", hashes)[0].outliers == 0


def test_a_unit_alone_beside_a_number() -> None:
    assert read_column("x", ["5 kg", "kg"])[0].type is ColumnType.CATEGORY


def test_more_texts_than_a_large_file_counts_are_counted() -> None:
    column, _ = read_column("x", [f"{at} {'kg' if at % 2 else 'lb'}" for at in range(150_000)])
    assert (column.type, column.note_code, column.distinct) == (ColumnType.TEXT, "mixed-units", 150_000)


def test_whole_thousands_behind_other_batches() -> None:
    column, values = read_column("x", ["1.0", "2.0"] * 40_000 + ["2K", "3M"])
    assert column.type is ColumnType.NUMBER
    assert values.to_pylist()[-2:] == [2000, 3_000_000]


def test_a_table_in_many_small_pieces_is_read() -> None:
    many = pa.chunked_array([pa.array([at % 9], pa.int64()) for at in range(3000)])
    raw = read_table(b"a,b\n1,2\n3,4\n")
    table = pa.table({"a": many, "b": many})
    typed = TypedTable(type(raw)(table, raw.dialect))
    assert typed.table.num_rows == 3000
    assert typed.duplicates == typed.duplicates == 2991
