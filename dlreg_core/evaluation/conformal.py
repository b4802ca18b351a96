"""Prediction intervals for any model, from its errors on rows that it wasn't trained on."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import betabinom

from dlreg_core.array_types import Floats
from dlreg_core.cleaning import AS_IT_IS, TargetTransform
from dlreg_core.evaluation.arrays import finite, pair
from dlreg_core.pipeline import PredictionInterval

_LEVEL = 0.9

_LEAST_ROWS = 200
"""With fewer, half of them neither tell how errors vary nor where 90 % of them lie."""

_MOST_CHOOSING = 20_000
"""More rows than this hardly choose otherwise, and are better kept to calibrate."""

_PARTS = 5
_BIN_ROWS, _MOST_BINS = 40, 20
_POOLED_ROWS = 10
"""A bin's mean error is drawn towards that of all rows as if so many of its rows had it."""

_LEAST_SPREAD = 0.1
"""Part of the mean error that a bin is given at least: its rows may be right by luck."""

_CLEARLY, _ERRORS = 0.02, 2.0
"""By how much, and by how many standard errors, intervals that vary must be better than constant ones."""


def half_width(residuals: ArrayLike, level: float = _LEVEL) -> float:
    """Return half the width of a prediction interval, by split conformal prediction.

    Parameters
    ----------
    residuals : array_like of shape (n,)
        actual - predicted on calibration rows: rows that the model wasn't fitted on, and no test rows.
    level : float
        Share of new rows that the interval is to hold, between 0 and 1.

    Returns
    -------
    float
        The ceil((n + 1) * level)-th smallest absolute residual, in units of the target. With fewer than
        level / (1 - level) rows the promise would need an infinite interval; the largest residual is returned then,
        which holds n / (n + 1) of new rows on average.

    Raises
    ------
    ValueError
        If there are no residuals, or any is missing or infinite, or `level` is out of range.

    Notes
    -----
    Vovk, Gammerman & Shafer (2005), *Algorithmic Learning in a Random World*; Lei, G'Sell, Rinaldo, Tibshirani &
    Wasserman (2018), "Distribution-free predictive inference for regression", JASA 113. New rows that come from
    where the calibration rows came from are covered with at least the probability `level`.
    """
    if not 0 < level < 1:
        raise ValueError(f"the level of an interval lies between 0 and 1, not at {level}")
    return _ranked(np.abs(finite(residuals, "residuals")), level)


