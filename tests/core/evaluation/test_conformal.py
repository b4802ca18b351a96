from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from dlreg_core.array_types import Floats
from dlreg_core.cleaning import TargetTransform, fit_target_transform
from dlreg_core.evaluation.conformal import (
    calibrate,
    calibrating_rows,
    coverage,
    half_width,
    interval_scores,
    likely_coverage,
)
from dlreg_core.pipeline.prediction_interval import PredictionInterval
from dlreg_core.specs.plans import TransformName

Draw = Callable[[np.random.Generator, int], tuple[Floats, Floats]]


@pytest.mark.parametrize(
    ("count", "level", "rank"),
    [(9, 0.9, 9), (19, 0.9, 18), (29, 0.9, 27), (99, 0.9, 90), (100, 0.9, 91), (49, 0.5, 25)],
)
def test_rank_by_hand(count: int, level: float, rank: int) -> None:
    residuals = np.arange(1, count + 1) * np.where(np.arange(count) % 2, 1, -1)
    assert half_width(np.random.default_rng(0).permutation(residuals), level) == rank


def test_few_rows_give_the_largest() -> None:
    assert half_width([1.0, -7.0, 3.0]) == 7


def test_new_rows_are_covered_as_promised() -> None:
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        width = PredictionInterval(factor=half_width(rng.standard_t(3, size=150)))
        held.append(coverage(rng.standard_t(3, size=500), np.zeros(500), width))
    # The exact expectation is 136 / 151.
    assert np.mean(held) == pytest.approx(136 / 151, abs=4 * float(np.std(held)) / 20)


def test_coverage_by_hand() -> None:
    assert coverage([0, 1, 2, 3], [0, 0, 0, 0], PredictionInterval(factor=2)) == 0.75


def test_interval_scores_by_hand() -> None:
    low, high = np.array([1.0, 1.0, 1.0]), np.array([3.0, 3.0, 3.0])
    np.testing.assert_allclose(interval_scores(np.array([2.0, 0.5, 3.1]), low, high), [2, 2 + 20 * 0.5, 2 + 20 * 0.1])


def test_what_can_not_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no residuals"):
        half_width([])
    with pytest.raises(ValueError, match="infinite"):
        half_width([1.0, np.nan])
    with pytest.raises(ValueError, match="between 0 and 1"):
        half_width([1.0], 90)
    with pytest.raises(ValueError, match="infinite"):
        calibrate([1.0, np.inf], [1.0, 1.0], least=0)


# --- intervals that follow the prediction ----------------------------------------------------------------------------


