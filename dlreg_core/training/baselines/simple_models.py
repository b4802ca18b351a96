"""The simple models that a network has to beat: mean and median, ridge regression, a decision tree, boosted trees."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from dlreg_core.cleaning import AS_IT_IS, TargetTransform
from dlreg_core.networks import BASELINES
from dlreg_core.specs import CONSTANTS, BaselineStrength
from dlreg_core.training.baselines.baseline_fits import BaselineKind, BaselineRows, RowsOf, readable, validation_of
from dlreg_core.training.baselines.boosting import affordable_iterations, made_or_reason
from dlreg_core.training.planning.cost_model import BOOSTED_ITERATIONS


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
    folds: int = 0
    """How many folds boosted trees were grown without, to predict them."""
    reason: str = ""
    """Why there is no model."""
    oof: NDArray[np.float64] | None = field(default=None, compare=False)
    """Where there are folds: a prediction for each training row by a model that was fitted without its fold; NaN for
    rows of folds for which there was no time."""

    def predict(self, features: pd.DataFrame, transform: TargetTransform = AS_IT_IS) -> NDArray[np.float64]:
        """Return predictions for cleaned rows in the target's own unit; `transform` is what it was fitted with."""
        if self.model is None:
            raise ValueError(f"there is no model: {self.reason}")
        found = np.asarray(self.model.predict(features), dtype=np.float64)
        return found if self.key in CONSTANTS else transform.inverse(found)


@dataclass(frozen=True)
class Boosting:
    """How boosted trees are fitted.

    Attributes
    ----------
    threads, threads_alone : int
        Processor threads, beside the networks and before them; they change no figure.
    seconds : float, optional
        About as long as the fit on all rows may take: there are fewer trees where there isn't time for all. For the
        fits without one of the folds there is as much time once more, together: at least one of them is made.
    iterations, folds : int, optional
        Grow exactly so many trees, and so many times without one of the folds, whatever the time.
    most_rows : int, optional
        Fit on so many random training rows at most.
    """

    threads: int = 1
    threads_alone: int = 1
    seconds: float | None = None
    iterations: int | None = None
    folds: int | None = None
    most_rows: int | None = None


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
    asked: pd.DataFrame | None = None,
    when_grown: Callable[[], None] = lambda: None,
) -> tuple[Baseline, ...]:
    """Fit the baselines on cleaned training rows.

    The boosted trees come first: they are the reference, and get the machine to themselves.

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
        Fit on so many random training rows at most, where there is no time for all of them; see `Boosting` for
        boosted trees.
    folds : ndarray of int64, shape (rows,), optional
        The fold of each training row.
    boosting : Boosting
        How the boosted trees are fitted.
    transform : TargetTransform
        What they learn of the target, as networks do; all but mean and median, which would be others.
    taught : ndarray of bool, shape (rows,), optional
        Rows that may be learned from; with folds the others are predicted all the same.
    asked : pandas.DataFrame, optional
        Cleaned rows that they will have to predict: one that can't has no model.
    when_grown : callable
        Called once the boosted trees are grown on all rows, or can't be.

    Returns
    -------
    tuple of Baseline
        In the order of the catalogue. What could not be fitted, kept or asked has no model, and a reason.

    Raises
    ------
    ValueError
        If there are neither folds nor validation rows, or fewer than two folds.
    """

    def work_with(scale: TargetTransform) -> BaselineRows:
        held = None if validation_target is None else scale.forward(validation_target)
        rows = RowsOf(features, scale.forward(target))
        free = np.ones(len(target), dtype=bool) if taught is None else taught
        return BaselineRows(rows, validation_of(validation, held, folds), folds, seed, most_rows, free, scale)

    plain, work = work_with(AS_IT_IS), work_with(transform)
    try:
        first = _grown(replace(work, most_rows=boosting.most_rows), boosting, asked)
    finally:
        when_grown()
    found = [_simple(plain if key in CONSTANTS else work, key, asked) for key in BASELINES if key != "BOOSTED"]
    return (*found, _predicting_folds(first, replace(work, most_rows=boosting.most_rows), boosting))


# --- the kinds --------------------------------------------------------------------------------------------------------


