"""The baselines against scikit-learn and CatBoost used directly, on a matrix that is made by hand."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostError, CatBoostRegressor
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import mean_squared_error
from sklearn.tree import DecisionTreeRegressor

from dlreg_core.training import boosted as boosting
from dlreg_core.training.baselines import Baseline, Boosting, boosted_iterations, fit_baselines, shortage_note

FEW = Boosting(iterations=40)


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
    for baseline in fit_baselines(train, y, valid, y_valid, seed=0, boosting=FEW):
        assert np.isfinite(baseline.model.predict(odd)).all()


@pytest.mark.parametrize("columns", [["a"], ["c"], ["text"], ["a", "text"]])
def test_any_kind_of_columns_alone(columns: list[str]) -> None:
    (train, y), (valid, y_valid) = rows(100, 0), rows(30, 1)
    for baseline in fit_baselines(train[columns], y, valid[columns], y_valid, seed=0, boosting=FEW):
        predicted = baseline.model.predict(valid[columns])
        assert np.isfinite(predicted).all()
        if columns == ["text"]:
            np.testing.assert_allclose(predicted, y.mean(), rtol=1e-9)


def test_with_fewer_rows_than_the_largest_leaf() -> None:
    train, y = rows(12, 0)
    assert len(fit_baselines(train, y, train, y, seed=0, boosting=FEW)) == 4


# --- boosted trees ----------------------------------------------------------------------------------------------------


def direct(frame: pd.DataFrame, target: np.ndarray, trees: int, seed: int) -> CatBoostRegressor:
    """CatBoost as its own documentation has it: categories as text."""
    model = CatBoostRegressor(
        iterations=trees, random_seed=seed, cat_features=["c"], allow_writing_files=False, verbose=False
    )
    return model.fit(frame[["a", "b"]].assign(c=frame["c"].astype(str)), target)


def boosted_of(baselines: tuple[Baseline, ...]) -> Baseline:
    return next(baseline for baseline in baselines if baseline.key == "BOOSTED")


def test_boosted_trees_are_catboosts_with_its_defaults() -> None:
    (train, y), (test, _) = rows(200, 0), rows(50, 2)
    train.loc[::9, "a"] = np.nan
    found = boosted_of(fit_baselines(train, y, test, np.zeros(50), seed=4))
    assert (found.iterations, found.rows, found.reason) == (1000, 200, "")
    assert found.model is not None
    expected = direct(train, y, 1000, 4).predict(test[["a", "b"]].assign(c=test["c"].astype(str)))
    np.testing.assert_allclose(found.model.predict(test), expected)


def test_no_file_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    train, y = rows(100, 0)
    fit_baselines(train, y, train, y, seed=0, boosting=Boosting(seconds=1.0))
    assert list(tmp_path.iterdir()) == []


def test_the_same_number_of_trees_gives_the_same_ones_on_any_number_of_threads() -> None:
    (train, y), (test, _) = rows(400, 0), rows(50, 2)
    first, again = (
        boosted_of(fit_baselines(train, y, test, np.zeros(50), seed=1, boosting=Boosting(threads=n, iterations=60)))
        for n in (1, 2)
    )
    assert first.model is not None
    assert again.model is not None
    np.testing.assert_array_equal(first.model.predict(test), again.model.predict(test))
    assert boosted_iterations((first,)) == 60


@pytest.mark.parametrize(
    ("seconds", "fits", "trees"), [(100.0, 1, 89), (100.0, 2, 44), (1e5, 1, 1000), (8.0, 1, boosting.FEWEST_ITERATIONS)]
)
def test_as_many_trees_as_there_is_time_for(
    seconds: float, fits: int, trees: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a clock that moves by a second whenever it is read: ten trees are measured, or two in 8 seconds."""
    clock = itertools.count()
    monkeypatch.setattr(boosting.time, "perf_counter", lambda: float(next(clock)))
    train, y = rows(100, 0)
    assert boosting.affordable_iterations(train, y, seconds, seed=0, threads=1, fits=fits) == trees


def test_where_the_time_is_short_there_are_fewer_trees_and_a_note() -> None:
    train, y = rows(400, 0)
    found = fit_baselines(train, y, train[:9], y[:9], seed=0, most_rows=100, boosting=Boosting(seconds=1e-6))
    assert boosted_iterations(found) == boosting.FEWEST_ITERATIONS
    assert shortage_note(boosted_of(found), 400) == (
        "Fitted on 100 of 400 rows and with 30 of 1,000 trees, since the time was short."
    )
    assert shortage_note(found[1], 400) == "Fitted on 100 of 400 rows, since the time was short."
    assert shortage_note(found[0], 400) == ""


