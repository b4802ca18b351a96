"""What stands above and beside the values of a table: names that are numbers, names of rows, units, headings."""

from __future__ import annotations

import re

import pytest

from dlreg_core.errors import TableError
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.formats.text.header_rows import find_table_start, is_header
from dlreg_core.specs import ColumnType, Dataset


def dataset_of(text: str) -> Dataset:
    return read_dataset(text.encode())[0]


def test_each_row_may_have_a_name() -> None:
    rows = "\n".join(f'"{i}"\t{40 + i / 2}\t"{"MF"[i % 2]}"' for i in range(25))
    dataset = dataset_of('"weight"\t"sex"\n' + rows)
    assert (dataset.rows, dataset.column_names) == (25, ("row name", "weight", "sex"))
    assert dataset.column("weight").type is ColumnType.NUMBER


def test_a_delimiter_may_stand_at_the_end_of_each_row() -> None:
    dataset = dataset_of("open,last\n" + "".join(f"{i}.5,{i * i}.25,\n" for i in range(20)))
    assert (dataset.rows, dataset.column_names) == (20, ("open", "last"))


def test_names_that_do_not_suffice_are_said_to_be_too_few() -> None:
    with pytest.raises(TableError, match=re.escape("The first line has 2 fields, but the rows below have 4 fields.")):
        dataset_of("a,b\n" + "1,2,3,4\n" * 5)
    # A number with an unquoted decimal comma repeats where the name of a row would not.
    with pytest.raises(TableError) as caught:
        dataset_of("price,rooms\n" + "12,5,3\n13,2,4\n12,7,2\n" * 3)
    assert "quotation marks around numbers that hold a comma" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("first", "below", "named"),
    [
        (["sample", "9.9975", "9.9917", "9.9858", "protein"], ["100", "8.8", "1.6", "5.8", "10.3"], True),
        (["id", "0.1", "0.5", "0.9"], ["7", "1.5", "2.5", "3.5"], True),
        (["5.1", "3.5", "1.4", "setosa"], ["4.9", "3.0", "1.4", "setosa"], False),
        (["5.1", "3.5", "6.4", "ERR"], ["4.9", "3.0", "1.4", "7.1"], False),
        (["1.5", "2.5", "3.5"], ["1", "2", "3"], False),
    ],
)
def test_fractions_as_names(first: list[str], below: list[str], named: bool) -> None:
    assert is_header(first, [below, below, below]) is named


def test_a_row_of_units_is_no_row_and_gives_its_units() -> None:
    rows = "".join(f"2021-03-01T{i:02d}:00:00Z,{i}.5,{i / 4}\n" for i in range(24))
    dataset = dataset_of("time,wspd,wvht\nUTC,m s-1,[m]\n" + rows)
    assert dataset.rows == 24
    assert [(c.type, c.unit) for c in dataset.columns] == [
        (ColumnType.DATETIME, ""),
        (ColumnType.NUMBER, "m s-1"),
        (ColumnType.NUMBER, "m"),
    ]
    assert dataset.dialect is not None and dataset.dialect.unit_rows == 1


def test_a_loggers_lines_of_units_and_kinds() -> None:
    above = '"TOA5","st1","CR1000","1"\n"TIMESTAMP","RECORD","T_Avg"\n"TS","RN","Deg C"\n"","","Avg"\n'
    dataset = dataset_of(above + "".join(f'"2021-03-{i:02d} 00:00:00",{i},{i / 2}\n' for i in range(1, 20)))
    assert (dataset.rows, dataset.column_names) == (19, ("TIMESTAMP", "RECORD", "T_Avg"))
    assert dataset.column("T_Avg").unit == "Deg C"


@pytest.mark.parametrize(
    "row",
    [
        # The first row of values has gaps or words, which are values of their columns.
        ["NA", "-", "x"],
        ["unknown", "3.5", "x"],
        ["unknown", "missing", "red"],
    ],
)
def test_a_first_row_of_values_stays_one(row: list[str]) -> None:
    below = [[str(i), f"{i}.5", "red"] for i in range(9)]
    assert find_table_start([["a", "b", "c"], row, *below]).body == 1


def test_names_in_two_rows_become_one() -> None:
    rows = [
        ["Plot", "Soil", "", "Yield"],
        ["", "N", "pH", "grain"],
        *([str(i), "21.3", "6.1", "3.2"] for i in range(9)),
    ]
    assert find_table_start(rows).names == ("Plot", "Soil N", "Soil pH", "Yield grain")
    dataset = dataset_of("\n".join(",".join(row) for row in rows))
    assert dataset.column_names == ("Plot", "Soil N", "Soil pH", "Yield grain")


def test_headings_above_repeated_names_tell_them_apart() -> None:
    rows = [["", "2020", "", "", "2021", ""], ["site", "N", "P", "K", "N", "P"]]
    rows += [[f"s{i}", "1.5", "2.5", "3.5", "4.5", "5.5"] for i in range(9)]
    assert find_table_start(rows).names == ("site", "2020 N", "2020 P", "2020 K", "2021 N", "2021 P")


def test_names_come_back_from_own_exports() -> None:
    assert dataset_of('\'-x,="y"\n1,2\n2,3\n').column_names == ("-x", "y")
