"""Scales as scikit-learn has them, and columns made of two others, with divisions that can't go wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import MinMaxScaler, QuantileTransformer, RobustScaler, StandardScaler

from dlreg_core.checks.interaction_candidates import promising_combinations
from dlreg_core.cleaning import Cleaner, fit_cleaner
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.specs import Cleaning, ColumnType, Combination, Recipe, ScaleMethod
from dlreg_core.splitting import prepare_table

TYPES = {"a": ColumnType.NUMBER, "b": ColumnType.NUMBER}
SCALERS: dict[ScaleMethod, Any] = {
    "standard": StandardScaler(),
    "minmax": MinMaxScaler(),
    "robust": RobustScaler(),
    "quantile": QuantileTransformer(n_quantiles=200, subsample=None),
}


def rows(count: int = 500, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    # Zeros that many rows share.
    return pd.DataFrame({"a": rng.lognormal(0, 1, count) * (rng.random(count) > 0.2), "b": rng.normal(5, 2, count)})


def cleaned(cleaning: Cleaning, train: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    fitted = fit_cleaner(train, dict.fromkeys(train.columns, ColumnType.NUMBER), cleaning)
    return Cleaner.model_validate_json(fitted.model_dump_json()).transform(new)


@pytest.mark.parametrize("method", list(SCALERS))
def test_scales_are_those_of_scikit_learn(method: ScaleMethod) -> None:
    train, new = rows(), rows(100, seed=1)
    new.loc[0, "a"], new.loc[1, "a"] = -50.0, 1e6
    found = cleaned(Cleaning(scaling={"a": method}), train, new)
    expected = SCALERS[method].fit(train[["a"]].to_numpy()).transform(new[["a"]].to_numpy())[:, 0]
    np.testing.assert_allclose(found["a"], expected, atol=1e-12)
    np.testing.assert_array_equal(found["b"], new["b"])


@pytest.mark.parametrize("method", list(SCALERS))
def test_gaps_are_filled_before_and_a_constant_column_stays_finite(method: ScaleMethod) -> None:
    train = rows().assign(same=3.0)
    cleaning = Cleaning(scaling={"a": method, "same": method}, drop_constant=False)
    found = cleaned(cleaning, train, pd.DataFrame({"a": [None, 1.0], "b": [1.0, None], "same": [3.0, 4.0]}))
    median = cleaned(cleaning, train, pd.DataFrame({"a": [train["a"].median()], "b": [1.0], "same": [3.0]}))
    assert found["a"].iloc[0] == pytest.approx(median["a"].iloc[0])
    assert np.isfinite(found.to_numpy(dtype=float)).all()


def test_combinations_are_what_they_are_called_and_what_cant_be_divided_is_filled() -> None:
    made = (
        Combination(kind="product", left="a", right="b"),
        Combination(kind="ratio", left="b", right="a"),
        Combination(kind="difference", left="a", right="b"),
        Combination(kind="product", left="a", right="a"),
    )
    train = rows()
    new = pd.DataFrame({"a": [2.0, 0.0, None], "b": [3.0, 4.0, 1e308]})
    found = cleaned(Cleaning(combinations=made), train, new)
    names = ["a × b", "b ÷ a", "a − b", "a × a"]
    assert found[names].iloc[0].tolist() == [6.0, 1.5, -1.0, 4.0]
    with np.errstate(divide="ignore"):
        ratios = (train["b"] / train["a"]).replace([np.inf, -np.inf], np.nan)
    assert found["b ÷ a"].iloc[1] == pytest.approx(ratios.median())
    assert found["b ÷ a: was missing"].tolist() == [0.0, 1.0, 1.0]
    assert np.isfinite(found.to_numpy(dtype=float)).all()


def test_a_combination_without_a_value_or_a_column_is_passed_over() -> None:
    train = rows().assign(zero=0.0)
    cleaning = Cleaning(
        drop_constant=False,
        combinations=(
            Combination(kind="ratio", left="a", right="zero"),
            Combination(kind="product", left="a", right="gone"),
            Combination(kind="product", left="a", right="b"),
        ),
    )
    found = cleaned(cleaning, train, train)
    assert [c for c in found.columns if "÷" in c or "×" in c] == ["a × b"]


def test_the_most_promising_combination_is_the_one_that_makes_the_target() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.uniform(1, 5, size=(800, 4)), columns=["a", "b", "c", "d"])
    table["y"] = table["a"] / table["b"] + 0.2 * table["c"] + rng.normal(0, 0.05, 800)
    dataset, stored = read_dataset(table.to_csv(index=False).encode())
    first, *_ = promising_combinations(prepare_table(dataset, stored, Recipe(target="y", features=tuple("abcd"))))
    assert first.combination == Combination(kind="ratio", left="a", right="b")
    assert first.share > 0.5


def test_of_straight_lines_and_noise_nothing_is_promised() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(800, 4)), columns=["a", "b", "c", "d"])
    table["y"] = table["a"] - 2 * table["b"] + rng.normal(size=800)
    dataset, stored = read_dataset(table.to_csv(index=False).encode())
    assert promising_combinations(prepare_table(dataset, stored, Recipe(target="y", features=tuple("abcd")))) == ()


def test_a_ratio_needs_two_columns() -> None:
    with pytest.raises(ValueError, match="two different columns"):
        Combination(kind="ratio", left="a", right="a")
