from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from dlreg_core.ingest import SAMPLES, DatasetStore, sample_path
from dlreg_core.ingest.findings import Finding, findings


def found_in(tmp_path: Path, table: pd.DataFrame) -> tuple[Finding, ...]:
    store = DatasetStore(tmp_path)
    dataset = store.add(table.to_csv(index=False).encode(), "table.csv")
    return findings(dataset, store.table(dataset.id))


def plain(rows: int = 1000) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame({"x": rng.uniform(5, 15, rows).round(3), "y": rng.normal(0, 1, rows)})


def test_nothing_is_found_where_nothing_is_odd(tmp_path: Path) -> None:
    assert found_in(tmp_path, plain()) == ()


def test_a_capped_column_is_found(tmp_path: Path) -> None:
    table = plain()
    table["x"] = table["x"].clip(upper=13)
    (only,) = found_in(tmp_path, table)
    assert only.columns == ("x",)
    assert "share the highest value, 13" in only.text


def test_codes_for_missing_values_are_found_together(tmp_path: Path) -> None:
    table = plain().assign(z=lambda t: t["x"] * 50)
    table.loc[::20, ["x", "z"]] = -999.0
    (only,) = found_in(tmp_path, table)
    assert only.columns == ("x", "z")
    assert only.text.startswith("−999 is frequent")


def test_gaps_and_repeated_rows_come_before_useless_columns_and_rare_levels(tmp_path: Path) -> None:
    table = plain(200).assign(same="a", place=["ash"] * 150 + ["oak"] * 47 + ["elm"] * 3)
    table.loc[0, "x"] = np.nan
    table = pd.concat([table, table.iloc[[5, 6]]])
    found = found_in(tmp_path, table)
    assert [(f.columns, f.serious) for f in found] == [
        (("x",), True),
        ((), True),
        (("same",), False),
        (("place",), False),
    ]
    assert found[0].text == "1 value is missing (0.5 %)."
    assert found[1].text.startswith("2 rows repeat")
    assert "elm (3)" in found[3].text


def test_many_columns_with_gaps_are_told_in_one_line(tmp_path: Path) -> None:
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(100, 6)), columns=list("abcdef"))
    for count, name in enumerate("abcde", start=1):
        table.loc[: count - 1, name] = np.nan
    (only,) = found_in(tmp_path, table)
    assert only.title == "e, d, c and 2 more"
    assert only.text == "values are missing, up to 5 (5 %)."


def test_the_housing_sample_shows_its_quirks(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(sample_path(SAMPLES[0]))
    texts = {f.title: f.text for f in findings(dataset, store.table(dataset.id))}
    assert "965 rows" in texts["median_house_value"]
    assert "207" in texts["total_bedrooms"]
    assert "ISLAND (5)" in texts["ocean_proximity"]


def test_a_real_code_for_missing_values_is_found(tmp_path: Path, shared_data: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(shared_data / "air_quality_uci.csv")
    first = findings(dataset, store.table(dataset.id))[0]
    assert first.text.startswith("−200")
    assert len(first.columns) == 13
