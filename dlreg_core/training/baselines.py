"""The simple models that a network has to beat: the mean, ridge regression and a decision tree."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.dummy import DummyRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeRegressor

_LEAVES = (2, 5, 10, 20, 50, 100)
_SEARCH_ROWS = 30_000
_MOST_LEVELS = 50


@dataclass(frozen=True)
class Baseline:
    """A fitted baseline: it predicts from cleaned rows."""

    key: str
    model: Pipeline
    fit_seconds: float
    rows: int = 0
    """Training rows that it was fitted on."""


def fit_baselines(
    features: pd.DataFrame,
    target: NDArray[np.float64],
    validation: pd.DataFrame,
    validation_target: NDArray[np.float64],
    *,
    seed: int,
    most_rows: int | None = None,
) -> tuple[Baseline, ...]:
    """Fit the three baselines on cleaned training rows.

    Ridge chooses its penalty by leave-one-out on the training rows, the tree its leaf size on the validation rows.

    Parameters
    ----------
    features, validation : pandas.DataFrame
        Cleaned rows.
    target, validation_target : ndarray of float64
        Their targets.
    seed : int
        Seed of the tree, and of the choice of rows.
    most_rows : int, optional
        Fit on so many random training rows at most, where there is no time for all of them.
    """
    found = []
    if most_rows is not None and len(features) > most_rows:
        chosen = np.sort(np.random.default_rng(seed).permutation(len(features))[:most_rows])
        features, target = features.iloc[chosen], target[chosen]
    # With text alone, ridge and tree have nothing to go by and predict the mean too.
    readable = features.select_dtypes(["number", "category"]).shape[1] > 0
    for key in ("MEAN", "RIDGE", "TREE"):
        start = time.perf_counter()
        if key == "MEAN" or not readable:
            model = make_pipeline(DummyRegressor())
        elif key == "RIDGE":
            model = make_pipeline(_encoder(), RidgeCV(alphas=np.logspace(-3, 4, 15)))
        else:
            model = _tree(_best_leaf(features, target, validation, validation_target, seed), seed)
        model.fit(features, target)
        found.append(Baseline(key, model, time.perf_counter() - start, len(features)))
    return tuple(found)


def _encoder() -> ColumnTransformer:
    """Numbers standardised, categories one-hot; text is left to the networks."""
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    levels = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=_MOST_LEVELS, sparse_output=False)
    return ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("levels", levels, make_column_selector(dtype_include="category")),
        ]
    )


def _tree(leaf: int, seed: int) -> Pipeline:
    tree: RegressorMixin = DecisionTreeRegressor(min_samples_leaf=leaf, random_state=seed)
    return make_pipeline(_encoder(), tree)


def _best_leaf(
    features: pd.DataFrame,
    target: NDArray[np.float64],
    validation: pd.DataFrame,
    validation_target: NDArray[np.float64],
    seed: int,
) -> int:
    few = np.random.default_rng(seed).permutation(len(features))[:_SEARCH_ROWS]
    errors = {}
    for leaf in _LEAVES:
        model = _tree(leaf, seed).fit(features.iloc[few], target[few])
        errors[leaf] = float(np.mean((model.predict(validation) - validation_target) ** 2))
    return min(errors, key=lambda leaf: errors[leaf])
