"""How many independent rows calibration rows are worth, what share an interval must hold of them, and what it holds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from dlreg_core.evaluation.conformal import half_width
from dlreg_core.training.horizon_evaluation import independent_rows, level_for

Floats = NDArray[np.float64]


def test_moments_that_follow_each_other_count_less() -> None:
    rng = np.random.default_rng(0)
    moments = np.arange(2000.0)
    white = np.abs(rng.normal(size=2000))
    assert 1500 < independent_rows(moments, white, 1) <= 2000
    # How many steps ahead they are is known by the errors alone, where there are enough.
    assert independent_rows(moments, white, 10) == independent_rows(moments, white, 1)
    shocks = rng.normal(size=2000)
    slow = np.zeros(2000)
    for at in range(1, 2000):
        slow[at] = 0.95 * slow[at - 1] + shocks[at]
    # The autocorrelation time of an AR(1) series is (1 + share) / (1 - share) = 39; of its size, that of the square.
    expected = 2000 / ((1 + 0.95**2) / (1 - 0.95**2))
    assert expected / 2 < independent_rows(moments, np.abs(slow), 1) < 2 * expected


def test_rows_of_one_moment_count_as_one_only_where_they_are_off_together() -> None:
    rng = np.random.default_rng(0)
    moments = np.arange(1000.0)
    white = np.abs(rng.normal(size=1000))
    five = np.repeat(moments, 5)
    alone = independent_rows(moments, white, 1)
    assert independent_rows(five, np.repeat(white, 5), 1) == pytest.approx(alone)
    assert independent_rows(five, np.abs(rng.normal(size=5000)), 1) > 4 * alone
    # Half of what they are off by is shared: their sizes correlate by a quarter, and five of them are worth
    # 5 / (1 + 4 / 4).
    half = np.abs(np.repeat(rng.normal(size=1000), 5) + rng.normal(size=5000))
    assert 2 * alone < independent_rows(five, half, 1) < 3.2 * alone


def test_few_moments_take_the_steps_for_how_long_errors_follow_each_other() -> None:
    errors = np.abs(np.random.default_rng(0).normal(size=30))
    assert independent_rows(np.arange(30.0), errors, 3) == pytest.approx(29 / 3)
    assert independent_rows(np.arange(30.0), errors, 100) == 1
    assert independent_rows(np.arange(5.0), np.ones(5), 3) == pytest.approx(5 / 3)
    assert independent_rows(np.zeros(30), errors, 1) == 1


def test_rows_that_are_worth_fewer_ask_for_a_larger_share_of_them() -> None:
    assert level_for(500, 500) == 0.9
    assert level_for(40, 10**9) == pytest.approx(0.91)
    assert level_for(10, 40) == pytest.approx(0.93)
    assert level_for(1, 10**9) == 0.995


def _off(rng: np.random.Generator, days: int, share: float, step: int, shops: int) -> Floats:
    """Return what the best forecast of AR(1) series is off by, so many steps ahead: the shocks since then."""
    shocks = rng.normal(size=(days + step, shops))
    return np.asarray(sum(share**back * shocks[step - back : step - back + days] for back in range(step)))


@pytest.mark.parametrize("step", [1, 7, 14])
@pytest.mark.parametrize(
    ("days", "share", "shops", "rows", "own"),
    [
        pytest.param(170, 0.8, (0.6, 1.0, 1.5, 2.5, 4.0), 1, 0.0, id="a panel"),
        pytest.param(440, 0.9, (1.0,), 1, 0.0, id="AR"),
        pytest.param(440, 0.95, (1.0,), 1, 0.0, id="a slow one"),
        pytest.param(290, 0.9, (1.0,), 5, 0.3, id="five rows a day"),
        pytest.param(60, 1.0, (1.0,), 1, 0.0, id="a short random walk"),
        pytest.param(6, 0.8, tuple(np.geomspace(0.5, 4, 50)), 1, 0.0, id="six days of fifty shops"),
    ],
)
def test_intervals_hold_nine_in_ten_of_new_rows_at_each_step(
    days: int, share: float, shops: tuple[float, ...], rows: int, own: float, step: int
) -> None:
    rng = np.random.default_rng(step)
    moments = np.repeat(np.arange(float(days)), len(shops) * rows)
    # What new rows are off by is normal, so what an interval holds of them is known and needs no drawing.
    deviations = np.sqrt(np.square(shops) * sum(share ** (2 * back) for back in range(step)) + own**2)
    held = []
    for _ in range(100):
        off = np.repeat(_off(rng, days, share, step, len(shops)) * shops, rows, axis=1)
        errors = (off + own * rng.normal(size=off.shape)).ravel()
        level = level_for(independent_rows(moments, np.abs(errors), step), errors.size)
        held.append(float(np.mean(1 - 2 * norm.sf(half_width(errors, level) / deviations))))
    assert 0.88 < np.mean(held) < 0.92
