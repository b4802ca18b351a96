"""The simple models that a network has to beat: the mean, ridge regression, a decision tree and boosted trees."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

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

from dlreg_core.prepare.target_transform import AS_IT_IS, TargetTransform
from dlreg_core.training.boosted import affordable_iterations, boosted_trees, made_or_reason
from dlreg_core.training.expected import BOOSTED_ITERATIONS

_LEAVES = (2, 5, 10, 20, 50, 100)
_SEARCH_ROWS = 30_000
_MOST_LEVELS = 50


@dataclass(frozen=True)
class Baseline:
    """A baseline that predicts from cleaned rows, or the reason why there is none."""

    key: str
    model: Pipeline | None
    """None where it could not be fitted."""
    fit_seconds: float
    """All that it cost: choosing its settings and the fits on folds too."""
    rows: int = 0
    """Training rows that it was fitted on."""
    iterations: int = 0
    """Trees of boosted trees."""
    reason: str = ""
    """Why there is no model."""
    oof: NDArray[np.float64] | None = field(default=None, compare=False)
    """Where there are folds: a prediction for each training row by a model that was fitted without its fold."""

    def predict(self, features: pd.DataFrame, transform: TargetTransform = AS_IT_IS) -> NDArray[np.float64]:
        """Return predictions for cleaned rows in the target's own unit; `transform` is what it was fitted with."""
        if self.model is None:
            raise ValueError(f"there is no model: {self.reason}")
        found = np.asarray(self.model.predict(features), dtype=np.float64)
        return found if self.key == "MEAN" else transform.inverse(found)


@dataclass(frozen=True)
class Boosting:
    """How boosted trees are fitted.

    Attributes
    ----------
    threads : int
        Processor threads; they change no figure.
    seconds : float, optional
        About as long as all fits together may take: there are fewer trees where there isn't time for all.
    iterations : int, optional
        Grow exactly so many trees, whatever the time.
    """

    threads: int = 1
    seconds: float | None = None
    iterations: int | None = None


def fit_baselines(  # noqa: PLR0913 - what fits need
    features: pd.DataFrame,
    target: NDArray[np.float64],
    validation: pd.DataFrame | None = None,
    validation_target: NDArray[np.float64] | None = None,
    *,
    seed: int,
    most_rows: int | None = None,
    folds: NDArray[np.int64] | None = None,
    boosting: Boosting = Boosting(),
    transform: TargetTransform = AS_IT_IS,
    taught: NDArray[np.bool_] | None = None,
) -> tuple[Baseline, ...]:
    """Fit the baselines on cleaned training rows.

    Ridge chooses its penalty by leave-one-out on the rows that it is fitted on, the tree its leaf size on the
    validation rows. With folds there are none: for each fold the leaf size is chosen on the next one, which the scored
    rows are no part of; the kept models are fitted on all rows, with the leaf size that was best over all folds.

    Parameters
    ----------
    features : pandas.DataFrame
        Cleaned rows.
    target : ndarray of float64
        Their targets.
    validation, validation_target : optional
        The same of the validation rows, where there are no folds.
    seed : int
        Seed of the trees, and of the choice of rows.
    most_rows : int, optional
        Fit on so many random training rows at most, where there is no time for all of them.
    folds : ndarray of int64, shape (rows,), optional
        The fold of each training row.
    boosting : Boosting
        How the boosted trees are fitted.
    transform : TargetTransform
        What they learn of the target, as networks do; all but the mean, which would be another one.
    taught : ndarray of bool, shape (rows,), optional
        Rows that may be learned from; with folds the others are predicted all the same.

    Returns
    -------
    tuple of Baseline
        In the order of the catalogue. Boosted trees that could not be fitted have no model, and a reason.

    Raises
    ------
    ValueError
        If there are neither folds nor validation rows, or fewer than two folds.
    """

    def work_with(scale: TargetTransform) -> _Work:
        held = None if validation_target is None else scale.forward(validation_target)
        rows = _Rows(features, scale.forward(target))
        free = np.ones(len(target), dtype=bool) if taught is None else taught
        return _Work(rows, _validation(validation, held, folds), folds, seed, most_rows, free, scale)

    plain, work = work_with(AS_IT_IS), work_with(transform)
    found = []
    for key in ("MEAN", "RIDGE", "TREE"):
        start = time.perf_counter()
        model, oof = (plain if key == "MEAN" else work).fit(_Kind(key, seed))
        found.append(Baseline(key, model, time.perf_counter() - start, work.fitted_rows, oof=oof))
    return (*found, _boosted(work, boosting))


