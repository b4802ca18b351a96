from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from dlreg_core.evaluation.model_comparison import compare


def test_improvement_by_hand() -> None:
    found = compare([0, 0, 0, 0], [1, 1, 1, 1], [2, 2, 2, 2], name="Mean")
    assert found.baseline == "Mean"
    assert found.improvement == 0.5
    assert (found.interval.low, found.interval.high, found.interval.level) == (0.5, 0.5, 0.95)


def test_the_rmse_by_hand() -> None:
    found = compare([0, 0], [1, 3], [2, 4], name="Mean")
    assert found.improvement == pytest.approx(1 - 4 / 6)
    assert found.rmse_improvement == pytest.approx(1 - np.sqrt(10 / 20))
    # Three samples are possible: twice the first row, twice the second, or both; half of all draws are both.
    assert found.rmse_interval is not None
    assert (found.rmse_interval.low, found.rmse_interval.high) == pytest.approx((0.25, 0.5))


def test_interval_of_the_rmse_is_that_of_scipys_paired_bootstrap() -> None:
    rng = np.random.default_rng(3)
    actual, hard = rng.normal(size=400), rng.exponential(size=400)
    best, baseline = actual + hard * rng.normal(size=400), actual + 1.1 * hard * rng.normal(size=400)
    found = compare(actual, best, baseline, name="b", samples=4000).rmse_interval
    expected = stats.bootstrap(
        ((actual - best) ** 2, (actual - baseline) ** 2), lambda a, b, axis: 1 - np.sqrt(a.mean(axis) / b.mean(axis)),
        paired=True, method="percentile", n_resamples=4000, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    width = expected.high - expected.low
    assert found is not None
    assert found.low == pytest.approx(expected.low, abs=0.06 * width)
    assert found.high == pytest.approx(expected.high, abs=0.06 * width)


def test_interval_is_that_of_scipys_paired_bootstrap() -> None:
    rng = np.random.default_rng(0)
    actual = rng.normal(size=400)
    hard = rng.exponential(size=400)
    best, baseline = actual + hard * rng.normal(size=400), actual + 1.2 * hard * rng.normal(size=400)
    found = compare(actual, best, baseline, name="b", samples=4000)
    expected = stats.bootstrap(
        (np.abs(actual - best), np.abs(actual - baseline)), lambda a, b, axis: 1 - a.mean(axis) / b.mean(axis),
        paired=True, method="percentile", n_resamples=4000, rng=np.random.default_rng(1),
    ).confidence_interval  # fmt: skip
    width = expected.high - expected.low
    assert found.interval.low == pytest.approx(expected.low, abs=0.06 * width)
    assert found.interval.high == pytest.approx(expected.high, abs=0.06 * width)


def test_pairs_of_many_rows_stay_together() -> None:
    rng = np.random.default_rng(0)
    error = rng.exponential(size=50_000)
    found = compare(np.zeros(50_000), 0.9 * error, error, name="b")
    # Each row is better by the same share: pairing leaves no doubt at all.
    assert found.interval.low == pytest.approx(0.1)
    assert found.interval.high == pytest.approx(0.1)


def test_a_better_baseline_gives_a_negative_figure() -> None:
    assert compare([0.0, 0.0], [3.0, 3.0], [1.0, 1.0], name="b").improvement == pytest.approx(-2)


def test_models_without_error() -> None:
    same = compare([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], name="b")
    assert (same.improvement, same.interval.low, same.interval.high) == (0, 0, 0)
    beaten = compare([1.0, 2.0], [1.0, 2.5], [1.0, 2.0], name="b")
    assert np.isfinite(beaten.improvement)
    assert beaten.improvement < -1e6


def test_infinite_prediction_is_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        compare([1.0], [np.inf], [1.0], name="b")
