"""The baselines against scikit-learn and CatBoost used directly, on a matrix that is made by hand."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from catboost import CatBoostError, CatBoostRegressor
from sklearn.linear_model import Ridge, RidgeCV
from sklearn.metrics import mean_squared_error
from sklearn.tree import DecisionTreeRegressor

from dlreg_core.array_types import Floats
from dlreg_core.specs import BaselineStrength
from dlreg_core.training.baselines import boosting, simple_models
from dlreg_core.training.baselines.simple_models import (
    Baseline,
    Boosting,
    boosted_folds,
    boosted_iterations,
    fit_baselines,
    shortage_note,
    strength,
)

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


def predicted_by(baseline: Baseline, frame: pd.DataFrame) -> Floats:
    assert baseline.model is not None
    return np.asarray(baseline.model.predict(frame))


def test_each_is_what_scikit_learn_makes_of_the_same_matrix() -> None:
    (train, y), (valid, y_valid), (test, _) = rows(200, 0), rows(60, 1), rows(50, 2)
    mean, median, ridge, tree, boosted = fit_baselines(train, y, valid, y_valid, seed=4)
    assert [m.key for m in (mean, median, ridge, tree, boosted)] == ["MEAN", "MEDIAN", "RIDGE", "TREE", "BOOSTED"]
    np.testing.assert_allclose(predicted_by(mean, test), y.mean())
    np.testing.assert_allclose(predicted_by(median, test), np.median(y))
    x, x_valid, x_test = (by_hand(part, train) for part in (train, valid, test))
    alpha = RidgeCV(alphas=np.logspace(-3, 4, 15)).fit(x, y).alpha_
    np.testing.assert_allclose(predicted_by(ridge, test), Ridge(alpha=alpha).fit(x, y).predict(x_test), rtol=1e-6)
    trees = [DecisionTreeRegressor(min_samples_leaf=leaf, random_state=4).fit(x, y) for leaf in (2, 5, 10, 20, 50, 100)]
    best = min(trees, key=lambda t: mean_squared_error(y_valid, t.predict(x_valid)))
    np.testing.assert_allclose(predicted_by(tree, test), best.predict(x_test))
    assert all(m.fit_seconds >= 0 for m in (mean, ridge, tree, boosted))


def test_levels_and_gaps_never_seen_are_answered() -> None:
    (train, y), (valid, y_valid) = rows(100, 0), rows(30, 1)
    odd = valid.assign(a=np.nan, c=pd.Categorical(["never", None] * 15))
    for baseline in fit_baselines(train, y, valid, y_valid, seed=0, boosting=FEW):
        assert np.isfinite(predicted_by(baseline, odd)).all()


@pytest.mark.parametrize("columns", [["a"], ["c"], ["text"], ["a", "text"]])
def test_any_kind_of_columns_alone(columns: list[str]) -> None:
    (train, y), (valid, y_valid) = rows(100, 0), rows(30, 1)
    for baseline in fit_baselines(train[columns], y, valid[columns], y_valid, seed=0, boosting=FEW):
        predicted = predicted_by(baseline, valid[columns])
        assert np.isfinite(predicted).all()
        if columns == ["text"]:
            constant = np.median(y) if baseline.key == "MEDIAN" else y.mean()
            np.testing.assert_allclose(predicted, constant, rtol=1e-9)


def test_with_fewer_rows_than_the_largest_leaf() -> None:
    train, y = rows(12, 0)
    assert len(fit_baselines(train, y, train, y, seed=0, boosting=FEW)) == 5


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
    ("seconds", "trees"), [(100.0, 89), (660.0, 649), (680.0, 1000), (1e5, 1000), (8.0, boosting.FEWEST_ITERATIONS)]
)
def test_as_many_trees_as_there_is_time_for(seconds: float, trees: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that moves by a second whenever it is read: ten trees are measured, or two in 8 seconds."""
    clock = itertools.count()
    monkeypatch.setattr(time, "perf_counter", lambda: float(next(clock)))
    train, y = rows(100, 0)
    assert boosting.affordable_iterations(train, y, seconds, seed=0, threads=1) == trees


def test_where_the_time_is_short_there_are_fewer_trees_and_a_note() -> None:
    train, y = rows(400, 0)
    short = Boosting(seconds=1e-6, most_rows=100)
    found = fit_baselines(train, y, train[:9], y[:9], seed=0, most_rows=100, boosting=short)
    assert boosted_iterations(found) == boosting.FEWEST_ITERATIONS
    assert shortage_note(boosted_of(found), 400) == (
        "Fitted on 100 of 400 rows and with 30 of 1,000 trees, since the time was short."
    )
    assert shortage_note(found[2], 400) == "Fitted on 100 of 400 rows, since the time was short."
    assert [shortage_note(constant, 400) for constant in found[:2]] == ["", ""]
    assert strength(boosted_of(found), 400) == BaselineStrength(trees=30, rows=100, of_rows=400)
    assert strength(found[2], 400) is None


