"""The baselines against scikit-learn used directly, on a matrix that is made by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import mean_squared_error
from sklearn.tree import DecisionTreeRegressor

from dlreg_core.training.baselines import fit_baselines


def rows(count: int, seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "a": rng.normal(5, 2, count),
            "b": rng.uniform(0, 1, count),
            "c": pd.Categorical(rng.choice(["x", "y", "z"], count)),
            "text": "free words",
        }
    )
    target = 2 * frame["a"] + 10 * (frame["c"] == "y") + rng.normal(0, 1, count)
    return frame, target.to_numpy()


def by_hand(frame: pd.DataFrame, like: pd.DataFrame) -> np.ndarray:
    """Standardise numbers with the training rows' mean and deviation, and one-hot the levels."""
    numbers = [(frame[c] - like[c].mean()) / like[c].std(ddof=0) for c in ("a", "b")]
    return np.column_stack([*numbers, *[(frame["c"] == level).astype(float) for level in "xyz"]])


def test_each_is_what_scikit_learn_makes_of_the_same_matrix() -> None:
    (train, y), (valid, y_valid), (test, _) = rows(200, 0), rows(60, 1), rows(50, 2)
    mean, ridge, tree, boosted = fit_baselines(train, y, valid, y_valid, seed=4)
    assert [m.key for m in (mean, ridge, tree, boosted)] == ["MEAN", "RIDGE", "TREE", "BOOSTED"]
    np.testing.assert_allclose(mean.model.predict(test), y.mean())
    x, x_valid, x_test = (by_hand(part, train) for part in (train, valid, test))
    alpha = RidgeCV(alphas=np.logspace(-3, 4, 15)).fit(x, y).alpha_
    np.testing.assert_allclose(ridge.model.predict(test), Ridge(alpha=alpha).fit(x, y).predict(x_test), rtol=1e-6)
    trees = [DecisionTreeRegressor(min_samples_leaf=leaf, random_state=4).fit(x, y) for leaf in (2, 5, 10, 20, 50, 100)]
    best = min(trees, key=lambda t: mean_squared_error(y_valid, t.predict(x_valid)))
    np.testing.assert_allclose(tree.model.predict(test), best.predict(x_test))
    assert all(m.fit_seconds >= 0 for m in (mean, ridge, tree, boosted))


def test_levels_and_gaps_never_seen_are_answered() -> None:
    (train, y), (valid, y_valid) = rows(100, 0), rows(30, 1)
    odd = valid.assign(a=np.nan, c=pd.Categorical(["never", None] * 15))
    for baseline in fit_baselines(train, y, valid, y_valid, seed=0):
        assert np.isfinite(baseline.model.predict(odd)).all()


@pytest.mark.parametrize("columns", [["a"], ["c"], ["text"], ["a", "text"]])
def test_any_kind_of_columns_alone(columns: list[str]) -> None:
    (train, y), (valid, y_valid) = rows(100, 0), rows(30, 1)
    for baseline in fit_baselines(train[columns], y, valid[columns], y_valid, seed=0):
        predicted = baseline.model.predict(valid[columns])
        assert np.isfinite(predicted).all()
        if columns == ["text"]:
            np.testing.assert_allclose(predicted, y.mean(), rtol=1e-9)


def test_with_fewer_rows_than_the_largest_leaf() -> None:
    train, y = rows(12, 0)
    assert len(fit_baselines(train, y, train, y, seed=0)) == 4