# --- rows and folds ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Rows:
    features: pd.DataFrame
    target: NDArray[np.float64]

    def part(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> _Rows:
        return _Rows(self.features.iloc[chosen], self.target[chosen])

    def some(self, most: int | None, seed: int) -> _Rows:
        """Return random rows in their own order, at most so many."""
        if most is None or len(self.target) <= most:
            return self
        return self.part(np.sort(np.random.default_rng(seed).permutation(len(self.target))[:most]))


def _validation(
    features: pd.DataFrame | None, target: NDArray[np.float64] | None, folds: NDArray[np.int64] | None
) -> _Rows | None:
    if folds is None:
        if features is None or target is None:
            raise ValueError("the baselines need validation rows or folds")
        return _Rows(features, target)
    if len(np.unique(folds)) < 2:
        raise ValueError("there must be two folds at least")
    return None


@dataclass(frozen=True)
class _Kind:
    """A kind of baseline: how to make one that is yet to be fitted, and which settings there are to choose from."""

    key: str
    seed: int
    threads: int = 1
    iterations: int = BOOSTED_ITERATIONS

    def leaf_errors(self, train: _Rows, validation: _Rows) -> Mapping[int, float]:
        """Return the mean squared error of each leaf size that a tree may have; nothing for other kinds."""
        if self.key != "TREE" or not _readable(train):
            return {}
        few = np.random.default_rng(self.seed).permutation(len(train.target))[:_SEARCH_ROWS]
        sample, errors = train.part(few), {}
        for leaf in _LEAVES:
            model = self.make(sample, leaf).fit(sample.features, sample.target)
            errors[leaf] = float(np.mean((model.predict(validation.features) - validation.target) ** 2))
        return errors

    def make(self, train: _Rows, leaf: int) -> Pipeline:
        # With text alone, the others have nothing to go by and predict the mean too.
        if self.key == "MEAN" or not _readable(train):
            return make_pipeline(DummyRegressor())
        if self.key == "RIDGE":
            return make_pipeline(_encoder(), RidgeCV(alphas=np.logspace(-3, 4, 15)))
        if self.key == "TREE":
            tree: RegressorMixin = DecisionTreeRegressor(min_samples_leaf=leaf, random_state=self.seed)
            return make_pipeline(_encoder(), tree)
        return boosted_trees(train.features, self.iterations, seed=self.seed, threads=self.threads)


@dataclass(frozen=True)
class _Work:
    """The rows, and how they are divided."""

    train: _Rows
    validation: _Rows | None
    folds: NDArray[np.int64] | None
    seed: int
    most_rows: int | None
    taught: NDArray[np.bool_]
    transform: TargetTransform = AS_IT_IS

    @property
    def fitted_rows(self) -> int:
        count = int(self.taught.sum())
        return count if self.most_rows is None else min(count, self.most_rows)

    @property
    def fits(self) -> int:
        return 1 if self.folds is None else 1 + len(np.unique(self.folds))

    def fit(self, kind: _Kind) -> tuple[Pipeline, NDArray[np.float64] | None]:
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

    def _some(self, chosen: NDArray[np.bool_]) -> _Rows:
        return self.train.part(chosen & self.taught).some(self.most_rows, self.seed)

    @staticmethod
    def _fitted(kind: _Kind, rows: _Rows, errors: Mapping[int, float]) -> Pipeline:
        leaf = min(errors, key=lambda leaf: errors[leaf], default=1)
        fitted: Pipeline = kind.make(rows, leaf).fit(rows.features, rows.target)
        return fitted


# --- the kinds --------------------------------------------------------------------------------------------------------


def _boosted(work: _Work, how: Boosting) -> Baseline:
    """Fit boosted trees, fewer than CatBoost's default where the time is short."""
    start = time.perf_counter()
    rows = work.train.part(work.taught).some(work.most_rows, work.seed)

    def make() -> tuple[Pipeline, NDArray[np.float64] | None, int]:
        count = how.iterations or BOOSTED_ITERATIONS
        if how.iterations is None and how.seconds is not None and _readable(rows):
            count = affordable_iterations(
                rows.features, rows.target, how.seconds, seed=work.seed, threads=how.threads, fits=work.fits
            )
        return *work.fit(_Kind("BOOSTED", work.seed, how.threads, count)), count

    made, reason = made_or_reason(make)
    model, oof, count = made or (None, None, 0)
    took = time.perf_counter() - start
    return Baseline("BOOSTED", model, took, work.fitted_rows, iterations=count, reason=reason, oof=oof)


def boosted_iterations(baselines: tuple[Baseline, ...]) -> int:
    """Return how many boosted trees were grown; 0 where there are none."""
    return next((baseline.iterations for baseline in baselines if baseline.key == "BOOSTED"), 0)


def shortage_note(baseline: Baseline, rows: int) -> str:
    """Return what a baseline had to do without for lack of time, as a note on the leaderboard; empty where nothing.

    Parameters
    ----------
    baseline : Baseline
        A fitted baseline.
    rows : int
        Training rows that there are.
    """
    parts = []
    if baseline.rows < rows and baseline.key != "MEAN":
        parts.append(f"on {baseline.rows:,} of {rows:,} rows")
    if 0 < baseline.iterations < BOOSTED_ITERATIONS:
        parts.append(f"with {baseline.iterations:,} of {BOOSTED_ITERATIONS:,} trees")
    return f"Fitted {' and '.join(parts)}, since the time was short." if parts else ""


def _readable(rows: _Rows) -> bool:
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