def calibrate(
    actual: ArrayLike,
    predicted: ArrayLike,
    *,
    least: float,
    transform: TargetTransform = AS_IT_IS,
    level: float = _LEVEL,
) -> PredictionInterval:
    """Fit prediction intervals: constant ones, or ones that vary with the prediction where those are clearly better.

    Parameters
    ----------
    actual, predicted : array_like of shape (n,)
        Targets and predictions of calibration rows: rows that the model wasn't fitted on, and no test rows.
    least : float
        The smallest known target, of training and calibration rows. Where it isn't negative, no end is: what lies
        below 0 then is taken off without losing any row whose target doesn't either.
    transform : TargetTransform
        The scale that the models have learned the target on.
    level : float
        Share of new rows that the intervals are to hold, between 0 and 1.

    Raises
    ------
    ValueError
        If there are no rows, or a number is missing or infinite, or `level` is out of range.

    Notes
    -----
    Errors may be measured in the target's unit or on another scale (the one that was learned; else the logarithm, where
    no known target is negative), and divided by their mean size at such a prediction or not. Each pair of these gives
    conformal intervals: normalised nonconformity scores (Papadopoulos, Gammerman & Vovk 2008, "Normalized nonconformity
    measures for regression conformal prediction"), locally weighted (Lei et al. 2018, section 5.2). Conformalised
    quantile regression (Romano, Patterson & Candès 2019) would need two more networks for each.

    A random half of the calibration rows, 20,000 at most, chooses, by cross-validation, the pair with the smallest mean
    interval score (Gneiting & Raftery 2007, JASA 102), which counts the width and what a missed target is off; and fits
    the mean sizes. The others give the order statistic, as in `half_width`. They have had no say in the choice, so that
    the promise is that of `half_width`. Constant intervals are kept unless others are clearly better, and rest on all
    rows.
    """
    truth, guess = pair(actual, predicted)
    lowest = 0.0 if least >= 0 else None
    constant = PredictionInterval(factor=half_width(truth - guess, level), least=lowest)
    if truth.size < _LEAST_ROWS:
        return constant
    order = np.random.default_rng(0).permutation(truth.size)
    choosing, rest = np.split(order, [min(truth.size // 2, _MOST_CHOOSING)])
    scales = _scales(least, lowest, transform)
    chosen = _choose(truth[choosing], guess[choosing], scales, level)
    if chosen is None:
        return constant
    scale, local = chosen
    shaped = _shaped(scale, truth[choosing], guess[choosing], local=local)
    fitted = _with_factor(shaped, truth[rest], guess[rest], level)
    # A power may have no end to give for what its models can still predict.
    ends = np.array([guess.min(), guess.max(), *transform.inverse(np.array([-np.inf, np.inf]))])
    return fitted if all(np.isfinite(b).all() for b in fitted.bounds(ends[np.isfinite(ends)])) else constant


def gap_factor(interval: PredictionInterval, actual: ArrayLike, predicted: ArrayLike, level: float = _LEVEL) -> float:
    """Return the factor that intervals need for predictions that were made without some column.

    Parameters
    ----------
    interval : PredictionInterval
        The intervals of complete rows.
    actual, predicted : array_like of shape (n,)
        Targets of calibration rows, and what is predicted of them without the column.
    level : float
        Share of such rows that the intervals are to hold.

    Returns
    -------
    float
        The order statistic of `half_width`, of the scores of these intervals; never less than their own factor.
    """
    truth, guess = pair(actual, predicted)
    return max(interval.factor, _ranked(interval.scores(truth, guess), level))


def coverage(actual: ArrayLike, predicted: ArrayLike, interval: PredictionInterval) -> float:
    """Return the share of rows that lie inside their intervals, ends included.

    Raises
    ------
    ValueError
        If the lengths differ, or either is empty or holds missing or infinite values.
    """
    truth, guess = pair(actual, predicted)
    low, high = interval.bounds(guess)
    return float(np.mean((low <= truth) & (truth <= high)))


def calibrating_rows(rows: int, *, varies: bool) -> int:
    """Return how many of the calibration rows gave the order statistic of what `calibrate` has fitted to all of them.

    Parameters
    ----------
    rows : int
        Calibration rows.
    varies : bool
        Whether the intervals vary with the prediction: the rows that chose them have no part in it then.
    """
    return rows - min(rows // 2, _MOST_CHOOSING) if varies else rows


def likely_coverage(
    calibrating: int, tested: int, level: float = _LEVEL, probability: float = 0.95
) -> tuple[float, float]:
    """Return between which shares of test rows valid intervals hold, with some probability.

    Parameters
    ----------
    calibrating : int
        Rows that gave the order statistic.
    tested : int
        Test rows.
    level : float
        What the intervals promise.
    probability : float
        How often the share lies between both ends, at least.

    Notes
    -----
    What split conformal intervals hold of all new rows is itself drawn, with the calibration rows, from a beta
    distribution (Vovk 2012, "Conditional validity of inductive conformal predictors"), and of so many test rows it
    holds a beta-binomial number (Angelopoulos & Bates 2023, *Conformal Prediction: A Gentle Introduction*, section
    3.2). Equal errors only make intervals hold more.
    """
    rank = _rank(calibrating, level)
    counts = betabinom(tested, rank, calibrating + 1 - rank)
    beyond = (1 - probability) / 2
    return float(counts.ppf(beyond)) / tested, float(counts.ppf(1 - beyond)) / tested


def interval_scores(actual: Floats, low: Floats, high: Floats, level: float = _LEVEL) -> Floats:
    """Return each row's interval score: the width, and 2 / (1 - level) times what the target lies outside of it."""
    outside = np.maximum(low - actual, 0.0) + np.maximum(actual - high, 0.0)
    return np.asarray(high - low + 2 / (1 - level) * outside)


def _ranked(scores: Floats, level: float) -> float:
    position = _rank(scores.size, level) - 1
    return float(np.partition(scores, position)[position])


def _rank(rows: int, level: float) -> int:
    # Without the small step back, 30 * 0.9 = 27.000000000000004 would ask for the 28th.
    return min(rows, math.ceil((rows + 1) * level - 1e-9))


def _scales(least: float, lowest: float | None, transform: TargetTransform) -> tuple[PredictionInterval, ...]:
    """Return unfitted intervals, one for each scale; the target's own first."""
    own = PredictionInterval(factor=1.0, least=lowest)
    # A validation row may lie where the learned scale, fitted on training rows, has no value.
    if transform.method == "none" or not np.isfinite(transform.bent(np.array([least]))).all():
        if least < 0:
            return (own,)
        transform = TargetTransform(method="log", shift=1.0 if least == 0 else 0.0)
    floor = None if transform.method == "yeo-johnson" else least
    return own, own.model_copy(update={"scale": transform, "floor": floor})


def _choose(
    truth: Floats, guess: Floats, scales: tuple[PredictionInterval, ...], level: float
) -> tuple[PredictionInterval, bool] | None:
    """Return the scale, and whether errors are divided by their size there; None for the target's own undivided."""
    pairs = [(scale, local) for scale in scales for local in (False, True)]
    scores = np.empty((len(pairs), truth.size))
    for held, others in _folds(truth.size):
        for row, (scale, local) in enumerate(pairs):
            shaped = _shaped(scale, truth[others], guess[others], local=local)
            fitted = _with_factor(shaped, truth[others], guess[others], level)
            scores[row, held] = interval_scores(truth[held], *fitted.bounds(guess[held]), level)
    means = scores.mean(axis=1)
    best = int(np.argmin(np.where(np.isfinite(means), means, np.inf)))
    gains = scores[0] - scores[best]
    error = float(gains.std(ddof=1)) / math.sqrt(truth.size)
    clear = gains.mean() > max(_CLEARLY * means[0], _ERRORS * error)
    return pairs[best] if best and clear else None


def _folds(rows: int) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Yield positions held out and all others; the rows are in a random order already."""
    part = np.arange(rows) % _PARTS
    for held in range(_PARTS):
        yield np.flatnonzero(part == held), np.flatnonzero(part != held)


def _shaped(scale: PredictionInterval, truth: Floats, guess: Floats, *, local: bool) -> PredictionInterval:
    """Return intervals with the mean size of errors by the prediction, from rows that don't give the factor."""
    if not local:
        return scale
    middle, sizes = scale.standing(guess), scale.scores(truth, guess)
    overall = float(sizes.mean())
    bins = np.array_split(np.argsort(middle, kind="stable"), int(np.clip(len(middle) // _BIN_ROWS, 1, _MOST_BINS)))
    knots: list[float] = []
    spreads: list[float] = []
    for rows in bins:
        knot = float(np.median(middle[rows]))
        # Many rows with one prediction fill several bins.
        if knots and knot <= knots[-1]:
            continue
        knots.append(knot)
        pooled = (float(sizes[rows].sum()) + _POOLED_ROWS * overall) / (len(rows) + _POOLED_ROWS)
        spreads.append(max(pooled, _LEAST_SPREAD * overall))
    if not (np.isfinite(spreads).all() and overall > 0):
        return scale
    return scale.model_copy(update={"knots": tuple(knots), "spreads": tuple(spreads)})


def _with_factor(shaped: PredictionInterval, truth: Floats, guess: Floats, level: float) -> PredictionInterval:
    return shaped.model_copy(update={"factor": _ranked(shaped.scores(truth, guess), level)})