def test_boosted_trees_that_fail_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    train, y = rows(60, 0)
    found = boosted_of(fit_baselines(train, np.full(60, 3.0), train, y, seed=0, boosting=FEW))
    assert (found.model, found.iterations) == (None, 0)
    assert found.reason == "CatBoost could not be fitted: All train targets are equal."
    monkeypatch.setitem(sys.modules, "catboost", None)
    *others, found = fit_baselines(train, y, train, y, seed=0)
    assert found.reason.startswith("CatBoost could not be fitted: import of catboost halted")
    assert all(baseline.model is not None for baseline in others)


def test_only_catboosts_own_failures_are_a_reason() -> None:
    def fail(error: Exception) -> None:
        raise error

    assert boosting.made_or_reason(lambda: fail(CatBoostError("a/b.cpp:12: bad allocation\nstack"))) == (
        None,
        "CatBoost could not be fitted: bad allocation.",
    )
    assert boosting.made_or_reason(lambda: fail(MemoryError()))[1] == "CatBoost could not be fitted: MemoryError."
    with pytest.raises(KeyError):
        boosting.made_or_reason(lambda: fail(KeyError("x")))


# --- folds ------------------------------------------------------------------------------------------------------------


def test_out_of_fold_predictions_by_hand() -> None:
    train, y = rows(150, 0)
    folds = np.arange(150) % 3
    mean, ridge, tree, boosted = fit_baselines(train, y, folds=folds, seed=4, boosting=FEW)
    totals = dict.fromkeys((2, 5, 10, 20, 50, 100), 0.0)
    for fold in range(3):
        held, inner = folds == fold, folds == (fold + 1) % 3
        rest, first = train[~held], train[~held & ~inner]
        x, x_held = by_hand(rest, rest), by_hand(train[held], rest)
        assert mean.oof is not None
        np.testing.assert_allclose(mean.oof[held], y[~held].mean())
        expected = RidgeCV(alphas=np.logspace(-3, 4, 15)).fit(x, y[~held]).predict(x_held)
        np.testing.assert_allclose(ridge.oof[held], expected, rtol=1e-6)  # type: ignore[index]
        # The leaf size is chosen on the next fold by trees that have seen neither.
        errors = {}
        for leaf in totals:
            one = DecisionTreeRegressor(min_samples_leaf=leaf, random_state=4)
            one.fit(by_hand(first, first), y[~held & ~inner])
            errors[leaf] = mean_squared_error(y[inner], one.predict(by_hand(train[inner], first)))
            totals[leaf] += errors[leaf]
        chosen = min(errors, key=lambda leaf: errors[leaf])
        one = DecisionTreeRegressor(min_samples_leaf=chosen, random_state=4).fit(x, y[~held])
        np.testing.assert_allclose(tree.oof[held], one.predict(x_held))  # type: ignore[index]
        trees = direct(rest, y[~held], 40, 4).predict(train.loc[held, ["a", "b", "c"]].astype({"c": str}))
        np.testing.assert_allclose(boosted.oof[held], trees)  # type: ignore[index]
    best = min(totals, key=lambda leaf: totals[leaf])
    kept = DecisionTreeRegressor(min_samples_leaf=best, random_state=4).fit(by_hand(train, train), y)
    assert tree.model is not None
    np.testing.assert_allclose(tree.model.predict(train), kept.predict(by_hand(train, train)))
    assert boosted.model is not None
    np.testing.assert_allclose(
        boosted.model.predict(train), direct(train, y, 40, 4).predict(train[["a", "b", "c"]].astype({"c": str}))
    )


@pytest.mark.parametrize("count", [2, 5])
def test_a_row_never_shapes_its_own_prediction(count: int) -> None:
    train, y = rows(80, 0)
    folds = np.arange(80) % count
    moved = y.copy()
    moved[folds == 1] += 1e4
    before, after = (fit_baselines(train, target, folds=folds, seed=0, boosting=FEW) for target in (y, moved))
    for one, other in zip(before, after, strict=True):
        assert one.oof is not None
        assert other.oof is not None
        np.testing.assert_allclose(one.oof[folds == 1], other.oof[folds == 1])
        assert np.abs(one.oof[folds == 0] - other.oof[folds == 0]).max() > 1


def test_without_validation_rows_or_folds_there_is_nothing_to_choose_by() -> None:
    train, y = rows(20, 0)
    with pytest.raises(ValueError, match="validation rows or folds"):
        fit_baselines(train, y, seed=0)
    with pytest.raises(ValueError, match="two folds"):
        fit_baselines(train, y, folds=np.zeros(20, dtype=np.int64), seed=0)
    assert fit_baselines(train, y, train, y, seed=0, boosting=FEW)[1].oof is None
