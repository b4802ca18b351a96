"""How far ahead, in words: the first and the last step, what the intervals hold, and nothing where nobody asked."""

from __future__ import annotations

import pytest

from dlreg_core.specs import HorizonCoverage, ResolvedPlan, RowCounts, StepFigures, TrainResult
from dlreg_core.wording.horizon_text import ahead_table, ahead_words, how_far_words, width_by


def result(ahead: HorizonCoverage | None) -> TrainResult:
    return TrainResult(
        leaderboard=(),
        best_model="TabM",
        comparison=None,
        rows=RowCounts(train=100, validation=20, test=20),
        plan=ResolvedPlan(),
        seconds=1.0,
        ahead=ahead,
    )


def step(number: int, mae: float, coverage: float) -> StepFigures:
    return StepFigures(step=number, rows=20, mae=mae, rmse=2 * mae, half_width_90=3 * mae, coverage_90=coverage)


FORTNIGHT = HorizonCoverage(
    horizon=14, size=1.0, unit="day", steps={"TabM": (step(1, 12.0, 0.92), step(7, 20.0, 0.9), step(14, 31.0, 0.88))}
)


def test_the_first_and_the_last_step_are_told() -> None:
    told = ahead_words(result(FORTNIGHT), "TabM", "$")
    assert told.startswith("1 day ahead: off by $12; 14 days ahead: off by $31. The 90 % intervals of each")
    assert "hold 88" in told
    assert told.endswith("Rows further ahead get no prediction.")
    assert "from 1 day to 14 days before them" in how_far_words(result(FORTNIGHT))
    table = ahead_table(result(FORTNIGHT), "TabM")
    assert table["ahead"].tolist() == ["1 day", "7 days", "14 days"]
    assert table["mae"].tolist() == [12.0, 20.0, 31.0]
    assert width_by(result(FORTNIGHT)) == "how far ahead"


@pytest.mark.parametrize(
    ("ahead", "part"),
    [
        (None, ""),
        (HorizonCoverage(horizon=1, size=1.0, unit="month"), "Judged 1 month ahead of the last value that is known."),
        (HorizonCoverage(horizon=3, size=2.0, unit="week"), "Made for 1 to 6 weeks ahead; too few test rows"),
    ],
)
def test_without_figures_it_says_what_is_known(ahead: HorizonCoverage | None, part: str) -> None:
    told = ahead_words(result(ahead), "TabM", "")
    assert told.startswith(part)
    assert bool(told) == bool(part)
    assert ahead_table(result(ahead), "TabM").empty
    assert (width_by(result(ahead)) == "how far ahead") == (ahead is not None and ahead.horizon > 1)
