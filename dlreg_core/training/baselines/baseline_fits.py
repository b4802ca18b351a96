"""How each kind of baseline is fitted, on all rows and without one fold after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
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

from dlreg_core.cleaning import AS_IT_IS, TargetTransform
from dlreg_core.training.baselines.boosting import boosted_trees
from dlreg_core.training.planning.cost_model import BOOSTED_ITERATIONS

_LEAVES = (2, 5, 10, 20, 50, 100)
_SEARCH_ROWS = 30_000
_MOST_LEVELS = 50


@dataclass(frozen=True)
class RowsOf:
    """Cleaned rows and their targets."""

    features: pd.DataFrame
    target: NDArray[np.float64]

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> RowsOf:
        """Return some of the rows."""
        return RowsOf(self.features.iloc[chosen], self.target[chosen])

    def some(self, most: int | None, seed: int) -> RowsOf:
        """Return random rows in their own order, at most so many."""
        if most is None or len(self.target) <= most:
            return self
        return self.part(np.sort(np.random.default_rng(seed).permutation(len(self.target))[:most]))


def validation_of(
    features: pd.DataFrame | None, target: NDArray[np.float64] | None, folds: NDArray[np.int64] | None
) -> RowsOf | None:
    """Return the rows that choose where there are no folds; raise ValueError where there is neither."""
    if folds is None:
        if features is None or target is None:
            raise ValueError("the baselines need validation rows or folds")
        return RowsOf(features, target)
    if len(np.unique(folds)) < 2:
        raise ValueError("there must be two folds at least")
    return None


@dataclass(frozen=True)
class BaselineKind:
    """A kind of baseline: how to make one that is yet to be fitted, and which settings there are to choose from."""

    key: str
    seed: int
    threads: int = 1
    iterations: int = BOOSTED_ITERATIONS

    def leaf_errors(self, train: RowsOf, validation: RowsOf) -> Mapping[int, float]:
        """Return the mean squared error of each leaf size that a tree may have; nothing for other kinds."""
        if self.key != "TREE" or not readable(train):
            return {}
        few = np.random.default_rng(self.seed).permutation(len(train.target))[:_SEARCH_ROWS]
        sample, errors = train.part(few), {}
        for leaf in _LEAVES:
            model = self.make(sample, leaf).fit(sample.features, sample.target)
            errors[leaf] = float(np.mean((model.predict(validation.features) - validation.target) ** 2))
        return errors

    def make(self, train: RowsOf, leaf: int) -> Pipeline:
        """Return a model that is yet to be fitted on such rows; only a tree has a leaf size."""
        # With text alone, the others have nothing to go by and predict the mean too.
        if self.key == "MEDIAN":
            return make_pipeline(DummyRegressor(strategy="median"))
        if self.key == "MEAN" or not readable(train):
            return make_pipeline(DummyRegressor())
        if self.key == "RIDGE":
            return make_pipeline(_encoder(), RidgeCV(alphas=np.logspace(-3, 4, 15)))
        if self.key == "TREE":
            tree: RegressorMixin = DecisionTreeRegressor(min_samples_leaf=leaf, random_state=self.seed)
            return make_pipeline(_encoder(), tree)
        return boosted_trees(train.features, self.iterations, seed=self.seed, threads=self.threads)


@dataclass(frozen=True)
class BaselineRows:
    """The rows, and how they are divided."""

    train: RowsOf
    validation: RowsOf | None
    folds: NDArray[np.int64] | None
    seed: int
    most_rows: int | None
    taught: NDArray[np.bool_]
    transform: TargetTransform = AS_IT_IS

    @property
    def fitted_rows(self) -> int:
        """How many rows the fit on all rows gets."""
        count = int(self.taught.sum())
        return count if self.most_rows is None else min(count, self.most_rows)

    def fit(self, kind: BaselineKind) -> tuple[Pipeline, NDArray[np.float64] | None]:
        """Fit one kind on all rows; with folds, also predict each of them from the others."""
        errors: Counter[int] = Counter()
        oof = None if self.folds is None else np.empty(len(self.train.target))
        for held, inner in self._turns():
            found = kind.leaf_errors(self._some(~held & ~inner), self.train.part(inner))
            errors.update(found)
            model = self._fitted(kind, self._some(~held), found)
            if oof is not None:
                oof[held] = self.transform.inverse(model.predict(self.train.features.iloc[held]))
        everything = self.train.part(self.taught).some(self.most_rows, self.seed)
        if self.validation is not None:
            errors.update(kind.leaf_errors(everything, self.validation))
        return self._fitted(kind, everything, errors), oof

    def whole(self, kind: BaselineKind) -> Pipeline:
        """Fit one kind that chooses nothing on all rows."""
        return self._fitted(kind, self.train.part(self.taught).some(self.most_rows, self.seed), {})

    def by_folds(self, kind: BaselineKind, goes_on: Callable[[int], bool]) -> tuple[NDArray[np.float64], int]:
        """Predict rows from those of the other folds, fold by fold for as long as it `goes_on`; NaN for the others."""
        oof, done = np.full(len(self.train.target), np.nan), 0
        for held, _ in self._turns():
            if not goes_on(done):
                break
            model = self._fitted(kind, self._some(~held), {})
            oof[held] = self.transform.inverse(model.predict(self.train.features.iloc[held]))
            done += 1
        return oof, done

    def _turns(self) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
        """Yield, for each fold, which rows it holds, and which of the others choose the settings."""
        if self.folds is None:
            return
        numbers = np.unique(self.folds)
        rng = np.random.default_rng(self.seed)
        for place, number in enumerate(numbers):
            held = self.folds == number
            following = self.folds == numbers[(place + 1) % len(numbers)]
            # Of two folds the other one must do for both: a fifth of it chooses.
            yield held, following if len(numbers) > 2 else following & (rng.random(len(held)) < 0.2)

    def _some(self, chosen: NDArray[np.bool_]) -> RowsOf:
        return self.train.part(chosen & self.taught).some(self.most_rows, self.seed)

    @staticmethod
    def _fitted(kind: BaselineKind, rows: RowsOf, errors: Mapping[int, float]) -> Pipeline:
        leaf = min(errors, key=lambda leaf: errors[leaf], default=1)
        fitted: Pipeline = kind.make(rows, leaf).fit(rows.features, rows.target)
        return fitted


def readable(rows: RowsOf) -> bool:
    """Return True where there is a column that a baseline can read: text alone says nothing to it."""
    return bool(rows.features.select_dtypes(["number", "category"]).shape[1] > 0)


def _encoder() -> ColumnTransformer:
    """Numbers standardised, categories one-hot; of texts, their figures."""
    numbers = make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler())
    levels = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=_MOST_LEVELS, sparse_output=False)
    return ColumnTransformer(
        [
            ("numbers", numbers, make_column_selector(dtype_include="number")),
            ("levels", levels, make_column_selector(dtype_include="category")),
        ]
    )
