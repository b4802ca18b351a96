"""Filling gaps: what scikit-learn's imputers say, the same after JSON, fitted on training rows alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer, SimpleImputer
from sklearn.preprocessing import StandardScaler

from dlreg_core.cleaning import Cleaner, FillByNeighbours, fit_cleaner
from dlreg_core.cleaning.steps.imputation import MOST_KEPT_ROWS
from dlreg_core.specs import Cleaning, ColumnType, FillMethod, NumberFill

NAMES = ["a", "b", "c", "d"]
TYPES = dict.fromkeys(NAMES, ColumnType.NUMBER)


def rows(count: int, seed: int = 0, gaps: float = 0.15) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    hidden = rng.normal(size=count)
    table = pd.DataFrame(
        {
            "a": 100 + 20 * hidden + rng.normal(0, 2, count),
            "b": 0.001 * hidden + rng.normal(0, 1e-4, count),
            "c": rng.integers(0, 4, count).astype(float),
            "d": -3 * hidden + rng.normal(0, 1, count),
        }
    )
    return table.mask(rng.random(table.shape) < gaps)


def cleaned(cleaning: Cleaning, train: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    fitted = fit_cleaner(train, TYPES, cleaning)
    # As a model file keeps it.
    return Cleaner.model_validate_json(fitted.model_dump_json()).transform(new)


@pytest.mark.parametrize("method", ["median", "mean", "most_frequent"])
def test_fixed_values_are_those_of_scikit_learn(method: FillMethod) -> None:
    train, new = rows(200), rows(50, seed=1)
    found = cleaned(Cleaning(impute_numbers=method), train, new)
    expected = SimpleImputer(strategy=method).fit(train).transform(new)
    np.testing.assert_allclose(found[NAMES], expected)


def test_similar_rows_are_those_of_scikit_learns_imputer() -> None:
    # Without equal distances, among which chance would choose.
    train, new = (table.assign(c=table["c"] + 0.1 * table["a"]) for table in (rows(300), rows(60, seed=1)))
    new = new[new.notna().sum(axis=1) > 1]
    found = cleaned(Cleaning(impute_numbers="knn"), train, new)
    scaler = StandardScaler().fit(train)
    imputer = KNNImputer(n_neighbors=5).fit(scaler.transform(train))
    expected = scaler.inverse_transform(imputer.transform(scaler.transform(new)))
    np.testing.assert_allclose(found[NAMES], expected, rtol=1e-6, atol=1e-9)


def test_regressions_are_those_of_scikit_learns_imputer() -> None:
    train, new = rows(300), rows(60, seed=1)
    found = cleaned(Cleaning(impute_numbers="iterative"), train, new)
    scaler = StandardScaler().fit(train)
    scaled = scaler.transform(train)
    imputer = IterativeImputer(random_state=0, min_value=np.nanmin(scaled, axis=0), max_value=np.nanmax(scaled, axis=0))
    with pytest.warns(ConvergenceWarning, match="Early stopping criterion not reached"):
        imputer.fit(scaled)
    expected = scaler.inverse_transform(imputer.transform(scaler.transform(new)))
    np.testing.assert_allclose(found[NAMES], expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("method", ["knn", "iterative"])
def test_they_guess_better_than_the_median_where_columns_go_together(method: FillMethod) -> None:
    train, whole = rows(400, gaps=0.02), rows(200, seed=2, gaps=0.0)
    new = whole.assign(a=whole["a"].where(np.arange(200) % 2 == 0))
    errors = {
        how: float((cleaned(Cleaning(impute_numbers=how), train, new)["a"] - whole["a"]).abs().sum())
        for how in (method, "median")
    }
    assert errors[method] < 0.7 * errors["median"]


@pytest.mark.parametrize("method", ["knn", "iterative"])
def test_what_is_known_stays_exactly_and_gaps_are_flagged(method: FillMethod) -> None:
    train, new = rows(200), rows(50, seed=1)
    found = cleaned(Cleaning(impute_numbers=method), train, new)
    known = new.notna()
    assert (found[NAMES].to_numpy()[known] == new.to_numpy()[known]).all()
    assert found.notna().all().all()
    np.testing.assert_array_equal(found["b: was missing"], new["b"].isna().astype(float))
    # A row alone is filled as it is among others, also one without any number.
    alone = pd.concat([cleaned(Cleaning(impute_numbers=method), train, new.iloc[[i]]) for i in range(10)])
    np.testing.assert_allclose(alone[NAMES], found[NAMES].iloc[:10])
    empty = pd.DataFrame({name: [None] for name in NAMES})
    assert cleaned(Cleaning(impute_numbers=method), train, empty).notna().all().all()


def test_single_columns_are_filled_in_their_own_way_and_flagged_or_not() -> None:
    train, new = rows(200), rows(50, seed=1)
    fills = {
        "a": NumberFill(method="constant", constant=-5.0, flag=False),
        "b": NumberFill(method="knn"),
        "d": NumberFill(method="keep"),
    }
    found = cleaned(Cleaning(impute_numbers="mean", fills=fills), train, new)
    assert (found["a"][new["a"].isna()] == -5.0).all()
    assert found["c"][new["c"].isna()].to_numpy() == pytest.approx(train["c"].mean())
    pd.testing.assert_series_equal(found["d"], new["d"])
    assert [c for c in found.columns if "missing" in c] == ["b: was missing", "c: was missing"]
    same = cleaned(Cleaning(impute_numbers="knn", missing_flags=False), train, new)
    np.testing.assert_allclose(found["b"], same["b"])
    assert list(same.columns) == NAMES


def test_a_few_training_rows_are_kept_and_no_more() -> None:
    fitted = fit_cleaner(rows(3_000), TYPES, Cleaning(impute_numbers="knn"))
    (step,) = (step for step in fitted.steps if isinstance(step, FillByNeighbours))
    assert len(step.rows) == MOST_KEPT_ROWS
    assert len(fitted.model_dump_json()) < 100_000


def test_many_columns_and_columns_without_a_number_in_most_rows() -> None:
    rng = np.random.default_rng(3)
    table = pd.DataFrame(rng.normal(size=(300, 40)), columns=[f"x{i}" for i in range(40)])
    table["rare"] = np.where(np.arange(300) == 7, 5.0, np.nan)
    table["same"] = 1.0
    types = dict.fromkeys(table.columns, ColumnType.NUMBER)
    new = table.mask(rng.random(table.shape) < 0.1)
    for method in ("knn", "iterative"):
        fitted = fit_cleaner(table, types, Cleaning(impute_numbers=method, drop_constant=False))
        found = Cleaner.model_validate_json(fitted.model_dump_json()).transform(new)
        assert np.isfinite(found.to_numpy(dtype=float)).all()


@pytest.mark.parametrize("method", ["knn", "iterative"])
def test_numbers_of_any_size_come_out_as_numbers(method: FillMethod) -> None:
    rng = np.random.default_rng(4)
    scales = {"tiny": 1e-200, "usual": 1.0, "huge": 1e200}
    train = pd.DataFrame({name: rng.normal(size=100) * scale for name, scale in scales.items()})
    train = train.mask(rng.random(train.shape) < 0.2)
    new = pd.DataFrame({"tiny": [1e200, None], "usual": [None, 1e300], "huge": [None, 1.0]})
    cleaning = Cleaning(impute_numbers=method, scaling={"tiny": "standard", "huge": "minmax", "usual": "robust"})
    fitted = fit_cleaner(train, dict.fromkeys(scales, ColumnType.NUMBER), cleaning)
    found = Cleaner.model_validate_json(fitted.model_dump_json()).transform(new)
    assert np.isfinite(found.to_numpy(dtype=float)).all()
