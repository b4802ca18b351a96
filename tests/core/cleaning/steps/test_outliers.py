"""Outliers: limits as scipy has them, clipped for all rows, and removed from what teaches alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.ensemble import IsolationForest

from dlreg_core.cleaning import Cleaner, fit_cleaner, limits_of, outlying_columns, outlying_rows, worth_clipping
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.specs import Cleaning, ColumnType, OutlierRule, Recipe, Split
from dlreg_core.splitting import PreparedTable, prepare_table

RNG = np.random.default_rng(0)
TYPES = {"a": ColumnType.NUMBER, "b": ColumnType.NUMBER, "c": ColumnType.CATEGORY}


def table(rows: int = 400) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    found = pd.DataFrame({"a": rng.normal(10, 2, rows), "b": rng.normal(size=rows), "c": rng.choice(["x", "y"], rows)})
    found.loc[[3, 50, 200], "a"] = [1_000.0, -500.0, 400.0]
    found.loc[7, "a"] = np.nan
    return found.assign(y=found["b"] + rng.normal(0, 0.1, rows))


def test_limits_are_those_of_tukey_and_of_z_scores() -> None:
    values = table()["a"]
    known = values.dropna().to_numpy()
    width = stats.iqr(known)
    low, high = limits_of(values, OutlierRule(rule="iqr", reach=1.5))
    assert low == pytest.approx(np.percentile(known, 25) - 1.5 * width)
    assert high == pytest.approx(np.percentile(known, 75) + 1.5 * width)
    low, high = limits_of(values, OutlierRule(rule="zscore", reach=2.0))
    beyond = np.abs(stats.zscore(known)) > 2
    np.testing.assert_array_equal((known < low) | (known > high), beyond)


def test_a_column_whose_quartiles_are_the_same_has_no_outliers() -> None:
    values = pd.Series([0.0] * 90 + [1.0, 5.0] * 5)
    assert limits_of(values, OutlierRule()) == (0.0, 5.0)


def test_clipped_values_keep_the_limits_of_the_training_rows_in_new_rows_too() -> None:
    train = table()[["a", "b", "c"]]
    cleaning = Cleaning(outliers={"a": OutlierRule()})
    cleaner = Cleaner.model_validate_json(fit_cleaner(train, TYPES, cleaning).model_dump_json())
    low, high = limits_of(train["a"], OutlierRule())
    new = pd.DataFrame({"a": [1e9, -1e9, 10.0, None], "b": [1e9, 0.0, 0.0, 0.0], "c": ["x"] * 4})
    found = cleaner.transform(new)
    np.testing.assert_allclose(found["a"], [high, low, 10.0, np.clip(train["a"], low, high).median()])
    assert found["b"].iloc[0] == 1e9, "nobody asked for it"
    # The mean that fills gaps is that of clipped values.
    mean = fit_cleaner(train, TYPES, cleaning.model_copy(update={"impute_numbers": "mean"})).transform(new)
    assert mean["a"].iloc[3] == pytest.approx(np.clip(train["a"], low, high).mean())


def prepared(cleaning: Cleaning, **split: object) -> PreparedTable:
    dataset, rows = read_dataset(table().to_csv(index=False).encode())
    split = {"choose_by": "holdout"} | split
    recipe = Recipe(target="y", features=("a", "b", "c"), cleaning=cleaning, split=Split(**split))
    return prepare_table(dataset, rows, recipe)


@pytest.mark.parametrize("choose_by", ["holdout", "folds"])
def test_rows_are_taken_from_what_teaches_and_from_nothing_else(choose_by: str) -> None:
    rule = OutlierRule(reach=1.5, act="remove")
    before = prepared(Cleaning(), choose_by=choose_by)
    after = prepared(Cleaning(outliers={"a": rule}), choose_by=choose_by)
    assert after.outlying is not None
    low, high = limits_of(before.train["a"], rule)
    expected = ((before.train["a"] < low) | (before.train["a"] > high)).to_numpy()
    np.testing.assert_array_equal(after.outlying, expected)
    assert after.counts.outlying == expected.sum() > 0
    for part in ("rows_train", "rows_validation", "rows_test"):
        np.testing.assert_array_equal(getattr(after, part), getattr(before, part))
    assert after.counts.test == before.counts.test
    assert len(after.taught) == len(before.train) - expected.sum()
    assert prepared(Cleaning()).outlying is None


def test_an_isolation_forest_is_scikit_learns() -> None:
    train = table()[["a", "b", "c"]]
    found = outlying_rows(train, TYPES, Cleaning(isolation=0.02))
    assert found is not None
    assert found.sum() == 8
    values = train[["a", "b"]].fillna(train[["a", "b"]].median()).to_numpy()
    forest = IsolationForest(random_state=0, contamination=0.02).fit(values)
    np.testing.assert_array_equal(found, forest.predict(values) == -1)
    assert found[[3, 50, 200]].all()


def test_taking_nearly_all_rows_is_refused() -> None:
    train = pd.DataFrame({"a": RNG.normal(size=30), "b": 0.0, "c": "x"})
    with pytest.raises(RecipeError, match="left to learn from"):
        outlying_rows(train, TYPES, Cleaning(outliers={"a": OutlierRule(rule="zscore", reach=0.01, act="remove")}))


def test_a_few_far_values_are_worth_clipping_and_a_long_tail_is_not() -> None:
    rows = table().assign(tail=RNG.lognormal(0, 2, 400))
    dataset, stored = read_dataset(rows.to_csv(index=False).encode())
    recipe = Recipe(target="y", features=("a", "b", "c", "tail"))
    found = outlying_columns(dataset, stored, recipe)
    assert [column.name for column in found] == ["a", "b", "tail"]
    assert [(column.name, column.count) for column in worth_clipping(found, len(rows))] == [("a", 3)]


def test_a_step_for_a_column_that_isnt_there_is_refused() -> None:
    with pytest.raises(RecipeError, match="no column rooms"):
        prepared(Cleaning(outliers={"rooms": OutlierRule()}))
    # One that is there but isn't predicted from is no mistake.
    prepared(Cleaning(outliers={"y": OutlierRule()}))
