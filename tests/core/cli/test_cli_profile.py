"""The command `dlreg profile`: what a file holds, how it was read, and what to look at."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from dlreg_core.cli.application import app
from dlreg_core.errors import NotFoundError, TableError
from tests.core.ingest.formats.test_formats import workbook

UCI = ("concrete", "energy", "power", "wine", "yacht")


@pytest.fixture(autouse=True)
def wide_terminal(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")


def call(*arguments: str) -> str:
    found = CliRunner().invoke(app, ["profile", *arguments], catch_exceptions=False)
    assert found.exit_code == 0
    return found.stdout


def profile(path: Path, *arguments: str) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(call(str(path), "--json", *arguments))
    return answer


def codes(answer: dict[str, Any], code: str) -> list[list[str]]:
    return [issue["columns"] for issue in answer["issues"] if issue["code"] == code]


def test_a_file_is_told_in_one_object(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "cars.csv"
    lines = [f"{i};{1000 + 7 * i} CC;{i % 28 + 1:02d}/03/2024;{i},5" for i in range(60)]
    file.write_text("Cars of 2024\n\nid;engine;sold;price\n" + "\n".join(lines))
    answer = profile(file)
    assert answer["rows"] == 60
    assert answer["dialect"] == {
        "file": "CSV",
        "delimiter": ";",
        "encoding": "utf-8",
        "decimal": ",",
        "header_row": 2,
        "sheet": None,
    }
    columns = {column["name"]: column for column in answer["columns"]}
    assert [column["type"] for column in answer["columns"]] == ["identifier", "number", "datetime", "number"]
    assert columns["engine"]["unit"] == "CC"
    assert (columns["engine"]["min"], columns["engine"]["max"]) == (1000, 1413)
    assert columns["sold"]["min"] == "2024-03-01T00:00:00"
    assert codes(answer, "identifier") == [["id"]]
    assert all(set(i) == {"code", "severity", "columns", "message", "repair"} for i in answer["issues"])
    # Nothing is kept of a file that was only looked at.
    assert not home.exists()


def test_a_sheet_can_be_chosen(tmp_path: Path) -> None:
    file = tmp_path / "book.xlsx"
    file.write_bytes(workbook(One=[["a", "b"], [1, 2]], Two=[["c", "d"], [3, 4], [5, 6]]))
    answer = profile(file, "--sheet", "Two")
    assert (answer["rows"], answer["dialect"]["sheet"]) == (2, "Two")
    assert [column["name"] for column in answer["columns"]] == ["c", "d"]


def test_people_get_a_table_and_sentences(tmp_path: Path) -> None:
    file = tmp_path / "heat.csv"
    file.write_text("heat,[b]x[/b]\n" + "".join(f"{-200 if i % 9 == 0 else i + 0.5},{i % 4}\n" for i in range(200)))
    told = call(str(file))
    assert "heat.csv: 200 rows × 2 columns" in told
    assert "Read as: commas, UTF-8" in told
    assert "[b]x[/b]" in told
    assert "high   heat: −200 is frequent and far from all other values" in told


@pytest.mark.parametrize(
    ("name", "target", "leaks"),
    [
        ("bike_sharing_hour.csv", "cnt", {"casual", "registered"}),
        ("stocks_5tickers.csv", "Close", {"Open", "High", "Low"}),
        *((f"uci/{name}/data.csv", "", set()) for name in UCI),
        ("california_housing.csv", "median_house_value", set()),
        ("used_cars_cardekho.csv", "selling_price", set()),
    ],
)
def test_leaks_of_real_files(shared_data: Path, name: str, target: str, leaks: set[str]) -> None:
    file = shared_data / name
    target = target or file.read_text().split("\n", 1)[0].strip().split(",")[-1].strip('"')
    answer = profile(file, "--target", target)
    assert {column for columns in codes(answer, "target-leak") for column in columns} == leaks
    assert all(issue["severity"] == "high" for issue in answer["issues"] if issue["code"] == "target-leak")


def test_what_is_odd_about_real_files(shared_data: Path) -> None:
    air = profile(shared_data / "air_quality_uci.csv")
    assert (air["dialect"]["delimiter"], air["dialect"]["decimal"]) == (";", ",")
    (coded,) = codes(air, "disguised-missing")
    assert len(coded) == 13
    assert codes(air, "time-order") == [["Date"]]
    cars = profile(shared_data / "used_cars_cardekho.csv", "--target", "selling_price")
    assert codes(cars, "mixed-units") == [["mileage"]]
    assert codes(cars, "skewed-target") == [["selling_price"]]
    assert {c["name"]: c["unit"] for c in cars["columns"] if c["unit"]} == {"engine": "CC", "max_power": "bhp"}
    houses = profile(shared_data / "california_housing.csv", "--target", "median_house_value")
    assert codes(houses, "capped-target") == [["median_house_value"]]


@pytest.mark.parametrize(
    ("content", "arguments", "kind", "said"),
    [
        ("a,b\n1,2\n", ("--target", "c"), NotFoundError, "has no column c"),
        ("", (), TableError, "The file is empty"),
        ("a,b\n1,2,3\n", (), TableError, "Line 2 has 3 fields"),
    ],
)
def test_what_can_not_be_done_is_said(
    tmp_path: Path, content: str, arguments: tuple[str, ...], kind: type[Exception], said: str
) -> None:
    file = tmp_path / "t.csv"
    file.write_text(content)
    found = CliRunner().invoke(app, ["profile", str(file), *arguments])
    assert isinstance(found.exception, kind)
    assert said in str(found.exception)


def test_the_order_of_dates_that_fit_both_can_be_said(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("sold,price\n03/04/2024,1\n05/06/2024,2\n07/08/2024,4\n")
    guessed = profile(file)
    assert codes(guessed, "ambiguous-dates") == [["sold"]]
    assert guessed["columns"][0]["min"] == "2024-04-03T00:00:00"
    said = profile(file, "--month-first")
    assert said["columns"][0]["min"] == "2024-03-04T00:00:00"
    assert codes(said, "ambiguous-dates") == []
    assert profile(file, "--day-first")["columns"][0]["max"] == "2024-08-07T00:00:00"
