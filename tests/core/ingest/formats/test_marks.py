"""The decimal mark of a file, told from all of its columns."""

from __future__ import annotations

import pytest

from dlreg_core.checks.findings import findings
from dlreg_core.ingest.datasets.dataset_files import read_dataset

GROUPED = ["12.450", "103.200", "8.775"]


def numbers(content: str) -> tuple[str, list[list[float]], tuple[str, ...]]:
    dataset, rows = read_dataset(content.encode())
    assert dataset.dialect is not None
    return dataset.dialect.decimal, [rows[name].tolist() for name in rows], dataset.dialect.doubtful


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
@pytest.mark.parametrize("grouped_columns", [1, 2, 3])
def test_a_decimal_comma_anywhere_groups_by_points_everywhere(delimiter: str, grouped_columns: int) -> None:
    names = delimiter.join(["share", *(f"g{i}" for i in range(grouped_columns))])
    lines = [
        delimiter.join([share, *[cell] * grouped_columns])
        for share, cell in zip(["84,5", "7,25", "3,0"], GROUPED, strict=True)
    ]
    mark, found, doubtful = numbers("\n".join([names, *lines]))
    assert (mark, doubtful) == (",", ())
    assert found == [[84.5, 7.25, 3.0], *[[12450, 103200, 8775]] * grouped_columns]


def test_decimal_points_elsewhere_leave_points_decimal() -> None:
    mark, found, _ = numbers("a;b\n1.5;12.450\n2.25;103.200\n3.5;8.775\n")
    assert (mark, found[1]) == (".", [12.45, 103.2, 8.775])


def test_the_semicolon_breaks_ties_and_that_is_told() -> None:
    content = "Einwohner;Haushalte\n12.450;5.980\n103.200;51.340\n8.775;4.010\n"
    mark, found, doubtful = numbers(content)
    assert (mark, found[0], doubtful) == (",", [12450, 103200, 8775], ("Einwohner", "Haushalte"))
    dataset, rows = read_dataset(content.encode())
    told = next(finding for finding in findings(dataset, rows) if finding.code == "ambiguous-decimals")
    assert told.columns == ("Einwohner", "Haushalte")
    assert "a point groups thousands" in told.text


def test_quoted_decimal_commas_in_a_file_with_commas() -> None:
    mark, found, _ = numbers('temp,density\n"12,5","1,408"\n"21,3","7,250"\n"18,0","3,019"\n')
    assert (mark, found) == (",", [[12.5, 21.3, 18.0], [1.408, 7.25, 3.019]])
    assert numbers('temp,share\n1,"0,306"\n2,"0,439"\n')[1][1] == [0.306, 0.439]


def test_thousands_in_a_file_with_commas_stay_thousands() -> None:
    mark, found, doubtful = numbers('price,rate\n"1,250",3.5\n"12,500",4.25\n')
    assert (mark, found[0], doubtful) == (".", [1250, 12500], ())
    assert numbers('price,kms\n"4,25,000","1,250"\n"95,000","2,000"\n')[1] == [[425000, 95000], [1250, 2000]]


def test_units_and_currencies_tell_the_mark_too() -> None:
    mark, found, _ = numbers("w;n\n12,5 kg;12.450\n3,25 kg;103.200\n")
    assert (mark, found) == (",", [[12.5, 3.25], [12450, 103200]])