def even(rng: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
    """Return predictions, and targets whose noise is the same everywhere."""
    predicted = rng.uniform(-10, 10, rows)
    return predicted, predicted + rng.normal(0, 1, rows)


def fanned(rng: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
    """Return predictions, and targets whose noise grows fivefold with them."""
    predicted = rng.uniform(10, 50, rows)
    return predicted, predicted + predicted / 10 * rng.standard_t(5, rows)


def skewed(rng: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
    """Return predictions, and positive targets that are off by a factor."""
    predicted = np.exp(rng.normal(10, 1, rows))
    return predicted, predicted * np.exp(rng.normal(0, 0.3, rows))


def capped(rng: np.random.Generator, rows: int) -> tuple[Floats, Floats]:
    """Return predictions, and targets that can't leave 0 to 1, noisiest in the middle."""
    predicted = rng.uniform(0.02, 0.98, rows)
    return predicted, rng.beta(30 * predicted, 30 * (1 - predicted))


def fitted(draw: Draw, seed: int, rows: int = 1_000, **more: Any) -> PredictionInterval:
    predicted, actual = draw(np.random.default_rng(seed), rows)
    return calibrate(actual, predicted, least=actual.min(), **more)


@pytest.mark.parametrize("draw", [even, fanned, skewed, capped])
@pytest.mark.parametrize("rows", [60, 300, 1_000])
def test_coverage_is_as_promised_over_many_tables(draw: Draw, rows: int) -> None:
    held = []
    for seed in range(120):
        predicted, actual = draw(np.random.default_rng(10_000 + seed), 2_000)
        held.append(coverage(actual, predicted, fitted(draw, seed, rows)))
    # At least the level, and 1 / (n + 1) of the half that gives the rank above it at most.
    error = np.std(held) / np.sqrt(len(held))
    assert 0.9 - 3 * error <= np.mean(held) <= 0.9 + 2 / rows + 3 * error


@pytest.mark.parametrize(("draw", "better"), [(fanned, 0.93), (skewed, 0.8), (capped, 0.99)])
def test_low_and_high_predictions_are_covered_alike_where_errors_differ(draw: Draw, better: float) -> None:
    gaps: list[float] = []
    constant_gaps: list[float] = []
    scores, varying = [], 0
    for seed in range(15):
        predicted, actual = draw(np.random.default_rng(seed), 1_500)
        interval = calibrate(actual, predicted, least=actual.min())
        constant = PredictionInterval(factor=half_width(actual - predicted))
        varying += interval.varies
        new, truth = draw(np.random.default_rng(900 + seed), 6_000)
        parts = np.array_split(np.argsort(new), 3)
        for kind, found in ((interval, gaps), (constant, constant_gaps)):
            found.append(max(abs(coverage(truth[part], new[part], kind) - 0.9) for part in parts))
        ours, theirs = (interval_scores(truth, *kind.bounds(new)).mean() for kind in (interval, constant))
        scores.append(ours / theirs)
    assert varying >= 12
    assert np.mean(gaps) < 0.05
    assert np.mean(gaps) < np.mean(constant_gaps) / 1.5
    assert np.mean(scores) < better


@pytest.mark.parametrize("noise", ["normal", "heavy"])
@pytest.mark.parametrize("rows", [200, 1_000])
def test_intervals_stay_constant_where_errors_are_the_same_everywhere(rows: int, noise: str) -> None:
    varying = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        predicted = rng.uniform(20, 40, rows)
        actual = predicted + (rng.normal(0, 1, rows) if noise == "normal" else rng.standard_t(3, rows))
        interval = calibrate(actual, predicted, least=actual.min())
        varying += interval.varies
        if not interval.varies:
            assert interval.factor == half_width(actual - predicted)
            (low,), (high,) = interval.bounds(np.array([30.0]))
            assert (low, high) == (30 - interval.factor, 30 + interval.factor)
    assert varying <= 5


def test_the_rank_is_that_of_rows_which_had_no_say_in_the_shape() -> None:
    predicted, actual = skewed(np.random.default_rng(3), 601)
    interval = calibrate(actual, predicted, least=actual.min())
    assert interval.scale.method == "log"
    rest = np.random.default_rng(0).permutation(601)[300:]
    middle = np.log(np.maximum(predicted[rest], actual.min()))
    spread = np.interp(middle, interval.knots, interval.spreads) if interval.knots else 1.0
    scores = np.sort(np.abs(np.log(actual[rest]) - middle) / spread)
    # The ceil(302 * 0.9) = 272nd of 301.
    assert interval.factor == pytest.approx(scores[271])


def test_spreads_are_the_mean_errors_of_forty_rows_or_more() -> None:
    predicted, actual = fanned(np.random.default_rng(0), 400)
    # Without the logarithm, which a negative target has none of.
    interval = calibrate(actual - 100, predicted - 100, least=-100)
    assert not interval.scale.changes
    half = np.random.default_rng(0).permutation(400)[:200]
    half = half[np.argsort(predicted[half])].reshape(5, 40)
    errors = np.abs(actual - predicted)
    np.testing.assert_allclose(interval.knots, np.median(predicted[half] - 100, axis=1))
    expected = (errors[half].sum(axis=1) + 10 * errors[half].mean()) / 50
    np.testing.assert_allclose(interval.spreads, expected)


def test_bounds_by_hand() -> None:
    interval = PredictionInterval(factor=2, knots=(0, 10), spreads=(1, 3), least=0)
    low, high = interval.bounds(np.array([-9.0, 1.0, 5.0, 20.0]))
    np.testing.assert_allclose(low, [-9, 0, 1, 14])
    np.testing.assert_allclose(high, [0, 3.4, 9, 26])
    logarithmic = PredictionInterval(factor=np.log(2), scale=TargetTransform(method="log"), floor=4)
    low, high = logarithmic.bounds(np.array([-1.0, 4.0, 10.0]))
    np.testing.assert_allclose(low, [-1, 2, 5])
    np.testing.assert_allclose(high, [8, 8, 20])


@pytest.mark.parametrize(
    "interval",
    [
        PredictionInterval(factor=2.5),
        PredictionInterval(factor=2, knots=(0, 10), spreads=(1, 3)),
        PredictionInterval(factor=1, scale=TargetTransform(method="log", shift=1), floor=0, knots=(1,), spreads=(0.5,)),
        PredictionInterval(factor=1, scale=TargetTransform(method="box-cox", power=0.5), floor=0.1),
        PredictionInterval(factor=1, scale=TargetTransform(method="yeo-johnson", power=1.5)),
    ],
)
def test_a_row_is_inside_where_its_score_says_so(interval: PredictionInterval) -> None:
    rng = np.random.default_rng(0)
    predicted, actual = rng.uniform(0.2, 12, 3_000), rng.uniform(0.1, 20, 3_000)
    low, high = interval.bounds(predicted)
    inside = interval.scores(actual, predicted) <= interval.factor
    np.testing.assert_array_equal((low <= actual) & (actual <= high), inside)
    assert 0.02 < inside.mean() < 0.98


def test_no_end_lies_below_zero_where_no_target_does_and_nothing_is_lost() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0, 5, 150)
    actual = np.maximum(predicted + rng.normal(0, 2, 150), 0)
    clipped = calibrate(actual, predicted, least=0)
    plain = calibrate(actual, predicted, least=-1)
    assert clipped.bounds(predicted)[0].min() == 0
    assert plain.bounds(predicted)[0].min() < 0
    assert coverage(actual, predicted, clipped) == coverage(actual, predicted, plain)


@pytest.mark.parametrize("method", ["log", "box-cox", "yeo-johnson"])
def test_the_learned_scale_is_used_and_ends_are_finite_wherever_its_models_predict(method: TransformName) -> None:
    predicted, actual = skewed(np.random.default_rng(0), 2_000)
    transform = fit_target_transform(actual, method)
    interval = calibrate(actual, predicted, least=actual.min(), transform=transform)
    assert interval.scale == transform
    low, high = interval.bounds(transform.inverse(np.linspace(-1e9, 1e9, 1_001)))
    assert np.isfinite(low).all()
    assert np.isfinite(high).all()
    assert (low <= high).all()
    assert low.min() >= 0


def test_targets_without_a_logarithm_and_constant_predictions_have_intervals_too() -> None:
    rng = np.random.default_rng(0)
    zeros = rng.poisson(0.7, 500).astype(float)
    for actual in (zeros, zeros - 1, np.full(500, 3.0)):
        interval = calibrate(actual, np.full(500, actual.mean()), least=actual.min())
        assert np.isfinite(interval.bounds(np.array([0.5, 1.0]))).all()
        assert coverage(actual, np.full(500, actual.mean()), interval) >= 0.85
    # Learned on positive training rows, and a validation row is 0.
    learned = fit_target_transform(zeros[zeros > 0] + rng.uniform(0, 0.1, (zeros > 0).sum()), "log")
    interval = calibrate(zeros, np.full(500, 0.7), least=0, transform=learned)
    assert np.isfinite(interval.bounds(np.array([0.7]))).all()


@pytest.mark.parametrize("draw", [even, fanned, skewed])
def test_it_is_kept_as_json_to_the_last_digit(draw: Draw) -> None:
    interval = fitted(draw, 0)
    again = PredictionInterval.model_validate_json(interval.model_dump_json())
    assert again == interval
    predicted = np.linspace(1, 50, 200)
    np.testing.assert_array_equal(again.bounds(predicted), interval.bounds(predicted))


def test_what_valid_intervals_may_hold_by_luck() -> None:
    rng = np.random.default_rng(0)
    for calibrating, tested in ((60, 1000), (150, 150), (1000, 60), (5, 40)):
        low, high = likely_coverage(calibrating, tested)
        outside = 0
        for _ in range(2000):
            width = half_width(rng.standard_normal(calibrating))
            held = np.mean(np.abs(rng.standard_normal(tested)) <= width)
            outside += not low - 1e-9 <= held <= high + 1e-9
        assert outside / 2000 < 0.065, "discrete counts make it less than 5 %, luck of 2,000 draws a little more"
    assert likely_coverage(10**6, 10**6) == pytest.approx((0.9, 0.9), abs=0.001)


def test_rows_that_chose_an_interval_did_not_calibrate_it() -> None:
    assert [calibrating_rows(rows, varies=True) for rows in (200, 301, 100_000)] == [100, 151, 80_000]
    assert calibrating_rows(301, varies=False) == 301
