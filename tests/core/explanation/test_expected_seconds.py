from __future__ import annotations

import pytest

from dlreg_core.explanation.explanation_cost import expected_seconds, expected_speed
from dlreg_core.specs import ExplainResult, LeaderboardRow


@pytest.mark.parametrize("rows", [60, 200, 1000])
def test_what_fits_takes_no_longer_than_its_limit(rows: int) -> None:
    assert 0 < expected_seconds(9, 20_000, rows, 60.0) <= 60.0


def test_a_slow_model_takes_longer_and_says_so() -> None:
    assert expected_seconds(9, 10, 1000, 60.0) > 3600


def row(speed: float | None) -> LeaderboardRow:
    return LeaderboardRow(model="m", family="TABM", role="network", predict_rows_per_second=speed)


def explained(seconds: float) -> ExplainResult:
    return ExplainResult(
        model="m",
        rows=60,
        background=50,
        permutations=50,
        evaluations=50_000,
        base_value=0.0,
        seconds=seconds,
        relative_error=None,
    )


def test_the_speed_is_what_explaining_has_shown_before() -> None:
    assert expected_speed(row(100), explained(10), row(100), None) == 5_000
    assert expected_speed(row(100), None, row(1_000), explained(10)) == 500
    # Neither slower than was measured nor faster than can be believed.
    assert expected_speed(row(100), None, row(1_000), explained(100)) == 100
    assert expected_speed(row(100), None, row(1), explained(10)) == 2_000
    assert expected_speed(row(None), None, row(None), explained(10)) == 1_000
