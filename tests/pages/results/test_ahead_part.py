"""The part of Leaderboard and Diagnostics that tells each step ahead."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest


def _shown() -> None:
    from dlreg_core.specs import HorizonCoverage, ResolvedPlan, RowCounts, StepFigures, TrainResult
    from pages._ui.results.horizon_errors import how_far_ahead

    steps = tuple(
        StepFigures(step=n, rows=20, mae=12.0 + n, rmse=20.0, half_width_90=30.0, coverage_90=0.9) for n in (1, 14)
    )
    rows, plan = RowCounts(train=100, validation=20, test=20), ResolvedPlan()
    ahead = HorizonCoverage(horizon=14, size=1.0, unit="day", steps={"TabM": steps})
    result = TrainResult(
        leaderboard=(), best_model="TabM", comparison=None, rows=rows, plan=plan, seconds=1.0, ahead=ahead
    )
    how_far_ahead(result, "TabM", "")


def test_each_step_is_told_in_words_and_in_a_table() -> None:
    app = AppTest.from_function(_shown, default_timeout=120).run()
    assert not app.exception
    assert app.subheader[0].value == "How far ahead?"
    assert "1 day ahead: off by 13; 14 days ahead: off by 26" in app.markdown[0].value.replace("\\", "")
    assert app.dataframe[0].value["ahead"].tolist() == ["1 day", "14 days"]
