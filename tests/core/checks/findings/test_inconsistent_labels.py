"""Labels that are written in several ways, and labels that only look alike."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from dlreg_core.checks.findings import findings
from dlreg_core.checks.findings.label_variants import same_labels
from dlreg_core.ingest.datasets.dataset_store import DatasetStore


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (["LF", "low fat", "Low Fat", "reg", "Regular"], [["LF", "low fat", "Low Fat"], ["reg", "Regular"]]),
        (["New York", "new-york", "NEW_YORK ", "Boston"], [["New York", "new-york", "NEW_YORK "]]),
        (["St. Louis", "St Louis"], [["St. Louis", "St Louis"]]),
        (["café", "CAFÉ", "cafe"], [["café", "CAFÉ"]]),
        (["M", "Male", "F", "Female"], [["M", "Male"], ["F", "Female"]]),
        (["5 doors", "5doors", "3 doors"], [["5 doors", "5doors"]]),
        (["auto", "Automatic", "Manual"], [["auto", "Automatic"]]),
    ],
)
def test_spellings_of_one_label_are_grouped(levels: list[str], expected: list[list[str]]) -> None:
    assert same_labels(levels) == expected


@pytest.mark.parametrize(
    "levels",
    [
        ["1.5", "15", "1-5"],
        ["A", "A+", "A-", "B"],
        ["C", "C++", "C#"],
        ["<5", ">5"],
        ["A", "Absent", "B"],
        ["day", "days"],
        ["male", "female"],
        ["northeast", "northwest", "southeast", "southwest"],
        ["north", "northeast", "northwest"],
        ["man", "manual", "manufactured"],
        ["LF", "low fat", "light food"],
        ["NEAR BAY", "<1H OCEAN", "INLAND", "NEAR OCEAN", "ISLAND"],
        ["Petrol", "Diesel", "CNG", "LPG"],
        ["First Owner", "Second Owner", "Third Owner", "Fourth & Above Owner", "Test Drive Car"],
        ["usa", "japan", "europe"],
        ["-", "/", "?"],
        [],
    ],
)
def test_labels_that_only_look_alike_are_left_alone(levels: list[str]) -> None:
    assert same_labels(levels) == []


def test_thousands_of_labels_are_grouped_quickly() -> None:
    levels = [f"label {i // 26} {chr(97 + i % 26)}" for i in range(20_000)]
    assert same_labels([*levels, "Label 7 c"]) == [["label 7 c", "Label 7 c"]]


def test_a_category_column_with_two_spellings_is_a_finding(tmp_path: Path) -> None:
    table = pd.DataFrame(
        {"fat": (["low fat"] * 6 + ["LF"] * 3 + ["Regular"] * 5 + ["reg"]) * 20, "x": [i * 7 % 101 for i in range(300)]}
    )
    store = DatasetStore(tmp_path)
    dataset = store.add(table.to_csv(index=False).encode(), "table.csv")
    (only,) = [f for f in findings(dataset, store.table(dataset.id)) if f.code == "inconsistent-labels"]
    assert (only.columns, only.severity) == (("fat",), "medium")
    assert '"low fat" and "LF"; "Regular" and "reg"' in only.text
    assert only.step is not None
    assert only.step.merged_labels == {"fat": {"LF": "low fat", "reg": "Regular"}}


@pytest.mark.parametrize(
    "file", ["auto_mpg.csv", "california_housing.csv", "insurance.csv", "stocks_5tickers.csv", "used_cars_cardekho.csv"]
)
def test_real_tables_with_clean_labels_have_no_such_finding(file: str, tmp_path: Path, shared_data: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(shared_data / file)
    assert "inconsistent-labels" not in {f.code for f in findings(dataset, store.table(dataset.id))}
