from __future__ import annotations

from pathlib import Path

import pandas as pd

from dlreg_core.ingest import DatasetStore
from dlreg_core.prepare.advice import few_rows_warning, group_columns, split_advice, time_columns
from dlreg_core.specs import Dataset, RowCounts


def stored(tmp_path: Path, **columns: list) -> Dataset:
    table = pd.DataFrame({"size": [i * 7 % 31 + 0.5 for i in range(100)], **columns})
    return DatasetStore(tmp_path).add(table.to_csv(index=False).encode(), "t.csv")


def test_without_dates_and_identifiers_a_random_split_is_honest(tmp_path: Path) -> None:
    dataset = stored(tmp_path, price=[i * 13 % 41 + 0.25 for i in range(100)], place=["a", "b", "c", "d"] * 25)
    advice = split_advice(dataset, "price")
    assert (advice.kind, advice.column) == ("random", None)
    assert time_columns(dataset, "price") == ("size",)
    assert group_columns(dataset, "price") == ("place",)


def test_a_date_asks_for_a_split_by_time(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=100).strftime("%Y-%m-%d").tolist()
    dataset = stored(tmp_path, day=days, shop_id=[i % 10 for i in range(100)])
    advice = split_advice(dataset, "size")
    assert (advice.kind, advice.column) == ("time", "day")
    assert time_columns(dataset, "size")[0] == "day"


def test_a_repeating_identifier_asks_for_a_split_by_group(tmp_path: Path) -> None:
    dataset = stored(tmp_path, level=[i % 4 for i in range(100)], patientId=[i % 20 for i in range(100)])
    advice = split_advice(dataset, "size")
    assert (advice.kind, advice.column) == ("group", "patientId")
    assert "about 5 rows" in advice.sentence
    assert group_columns(dataset, "size") == ("patientId", "level")


def test_columns_with_gaps_are_not_offered(tmp_path: Path) -> None:
    dataset = stored(tmp_path, shop=[None, *(f"s{i % 5}" for i in range(99))], n=[None, *range(5, 104)])
    assert group_columns(dataset, "size") == ()
    assert time_columns(dataset, "size") == ()


def test_a_handful_of_rows_judges_nothing() -> None:
    assert few_rows_warning(RowCounts(train=700, validation=150, test=150)) == ""
    assert few_rows_warning(RowCounts(train=292, validation=103, test=3)).startswith("Only 3 rows would judge")
    assert few_rows_warning(RowCounts(train=292, validation=1, test=103)).startswith("Only 1 row would choose")
