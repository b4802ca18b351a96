"""What a quick model says about a split, and about more rows, on tables where the truth is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor

from dlreg_core.checks.probe_model import quick_errors
from dlreg_core.checks.sample_size import row_needs
from dlreg_core.checks.split_optimism import measure_split
from dlreg_core.specs import Cleaning, ColumnType, Recipe
from dlreg_core.splitting import prepare_table
from dlreg_core.wording.split_text import measure_words, row_needs_words
from tests.conftest import as_read


def grouped(rows: int = 800) -> pd.DataFrame:
    """Return rows of 40 shops, each with a level of its own that nothing else tells."""
    rng = np.random.default_rng(1)
    shop = rng.integers(0, 40, rows)
    level = rng.normal(0, 10, 40)
    size = rng.random(rows)
    sales = level[shop] + 3 * size + rng.normal(0, 0.5, rows)
    return pd.DataFrame({"shop": [f"s{number}" for number in shop], "size": size, "sales": sales})


def test_a_random_split_flatters_where_groups_have_levels_of_their_own() -> None:
    dataset, table = as_read(grouped())
    found = measure_split(dataset, table, Recipe(target="sales", features=("shop", "size")), "group", "shop")
    assert found is not None
    assert found.flatters
    assert found.times > 3
    assert found.interval.low < found.times < found.interval.high
    # Of a new shop nothing is known but that it is one of many.
    assert found.honest_error == pytest.approx(10 * np.sqrt(2 / np.pi), rel=0.4)
    assert "rows of a new shop" in measure_words(found, "$")


def test_no_difference_is_told_with_what_is_possible() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"day": pd.date_range("2020-01-01", periods=900), "x": rng.random(900)})
    table["y"] = np.sin(5 * table["x"]) + rng.normal(0, 0.2, 900)
    found = measure_split(*as_read(table), Recipe(target="y", features=("x",)), "time", "day")
    assert found is not None
    assert not found.flatters
    assert "no clear difference" in measure_words(found, "") or "can't be told" in measure_words(found, "")


def test_quick_errors_are_those_of_the_trees_alone() -> None:
    rng = np.random.default_rng(0)
    x = pd.DataFrame({"a": rng.random(300), "b": rng.random(300)})
    y = (x["a"] * 3 + x["b"] ** 2).to_numpy()
    types = dict.fromkeys(x.columns, ColumnType.NUMBER)
    found = quick_errors(x[:200], y[:200], x[200:], y[200:], types, Cleaning())
    trees = HistGradientBoostingRegressor(max_iter=100, early_stopping=False, random_state=0).fit(x[:200], y[:200])
    assert found == pytest.approx(np.abs(trees.predict(x[200:]) - y[200:]))


def test_levels_that_training_never_saw_are_no_error() -> None:
    train = pd.DataFrame({"a": ["x", "y"] * 30, "note": ["some words"] * 60})
    test = pd.DataFrame({"a": ["z", "x", None], "note": ["others"] * 3})
    types = {"a": ColumnType.CATEGORY, "note": ColumnType.TEXT}
    assert len(quick_errors(train, np.arange(60.0), test, np.zeros(3), types, Cleaning())) == 3


@pytest.mark.parametrize(("noise", "helps"), [(0.02, True), (3.0, False)])
def test_more_rows_help_where_there_is_more_to_learn(noise: float, helps: bool) -> None:
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.random((1200, 4)), columns=list("abcd"))
    table["y"] = np.sin(6 * table["a"]) * table["b"] + table["c"] * table["d"] + rng.normal(0, noise, 1200)
    dataset, rows = as_read(table)
    found = row_needs(prepare_table(dataset, rows, Recipe(target="y", features=tuple("abcd"))), Cleaning())
    assert found is not None
    assert found.rows == (128, 255, 510, 1020)
    assert found.helps is helps
    assert ("Twice as many" in row_needs_words(found, "")) is helps


def test_few_rows_give_no_answer(tmp_path: Path) -> None:
    dataset, rows = as_read(grouped(100))
    assert row_needs(prepare_table(dataset, rows, Recipe(target="sales", features=("size",))), Cleaning()) is None