def _simple(work: BaselineRows, key: str, asked: pd.DataFrame | None) -> Baseline:
    """Fit one of the kinds that take no time to speak of."""
    start = time.perf_counter()

    def make() -> tuple[Pipeline, NDArray[np.float64] | None]:
        model, oof = work.fit(BaselineKind(key, work.seed))
        _check(model, oof, (work.validation.features if work.validation is not None else None, asked))
        return model, oof

    made, reason = made_or_reason(BASELINES[key], make)
    model, oof = made or (None, None)
    return Baseline(key, model, time.perf_counter() - start, work.fitted_rows, reason=reason, oof=oof)


def _grown(work: BaselineRows, how: Boosting, asked: pd.DataFrame | None) -> Baseline:
    """Grow boosted trees on all rows, fewer than CatBoost's default where even that takes too long."""
    start = time.perf_counter()
    rows = work.train.part(work.taught).some(work.most_rows, work.seed)

    def make() -> tuple[Pipeline, int]:
        count = how.iterations or BOOSTED_ITERATIONS
        if how.iterations is None and how.seconds is not None and readable(rows):
            count = affordable_iterations(
                rows.features, rows.target, how.seconds, seed=work.seed, threads=how.threads_alone
            )
        model = work.whole(BaselineKind("BOOSTED", work.seed, how.threads_alone, count))
        _check(model, None, (work.validation.features if work.validation is not None else None, asked))
        return model, count

    made, reason = made_or_reason("CatBoost", make)
    model, count = made or (None, 0)
    return Baseline("BOOSTED", model, time.perf_counter() - start, work.fitted_rows, iterations=count, reason=reason)


def _predicting_folds(first: Baseline, work: BaselineRows, how: Boosting) -> Baseline:
    """Grow the same trees without one fold after the other, and predict it: as many folds as there is time for.

    Where time is short it is folds that are missing, not trees: the trees are judged on test rows, and what folds are
    for, the choice between simple models and the width of an interval, can be had from the rows of one.
    """
    if first.model is None or work.folds is None:
        return first
    start = time.perf_counter()

    def goes_on(done: int) -> bool:
        if how.folds is not None or how.iterations is not None or how.seconds is None:
            return how.folds is None or done < how.folds
        used = time.perf_counter() - start
        return done == 0 or used * (done + 1) / done <= how.seconds

    kind = BaselineKind("BOOSTED", work.seed, how.threads, first.iterations)
    made, reason = made_or_reason("CatBoost", lambda: work.by_folds(kind, goes_on))
    took = first.fit_seconds + time.perf_counter() - start
    if made is None:
        return replace(first, model=None, iterations=0, fit_seconds=took, reason=reason)
    return replace(first, oof=made[0], folds=made[1], fit_seconds=took)


def _check(model: Pipeline, oof: NDArray[np.float64] | None, asked: tuple[pd.DataFrame | None, ...]) -> None:
    """Keep a model and read it again, as everybody will who predicts with it, and let it predict what it will be asked.

    Raises
    ------
    ValueError
        If it predicts what is no finite number; and whatever libraries raise.
    """
    kept = pickle.loads(pickle.dumps(model))
    found = [kept.predict(rows) for rows in asked if rows is not None and len(rows)]
    if not all(np.isfinite(values).all() for values in ([oof] if oof is not None else []) + found):
        raise ValueError("its predictions are not finite numbers")


def strength(baseline: Baseline, rows: int) -> BaselineStrength | None:
    """Return what boosted trees were grown with, of `rows` training rows; None for other baselines."""
    if baseline.key != "BOOSTED" or baseline.model is None:
        return None
    return BaselineStrength(trees=baseline.iterations, rows=baseline.rows, of_rows=rows)


def boosted_folds(baselines: tuple[Baseline, ...]) -> int:
    """Return how many folds the boosted trees predicted."""
    return next((baseline.folds for baseline in baselines if baseline.key == "BOOSTED"), 0)


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
    if baseline.rows < rows and baseline.key not in CONSTANTS:
        parts.append(f"on {baseline.rows:,} of {rows:,} rows")
    if 0 < baseline.iterations < BOOSTED_ITERATIONS:
        parts.append(f"with {baseline.iterations:,} of {BOOSTED_ITERATIONS:,} trees")
    told = [f"fitted {' and '.join(parts)}"] if parts else []
    if baseline.oof is not None and not np.isfinite(baseline.oof).all():
        known = np.count_nonzero(np.isfinite(baseline.oof))
        told.append(f"validated on {known:,} of {baseline.oof.size:,} rows")
    return f"{', '.join([*told, 'since the time was short'])}.".capitalize() if told else ""
