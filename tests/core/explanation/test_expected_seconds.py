from __future__ import annotations

import pytest

from dlreg_core.explanation.explanation_cost import expected_seconds


@pytest.mark.parametrize("rows", [60, 200, 1000])
def test_what_fits_takes_no_longer_than_its_limit(rows: int) -> None:
    assert 0 < expected_seconds(9, 20_000, rows, 60.0) <= 60.0


def test_a_slow_model_takes_longer_and_says_so() -> None:
    assert expected_seconds(9, 10, 1000, 60.0) > 3600
