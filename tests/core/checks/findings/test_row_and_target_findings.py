"""What rows have to do with each other, and what is odd about a target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import skew

from dlreg_core.checks.findings import Finding, findings
from dlreg_core.cleaning import fit_target_transform
from dlreg_core.formatting import number, percent
from dlreg_core.ingest.datasets.dataset_store import DatasetStore

ROWS = 300


def found_in(tmp_path: Path, table: pd.DataFrame, code: str, target: str | None = "y") -> list[Finding]:
    store = DatasetStore(tmp_path)
    dataset = store.add(table.to_csv(index=False).encode(), "table.csv")
    return [f for f in findings(dataset, store.table(dataset.id), target) if f.code == code]


def plain() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(rng.normal(size=(ROWS, 4)), columns=["a", "b", "c", "y"])


def test_rows_that_differ_by_next_to_nothing_are_counted(tmp_path: Path) -> None:
    table = plain()
    again = table.iloc[:12].copy()
    again[["a", "b", "c"]] *= 1 + 1e-9
    table = pd.concat([table, again], ignore_index=True)
    # Counted in another way: the largest difference of each two rows, in standard deviations.
    features = (table[["a", "b", "c"]] / table[["a", "b", "c"]].std()).to_numpy()
    gaps = np.abs(features[:, None] - features[None]).max(axis=2)
    expected = int((np.tril(gaps < 1e-5, -1)).any(axis=1).sum())
    (only,) = found_in(tmp_path, table, "near-duplicates")
    assert only.text == f"{expected} rows are all but equal to an earlier row (4 %)."
    assert only.repair.startswith("Keep one of each")
    assert len(found_in(tmp_path, table, "near-duplicates", None)) == 1


@pytest.mark.parametrize("columns", [["a", "y"], ["a", "b", "y"]])
def test_few_columns_are_nearly_equal_by_chance_and_claim_nothing(columns: list[str], tmp_path: Path) -> None:
    table = plain()[columns]
    again = table.assign(a=table["a"] * (1 + 1e-9))
    assert found_in(tmp_path, pd.concat([table, again]), "near-duplicates") == []


def test_rows_that_repeat_under_another_number_are_counted(tmp_path: Path) -> None:
    table = plain()
    table = pd.concat([table, table.iloc[[3, 4, 5]]], ignore_index=True).assign(id=lambda t: t.index + 1)
    (only,) = found_in(tmp_path, table, "near-duplicates")
    assert only.text == "3 rows equal an earlier row in everything but id (1 %)."


@pytest.mark.parametrize(("rows", "severity"), [(4, "low"), (40, "medium")])
def test_rows_with_the_same_features_and_another_target_are_counted(rows: int, severity: str, tmp_path: Path) -> None:
    table = plain()
    table = pd.concat([table, table.iloc[:rows].assign(y=lambda t: t["y"] + 1)], ignore_index=True)
    expected = int(table.groupby(["a", "b", "c"])["y"].transform("nunique").gt(1).sum())
    (only,) = found_in(tmp_path, table, "near-duplicates")
    assert only.text.startswith(f"{expected} rows have the same features as another row but another y")
    assert only.severity == severity
    assert found_in(tmp_path, table, "near-duplicates", None) == []


def test_a_date_asks_for_a_split_by_time(tmp_path: Path) -> None:
    table = plain().assign(day=pd.date_range("2024-01-01", periods=ROWS).strftime("%Y-%m-%d"))
    (only,) = found_in(tmp_path, table, "time-order", None)
    assert (only.columns, only.severity) == (("day",), "medium")
    assert only.repair.startswith("Prepare measures")
    assert only.step is not None
    assert only.step.split == ("time", "day")


def test_a_repeating_thing_asks_for_a_split_by_group(tmp_path: Path) -> None:
    table = plain().assign(patient=[f"p{i % 30}" for i in range(ROWS)])
    (only,) = found_in(tmp_path, table, "time-order")
    assert only.columns == ("patient",)
    assert "each of its 30 values stands in about 10 rows" in only.text
    assert only.repair.startswith("Prepare measures")
    assert only.step is not None
    assert only.step.split == ("group", "patient")


@pytest.mark.parametrize(
    ("values", "repair"),
    [
        (np.random.default_rng(2).lognormal(3, 1.2, ROWS), "Predict its logarithm, or choose a robust loss"),
        (np.random.default_rng(2).poisson(0.05, ROWS), "Predict its logarithm of 1 plus it"),
        (-np.random.default_rng(2).lognormal(3, 1.2, ROWS), "Learn it on the scale of Yeo and Johnson"),
        (np.random.default_rng(2).lognormal(3, 1.2, ROWS) - 50, "Learn it on the scale of Yeo and Johnson"),
    ],
)
def test_a_skewed_target_is_found_with_its_share_of_the_variance(
    values: np.ndarray, repair: str, tmp_path: Path
) -> None:
    (only,) = found_in(tmp_path, plain().assign(y=values), "skewed-target")
    squares = pd.Series((values - np.mean(values)) ** 2)
    share = squares.nlargest(3).sum() / squares.sum()
    assert f"skewness {number(float(skew(values)), 2)}" in only.text
    assert f"make up {percent(share)} of the variance" in only.text
    assert only.repair.startswith(repair)
    assert only.step is not None
    assert only.step.target_transform == ("log" if "logarithm" in repair else "yeo-johnson")
    # What is suggested makes it better.
    learned = fit_target_transform(np.asarray(values, dtype=float), only.step.target_transform).forward(values)
    assert abs(skew(learned)) < abs(skew(values))


@pytest.mark.parametrize("scale", [1.0, 1e300])
def test_a_normal_or_uniform_target_is_not_skewed(scale: float, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    for values in (rng.normal(size=ROWS), rng.uniform(5, 6, ROWS)):
        assert found_in(tmp_path, plain().assign(y=values * scale), "skewed-target") == []


def test_codes_for_missing_values_make_no_target_skewed(tmp_path: Path) -> None:
    table = plain().assign(y=lambda t: (t["y"] + 5).where(t.index % 20 > 0, 99_999))
    assert found_in(tmp_path, table, "skewed-target") == []
    assert len(found_in(tmp_path, table, "disguised-missing")) == 1


def test_a_capped_target_is_severe_and_a_capped_feature_is_not(tmp_path: Path) -> None:
    table = plain().assign(a=lambda t: t["a"].clip(upper=1), y=lambda t: t["y"].clip(upper=1))
    (target,) = found_in(tmp_path, table, "capped-target")
    (feature,) = found_in(tmp_path, table, "capped")
    assert (target.columns, target.severity) == (("y",), "high")
    assert (feature.columns, feature.severity) == (("a",), "medium")
    assert {f.columns for f in found_in(tmp_path, table, "capped", None)} == {("a",), ("y",)}


@pytest.mark.parametrize(("slope", "drifts"), [(0.0, False), (0.002, False), (0.01, True), (-0.01, True)])
def test_a_target_that_changes_along_time_is_found(slope: float, drifts: bool, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    order = rng.permutation(ROWS)
    day = (pd.Timestamp("2024-01-01") + pd.to_timedelta(order, unit="D")).strftime("%Y-%m-%d")
    table = plain().assign(day=day, y=lambda t: t["y"] + slope * order)
    found = found_in(tmp_path, table, "time-drift")
    assert bool(found) is drifts
    if drifts:
        ordered = table.sort_values("day")["y"]
        early, late = ordered.head(ROWS // 5).mean(), ordered.tail(ROWS // 5).mean()
        assert (
            f"{number(early)} on average in the earliest fifth of the rows, {number(late)} in the latest"
            in found[0].text
        )


def test_bike_rentals_grow_along_time(tmp_path: Path, shared_data: Path) -> None:
    store = DatasetStore(tmp_path)
    dataset = store.add(shared_data / "bike_sharing_hour.csv")
    codes = {f.code: f for f in findings(dataset, store.table(dataset.id), "cnt")}
    assert list(codes) == ["target-leak", "time-drift", "time-order", "correlated", "identifier"]
    assert codes["correlated"].columns == ("temp", "atemp")
