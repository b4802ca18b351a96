import numpy as np
import pytest

from dlreg_core.evaluation.conformal import coverage, half_width


@pytest.mark.parametrize(
    ("count", "level", "rank"),
    [(9, 0.9, 9), (19, 0.9, 18), (29, 0.9, 27), (99, 0.9, 90), (100, 0.9, 91), (49, 0.5, 25)],
)
def test_rank_by_hand(count, level, rank):
    residuals = np.arange(1, count + 1) * np.where(np.arange(count) % 2, 1, -1)
    assert half_width(np.random.default_rng(0).permutation(residuals), level) == rank


def test_few_rows_give_the_largest():
    assert half_width([1.0, -7.0, 3.0]) == 7


def test_new_rows_are_covered_as_promised():
    rng = np.random.default_rng(0)
    held = []
    for _ in range(400):
        width = half_width(rng.standard_t(3, size=150))
        held.append(coverage(rng.standard_t(3, size=500), np.zeros(500), width))
    # The exact expectation is 136 / 151.
    assert np.mean(held) == pytest.approx(136 / 151, abs=4 * np.std(held) / 20)


def test_coverage_by_hand():
    assert coverage([0, 1, 2, 3], [0, 0, 0, 0], 2) == 0.75


def test_what_can_not_be_is_refused():
    with pytest.raises(ValueError, match="no residuals"):
        half_width([])
    with pytest.raises(ValueError, match="infinite"):
        half_width([1.0, np.nan])
    with pytest.raises(ValueError, match="between 0 and 1"):
        half_width([1.0], 90)
