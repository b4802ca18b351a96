"""How many moments tell something new about the size of errors, and what interval that asks for."""

from __future__ import annotations

import numpy as np
import pytest

from dlreg_core.training.ahead import independent_moments, level_for


def test_moments_that_follow_each_other_count_less() -> None:
    rng = np.random.default_rng(0)
    moments = np.arange(2000.0)
    white = np.abs(rng.normal(size=2000))
    assert independent_moments(moments, white, 1) > 1500
    # Errors of ten steps ahead share nine of their ten causes with the next ones.
    assert independent_moments(moments, white, 10) <= 200
    shocks = rng.normal(size=2000)
    slow = np.zeros(2000)
    for at in range(1, 2000):
        slow[at] = 0.95 * slow[at - 1] + shocks[at]
    # The autocorrelation time of an AR(1) series is (1 + share) / (1 - share) = 39; of its size, that of the square.
    expected = 2000 / ((1 + 0.95**2) / (1 - 0.95**2))
    assert expected / 2 < independent_moments(moments, np.abs(slow), 1) < 2 * expected
    # Five rows of one moment are one.
    repeated = independent_moments(np.repeat(moments, 5), np.repeat(white, 5), 1)
    assert repeated == pytest.approx(independent_moments(moments, white, 1))
    assert independent_moments(np.arange(5.0), np.ones(5), 3) == pytest.approx(5 / 3)


def test_fewer_rows_ask_for_a_larger_share_of_them() -> None:
    assert level_for(1e9) == pytest.approx(0.9)
    assert level_for(90) == pytest.approx(0.91)
    assert level_for(1) == 0.995
