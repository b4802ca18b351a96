from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dlreg_core.checks.findings import Finding, findings
from dlreg_core.checks.findings.row_sample import correlations
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.datasets.sample_tables import SAMPLES, sample_path


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


def test_a_number_that_no_model_can_compute_with_is_told(tmp_path: Path) -> None:
    table = plain()
    table.loc[7, "x"] = 1e40
    only = next(finding for finding in found_in(tmp_path, table) if finding.code == "too-large")
    assert only.columns == ("x",)
    assert only.text == (
        "1 value is beyond ±3.4e+38, such as 1e+40: too large for models to compute with, so that it counts as missing."
    )


def test_codes_for_missing_values_are_found_together(tmp_path: Path) -> None:
    table = plain().assign(z=lambda t: t["x"] * 50)
    table.loc[::20, ["x", "z"]] = -999.0
    first, second = found_in(tmp_path, table)
    assert (first.columns, first.code, first.severity) == (("x", "z"), "disguised-missing", "high")
    assert first.text.startswith("−999 is frequent")
    assert first.step is not None
    assert first.step.missing_codes == {"x": (-999.0,), "z": (-999.0,)}
    assert (second.columns, second.code, second.severity) == (("x", "z"), "correlated", "low")


def test_gaps_and_repeated_rows_come_before_useless_columns_and_rare_levels(tmp_path: Path) -> None:
    table = plain(200).assign(same="a", place=["ash"] * 150 + ["oak"] * 47 + ["elm"] * 3)
    table.loc[0, "x"] = np.nan
    table = pd.concat([table, table.iloc[[5, 6]]])
    found = found_in(tmp_path, table)
    assert [(f.columns, f.serious, f.code) for f in found] == [
        (("x",), True, "missing"),
        ((), True, "duplicates"),
        (("same",), False, "constant"),
        (("place",), False, "rare-levels"),
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


def test_columns_on_a_line_are_told_as_one_group(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    table = plain().assign(a=lambda t: 9 - t["x"] + rng.normal(0, 0.1, len(t)), b=lambda t: 2 * t["y"] + 1)
    table.loc[:99, "a"] = np.nan
    groups = {f.columns: f.text for f in found_in(tmp_path, table) if f.code == "correlated"}
    assert set(groups) == {("x", "a"), ("y", "b")}
    r = abs(table["x"].corr(table["a"]))
    assert groups[("x", "a")].endswith(f"{np.floor(r * 1000) / 1000:g} or more.")
    assert groups[("y", "b")].endswith("is 1.")


def test_correlations_are_those_of_pandas_where_values_are_missing() -> None:
    rng = np.random.default_rng(5)
    numbers = rng.normal(size=(300, 4)) @ rng.normal(size=(4, 4)) + 1e6
    assert correlations(numbers) == pytest.approx(pd.DataFrame(numbers).corr().to_numpy(), abs=1e-9)
    numbers[rng.random(numbers.shape) < 0.3] = np.nan
    assert correlations(numbers) == pytest.approx(pd.DataFrame(numbers).corr().to_numpy(), abs=1e-9)
    numbers[20:, 0] = np.nan
    assert correlations(numbers)[0].tolist() == [0, 0, 0, 0]


def test_an_unknown_target_is_an_error(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(plain().to_csv(index=False).encode(), "table.csv")
    with pytest.raises(KeyError):
        findings(dataset, store.table(dataset.id), "z")


def test_text_as_the_target_is_no_error(tmp_path: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(plain().assign(z=["a", "b"] * 500).to_csv(index=False).encode(), "table.csv")
    assert findings(dataset, store.table(dataset.id), "z") == ()
