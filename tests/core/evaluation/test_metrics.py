from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sk

from dlreg_core.array_types import Floats
from dlreg_core.evaluation.bootstrap import MOST_GROUPS, bootstrap_rmse, percentiles, resampled_means
from dlreg_core.evaluation.metrics import regression_metrics


@pytest.fixture
def predictions() -> tuple[Floats, Floats]:
    rng = np.random.default_rng(3)
    actual = rng.lognormal(size=501)
    return actual, actual + rng.normal(scale=0.4, size=501)


def test_figures_are_those_of_scikit_learn(predictions: tuple[Floats, Floats]) -> None:
    actual, predicted = predictions
    found = regression_metrics(actual, predicted)
    assert found.rmse == pytest.approx(sk.root_mean_squared_error(actual, predicted))
    assert found.mae == pytest.approx(sk.mean_absolute_error(actual, predicted))
    assert found.mse == pytest.approx(sk.mean_squared_error(actual, predicted))
    assert found.r2 == pytest.approx(sk.r2_score(actual, predicted))
    assert found.median_ae == pytest.approx(sk.median_absolute_error(actual, predicted))


@pytest.mark.parametrize("predicted", [[2.0, 2.0, 2.0], [2.0, 3.0, 2.0]])
def test_constant_target_has_the_r2_of_scikit_learn(predicted: list[float]) -> None:
    actual = [2.0, 2.0, 2.0]
    assert regression_metrics(actual, predicted).r2 == sk.r2_score(actual, predicted)


def test_constant_target_whose_variance_is_rounded() -> None:
    # The variance of these comes out as 2e-34, and R² as -1e31.
    assert regression_metrics([0.1, 0.1, 0.1], [0.1, 0.2, 0.1]).r2 == 0


def test_one_row() -> None:
    assert regression_metrics([3.0], [1.0]).r2 == 0
    assert regression_metrics([3.0], [1.0]).rmse == 2


@pytest.mark.parametrize(
    ("actual", "predicted", "message"),
    [
        ([1.0, 2.0], [1.0, np.nan], "1 of 2 predicted values are missing or infinite"),
        ([1.0, 2.0], [np.inf, 1.0], "predicted"),
        ([np.nan, 2.0], [1.0, 1.0], "actual"),
        ([1.0], [1.0, 2.0], "1 actual but 2 predicted"),
        ([], [], "no actual values"),
        ([[1.0]], [[1.0]], "one dimension"),
    ],
)
def test_what_can_not_be_judged_is_refused(actual: list[float], predicted: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        regression_metrics(actual, predicted)


def test_interval_is_the_bootstrap_t_of_the_logarithm(predictions: tuple[Floats, Floats]) -> None:
    actual, predicted = predictions
    squared = (actual - predicted) ** 2
    rng, statistics = np.random.default_rng(0), []
    for _ in range(4000):
        drawn = rng.choice(squared, squared.size)
        error = drawn.std() / np.sqrt(drawn.size) / drawn.mean()
        statistics.append((np.log(drawn.mean()) - np.log(squared.mean())) / error)
    low, high = np.quantile(statistics, [0.025, 0.975])
    error = squared.std() / np.sqrt(squared.size) / squared.mean()
    expected = np.sqrt(squared.mean() * np.exp([-high * error, -low * error]))
    found = bootstrap_rmse(actual, predicted, samples=4000)
    assert [found.low, found.high] == pytest.approx(expected.tolist(), abs=0.06 * float(np.ptp(expected)))


def test_interval_covers_heavy_tails_better_than_percentiles() -> None:
    rng = np.random.default_rng(4)
    inside, percentile = 0, 0
    for seed in range(300):
        error = rng.standard_t(4, 100)
        found = bootstrap_rmse(np.zeros(100), error, samples=300, seed=seed)
        low, high = percentiles(resampled_means(error[:, None] ** 2, samples=300, seed=seed)[:, 0], 0.95)
        inside += found.low <= np.sqrt(2) <= found.high
        percentile += low <= 2 <= high
    assert percentile / 300 < 0.84
    assert inside / 300 > 0.85
    assert inside > percentile + 9


def test_no_end_lies_above_the_largest_error() -> None:
    error = np.append(np.full(30, 0.01), 5.0)
    found = bootstrap_rmse(np.zeros(31), error)
    assert found.high == 5.0
    assert 0 < found.low < np.sqrt(np.mean(error**2))


@pytest.mark.parametrize("error", [[3.0], [1.0, 1.0, 1.0], [0.0, 3.0], np.zeros(40), np.full(40, 2.0)])
def test_few_or_equal_errors_have_an_interval(error: list[float] | Floats) -> None:
    found = bootstrap_rmse(np.zeros(len(error)), error)
    assert found.low <= np.sqrt(np.mean(np.square(error))) <= found.high <= max(error)


def test_huge_errors_have_an_interval() -> None:
    error = 1e150 * np.random.default_rng(0).normal(size=50)
    found = bootstrap_rmse(np.zeros(50), error)
    assert 0.7e150 < found.low < found.high < 1.5e150


def test_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for seed in range(300):
        found = bootstrap_rmse(np.zeros(200), rng.normal(scale=2, size=200), samples=300, seed=seed)
        inside += found.low <= 2 <= found.high
    assert stats.binomtest(inside, 300, 0.94).pvalue > 0.001


def test_groups_of_rows_give_the_spread_that_theory_says() -> None:
    errors = np.sort(np.random.default_rng(2).exponential(size=7 * MOST_GROUPS + 13))
    means = resampled_means(errors[:, None], samples=2000, seed=0)[:, 0]
    assert means.mean() == pytest.approx(errors.mean(), abs=4 * errors.std() / np.sqrt(len(errors) * 2000) + 1e-4)
    assert means.std() == pytest.approx(errors.std() / np.sqrt(len(errors)), rel=0.06)


def test_many_rows_are_fast_and_small() -> None:
    rng = np.random.default_rng(0)
    actual, predicted = rng.normal(size=300_000), rng.normal(size=300_000)
    tracemalloc.start()
    start = time.perf_counter()
    found = bootstrap_rmse(actual, predicted)
    seconds = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    rmse = float(np.sqrt(np.mean((actual - predicted) ** 2)))
    assert found.low < rmse < found.high
    assert found.high - found.low == pytest.approx(2 * 1.96 * rmse * np.sqrt(0.5 / 300_000), rel=0.1)
    assert seconds < 2
    assert peak < 200e6


def test_seed_repeats_the_interval(predictions: tuple[Floats, Floats]) -> None:
    assert bootstrap_rmse(*predictions, seed=5) == bootstrap_rmse(*predictions, seed=5)
    assert bootstrap_rmse(*predictions, seed=5) != bootstrap_rmse(*predictions, seed=6)


@pytest.mark.parametrize("level", [0, 1, 95])
def test_level_out_of_range_is_refused(predictions: tuple[Floats, Floats], level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        bootstrap_rmse(*predictions, level=level)
