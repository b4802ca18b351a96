"""Columns that give the target away, found; strong predictors, left alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import KFold, cross_val_predict

from dlreg_core.checks.findings import Finding, findings
from dlreg_core.checks.findings.explained_variance import by_level, explained, linear, monotone, out_of_fold
from dlreg_core.checks.findings.leakage import leak_findings
from dlreg_core.checks.findings.leakage_exact import exact_sums
from dlreg_core.checks.findings.leakage_text import line_words, product_words, share_words, sum_words
from dlreg_core.checks.findings.row_sample import draw
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.specs import Column, ColumnType, Dataset

ROWS = 400
Change = Callable[[pd.DataFrame], pd.DataFrame]


def leaks(tmp_path: Path, source: Path | pd.DataFrame, target: str) -> list[Finding]:
    store = DatasetStore(tmp_path)
    if isinstance(source, Path):
        dataset = store.add(source)
    else:
        dataset = store.add(source.to_csv(index=False).encode(), "table.csv")
    return [f for f in findings(dataset, store.table(dataset.id), target) if f.code == "target-leak"]


def plain(rows: int = ROWS) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(rows, 4))
    table = pd.DataFrame(x, columns=list("abcd")).round(4)
    table["place"] = rng.choice(["ash", "oak", "elm", "fir"], rows)
    table["y"] = 2 * table["a"] - table["b"] + rng.normal(0, 0.5, rows)
    return table.round(6)


@pytest.mark.parametrize(
    ("file", "target", "columns", "told"),
    [
        ("bike_sharing_hour.csv", "cnt", {"casual", "registered"}, "casual + registered is cnt, in every row"),
        ("bike_sharing_hour.csv", "casual", {"cnt", "registered"}, "cnt − registered is casual, in every row"),
        ("stocks_5tickers.csv", "Close", {"Open", "High", "Low"}, "each of them explains 99.95 % or more"),
        ("stocks_5tickers.csv", "High", {"Open", "Close", "Low"}, "each of them explains 99.9"),
        ("air_quality_uci.csv", "C6H6(GT)", {"PT08.S2(NMHC)"}, "it explains 99.99 %"),
    ],
)
def test_leaks_of_real_tables(
    file: str, target: str, columns: set[str], told: str, tmp_path: Path, shared_data: Path
) -> None:
    (only,) = leaks(tmp_path, shared_data / file, target)
    assert set(only.columns) == columns
    assert told in only.text
    assert only.severity == "high"
    assert only.repair.endswith(f"before {target} is.")


@pytest.mark.parametrize(
    ("file", "target"),
    [
        *((f"uci/{name}/data.csv", "target") for name in ("concrete", "energy", "power", "wine", "yacht")),
        ("auto_mpg.csv", "mpg"),
        ("bike_sharing_hour.csv", "temp"),
        ("california_housing.csv", "median_house_value"),
        ("insurance.csv", "charges"),
        ("stocks_5tickers.csv", "Adj Close"),
        ("used_cars_cardekho.csv", "selling_price"),
        ("wine_white.csv", "quality"),
    ],
)
def test_no_leak_is_claimed_where_predictors_are_only_strong(
    file: str, target: str, tmp_path: Path, shared_data: Path
) -> None:
    assert leaks(tmp_path, shared_data / file, target) == []


FOUND: dict[str, tuple[Change, tuple[str, ...], str]] = {
    "a copy in another unit": (lambda t: t.assign(z=t["y"] * 2.54 + 1), ("z",), "it explains 100 %"),
    "a copy of very large numbers": (
        lambda t: t.assign(y=t["y"] * 1e300, z=t["y"] * -1e301),
        ("z",),
        "it explains 100 %",
    ),
    "a sum of very large numbers": (
        lambda t: t.assign(a=t["a"] * 1e300, b=t["b"] * 1e300, y=lambda u: u["a"] + u["b"]),
        ("a", "b"),
        "a + b is y",
    ),
    "a copy with gaps": (lambda t: t.assign(z=t["y"].where(t.index % 3 > 0)), ("z",), "it explains 100 %"),
    "a rank": (lambda t: t.assign(z=(-t["y"]).rank() / 7), ("z",), "by itself"),
    "a logarithm": (lambda t: t.assign(y=np.exp(t["y"] / 2), z=t["y"]), ("z",), "by itself"),
    "a sum": (lambda t: t.assign(y=t["a"] + t["b"]), ("a", "b"), "a + b is y, in every row"),
    "a difference": (lambda t: t.assign(y=t["b"] - t["a"]), ("a", "b"), "b − a is y"),
    "a sum of three": (lambda t: t.assign(y=t["a"] + t["b"] - t["d"]), ("a", "b", "d"), "a + b − d is y"),
    "a sum with gaps": (
        lambda t: t.assign(y=t["a"] + t["b"], b=t["b"].where(t.index % 4 > 0)),
        ("a", "b"),
        "a + b is y, in every row",
    ),
    "a sum with typing errors": (
        lambda t: t.assign(y=(t["a"] + t["b"]).where(t.index % 200 > 0, 9.5)),
        ("a", "b"),
        "a + b is y, in 99.5 % of the rows",
    ),
    "a product": (
        lambda t: t.assign(c=1 + t["c"] ** 2, d=4 + t["d"] ** 2, y=lambda u: u["c"] * u["d"]),
        ("c", "d"),
        "c × d is y",
    ),
    "a ratio": (
        lambda t: t.assign(c=1 + t["c"] ** 2, d=4 + t["d"] ** 2, y=lambda u: u["c"] / u["d"]),
        ("c", "d"),
        "c ÷ d is y",
    ),
    "a formula": (
        lambda t: t.assign(y=2 * t["a"] - t["b"] / 2 + 3 + t["c"] * 0.01),
        ("a", "b"),
        "2 × a − 0.5 × b + 3 is nearly y: it explains 99.9",
    ),
    "a formula of three": (
        lambda t: t.assign(y=2 * t["a"] - t["b"] / 2 + t["d"] + t["c"] * 1e-6),
        ("a", "b", "d"),
        "2 × a − 0.5 × b + d",
    ),
    "a category": (
        lambda t: t.assign(y=t["place"].map({"ash": 1.0, "oak": 7.0, "elm": 3.0, "fir": 4.5}) + t["a"] / 100),
        ("place",),
        "by itself",
    ),
    "a number that is a code": (
        lambda t: t.assign(z=np.arange(ROWS) % 9, y=lambda u: u["z"].map(dict(enumerate([4, 1, 8, 3, 9, 2, 7, 5, 6])))),
        ("z",),
        "it explains 100 %",
    ),
    "ranges": (
        lambda t: t.assign(z=pd.cut(t["y"], [-99, -2, 0, 2, 99], labels=["low", "fair", "good", "high"])),
        ("z",),
        "its 4 levels divide y into ranges that do not overlap",
    ),
    "ranges of very large numbers": (
        lambda t: t.assign(z=pd.cut(t["y"], [-99, -2, 0, 2, 99], labels=list("pqrs")), y=t["y"] * 1e300),
        ("z",),
        "its 4 levels divide y into ranges that do not overlap",
    ),
    "a target with codes for missing values": (
        lambda t: t.assign(y=t["y"].where(t.index % 20 > 0, -999.0), z=t["y"] * 3),
        ("z",),
        "it explains 100 %",
    ),
}


@pytest.mark.parametrize("case", FOUND)
def test_a_made_leak_is_found(case: str, tmp_path: Path) -> None:
    change, columns, told = FOUND[case]
    (only,) = leaks(tmp_path, change(plain()), "y")
    assert tuple(sorted(only.columns)) == columns
    assert told in only.text


HONEST: dict[str, Change] = {
    "a strong predictor": lambda t: t.assign(z=t["y"] + np.random.default_rng(2).normal(0, 0.2, ROWS)),
    "keys that differ": lambda t: t.assign(z=[f"row {i * 7919 % 1000} of many" for i in range(ROWS)]),
    "many levels": lambda t: t.assign(z=np.random.default_rng(2).choice([f"level {i}" for i in range(150)], ROWS)),
    "repeated rows with many levels": lambda t: pd.concat([t.assign(z=[f"l{i}" for i in range(ROWS)])] * 2),
    "one extreme value": lambda t: t.assign(y=t["y"].where(t.index > 0, 1e6), z=t["c"].where(t.index > 0, 1e6)),
    "very large numbers": lambda t: t.assign(y=t["y"] * 1e300),
    "very small numbers": lambda t: t.assign(y=t["y"] * 1e-300),
    "constants": lambda t: t.assign(z=3, u=np.nan),
    "a date": lambda t: t.assign(
        z=pd.date_range("2020-01-01", periods=ROWS).strftime("%Y-%m-%d"), y=np.sin(np.arange(ROWS) / 30)
    ),
    "few rows": lambda t: t.assign(z=t["y"] * 2).head(29),
    "a target that never changes": lambda t: t.assign(y=5),
}


@pytest.mark.parametrize("case", HONEST)
def test_no_leak_is_claimed_of_honest_columns(case: str, tmp_path: Path) -> None:
    assert leaks(tmp_path, HONEST[case](plain()), "y") == []


def test_a_wide_table_is_looked_through_quickly() -> None:
    rng = np.random.default_rng(7)
    names = [f"c{i}" for i in range(100)]
    table = pd.DataFrame(rng.normal(size=(20_000, 100)), columns=names)
    table["y"] = table["c3"] + table["c50"] - table["c99"]
    columns = tuple(Column(name=c, type=ColumnType.NUMBER, missing=0, distinct=20_000) for c in table)
    dataset = Dataset(id="0", name="wide", file_bytes=0, rows=20_000, columns=columns)
    started = time.process_time()
    (only,) = leak_findings(draw(dataset, table, {}, "y"), "y")
    # Generous, for slow machines: it takes about a second.
    assert time.process_time() - started < 10
    assert only.columns == ("c3", "c50", "c99")


def test_the_share_is_what_scikit_learn_finds_in_other_folds() -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(size=(600, 2))
    y = x @ np.array([1.0, -3.0]) + rng.normal(0, 1, 600)
    folds = KFold(5, shuffle=True, random_state=1)
    predicted = cross_val_predict(LinearRegression(), x, y, cv=folds)
    # Both are estimates in rows that weren't fitted, in different folds.
    assert out_of_fold(linear, x, y) == pytest.approx(explained(y, predicted), abs=0.005)


def test_less_than_what_matters_is_not_folded() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=200), rng.normal(size=200)
    assert out_of_fold(linear, x, y, least=0.9) == explained(y, linear(x, y, x))


def test_monotone_curves_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(6)
    x = rng.integers(0, 30, 300).astype(np.float64)
    y = -np.sqrt(x) + rng.normal(0, 0.3, 300)
    others = rng.uniform(-2, 32, 50)
    expected = IsotonicRegression(increasing=False, out_of_bounds="clip").fit(x, y).predict(others)
    assert monotone(x, y, others) == pytest.approx(expected)


def test_levels_are_predicted_by_their_means_and_unseen_ones_by_the_mean_of_all() -> None:
    levels, y = np.array([0.0, 0, 2, 2, 2]), np.array([1.0, 3, 4, 5, 6])
    assert by_level(levels, y, np.array([2.0, 0, 1, 3])).tolist() == [5, 2, y.mean(), y.mean()]


@pytest.mark.parametrize("size", [2, 3])
def test_exact_sums_are_all_that_brute_force_finds(size: int) -> None:
    rng = np.random.default_rng(size)
    x = rng.integers(-3, 4, size=(60, 7)).astype(np.float64)
    x[:, 6] = x[:, 0] - x[:, 3]
    y = x[:, 0] + x[:, 1] + (x[:, 4] if size == 3 else 0)
    expected = {
        (columns, signs)
        for columns in combinations(range(7), size)
        for signs in product((1, -1), repeat=size)
        if np.array_equal(x[:, columns] @ np.array(signs), y)
    }
    found = exact_sums(list("0123456"), x, y, 1e-9, size)
    assert {(tuple(int(name) for name in one.names), one.signs) for one in found} == expected
    assert expected


def test_formulas_are_written_as_people_do() -> None:
    assert sum_words(("a", "b", "c"), (-1, 1, 1)) == "b + c − a"
    assert sum_words(("a", "b"), (-1, -1)) == "−a − b"
    assert product_words(("a", "b"), (-1, 1)) == "b ÷ a"
    assert product_words(("a", "b"), (-1, -1)) == "1 ÷ a ÷ b"
    assert line_words(("a", "b"), np.array([1.0, -0.25, 0.0])) == "a − 0.25 × b"
    assert line_words(("a",), np.array([-2.0, 1500.0])) == "−2 × a + 1,500"
    assert share_words(0.99999) == "99.99 %"
    assert share_words(1.0) == "100 %"