def test_where_the_time_is_short_folds_are_missing_and_not_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    train, y = rows(160, 0)
    folds, grown = np.arange(160) % 8, []
    monkeypatch.setattr(simple_models, "affordable_iterations", lambda *_, **__: 40)
    boosted = boosted_of(
        fit_baselines(
            train, y, folds=folds, seed=0, boosting=Boosting(seconds=1e-6), when_grown=lambda: grown.append(1)
        )
    )
    assert grown == [1]
    assert (boosted.iterations, boosted.folds, boosted_folds((boosted,))) == (40, 1, 1)
    assert boosted.oof is not None
    assert np.array_equal(np.isfinite(boosted.oof), folds == 0)
    assert shortage_note(boosted, 160) == (
        "Fitted with 40 of 1,000 trees, validated on 20 of 160 rows, since the time was short."
    )
    full = replace(boosted, iterations=1000)
    assert shortage_note(full, 160) == "Validated on 20 of 160 rows, since the time was short."
    assert shortage_note(replace(full, oof=np.zeros(160)), 160) == ""
    # Just so many again, whatever the clock says.
    exact = Boosting(seconds=1e-6, iterations=40, folds=3)
    again = boosted_of(fit_baselines(train, y, folds=folds, seed=0, boosting=exact))
    assert again.oof is not None
    assert np.array_equal(np.isfinite(again.oof), folds < 3)
    np.testing.assert_array_equal(again.oof[folds == 0], boosted.oof[folds == 0])


def test_the_boosted_trees_come_first_and_have_the_machine_to_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    train, y = rows(60, 0)
    order: list[str] = []

    def noted(what: str, make: Callable[[], Any]) -> Any:
        order.append(what)
        return boosting.made_or_reason(what, make)

    monkeypatch.setattr(simple_models, "made_or_reason", noted)
    fit_baselines(train, y, train, y, seed=0, boosting=FEW, when_grown=lambda: order.append("the networks may begin"))
    assert order[:3] == ["CatBoost", "the networks may begin", "Mean"]


def test_boosted_trees_that_fail_let_the_networks_begin() -> None:
    train, y = rows(60, 0)
    begun: list[bool] = []
    fit_baselines(train, np.full(60, 3.0), train, y, seed=0, boosting=FEW, when_grown=lambda: begun.append(True))
    assert begun == [True]


def test_one_baseline_that_fails_leaves_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    train, y = rows(60, 0)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no such luck")

    monkeypatch.setattr(RidgeCV, "fit", broken)
    found = {one.key: one for one in fit_baselines(train, y, train, y, seed=0, boosting=FEW)}
    assert found["RIDGE"].model is None
    assert found["RIDGE"].reason == "Ridge regression could not be fitted: no such luck."
    assert all(one.model is not None for key, one in found.items() if key != "RIDGE")


def test_what_can_not_be_kept_or_asked_is_no_baseline() -> None:
    train, y = rows(60, 0)
    # CatBoost writes leaf values that it can't read back.
    found = {one.key: one for one in fit_baselines(train, y * 1e19, train, y * 1e19, seed=0, boosting=FEW)}
    assert found["BOOSTED"].reason.startswith("CatBoost could not be fitted: Not a double")
    assert found["RIDGE"].model is not None
    far = train.assign(a=np.where(np.arange(60) == 3, 1e40, train["a"]))
    found = {one.key: one for one in fit_baselines(train, y, train, y, seed=0, boosting=FEW, asked=far)}
    assert found["TREE"].model is None
    assert found["TREE"].reason.startswith("Decision tree could not be fitted: Input X contains infinity")
    assert found["MEDIAN"].model is not None


def test_boosted_trees_that_fail_say_why(monkeypatch: pytest.MonkeyPatch) -> None:
    train, y = rows(60, 0)
    found = boosted_of(fit_baselines(train, np.full(60, 3.0), train, y, seed=0, boosting=FEW))
    assert (found.model, found.iterations) == (None, 0)
    assert found.reason == "CatBoost could not be fitted: All train targets are equal."
    monkeypatch.setitem(sys.modules, "catboost", None)
    *others, found = fit_baselines(train, y, train, y, seed=0)
    assert found.reason.startswith("CatBoost could not be fitted: import of catboost halted")
    assert all(baseline.model is not None for baseline in others)


def test_reasons_are_one_line_without_places_in_sources() -> None:
    def fail(error: BaseException) -> None:
        raise error

    assert boosting.made_or_reason("CatBoost", lambda: fail(CatBoostError("a/b.cpp:12: bad allocation\nstack"))) == (
        None,
        "CatBoost could not be fitted: bad allocation.",
    )
    assert boosting.made_or_reason("It", lambda: fail(MemoryError()))[1] == "It could not be fitted: MemoryError."
    with pytest.raises(KeyboardInterrupt):
        boosting.made_or_reason("It", lambda: fail(KeyboardInterrupt()))


# --- folds ------------------------------------------------------------------------------------------------------------


def test_out_of_fold_predictions_by_hand() -> None:
    train, y = rows(150, 0)
    folds = np.arange(150) % 3
    mean, median, ridge, tree, boosted = fit_baselines(train, y, folds=folds, seed=4, boosting=FEW)
    totals = dict.fromkeys((2, 5, 10, 20, 50, 100), 0.0)
    for fold in range(3):
        held, inner = folds == fold, folds == (fold + 1) % 3
        rest, first = train[~held], train[~held & ~inner]
        x, x_held = by_hand(rest, rest), by_hand(train[held], rest)
        assert mean.oof is not None
        np.testing.assert_allclose(mean.oof[held], y[~held].mean())
        np.testing.assert_allclose(median.oof[held], np.median(y[~held]))  # type: ignore[index]
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
    np.testing.assert_allclose(predicted_by(tree, train), kept.predict(by_hand(train, train)))
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
