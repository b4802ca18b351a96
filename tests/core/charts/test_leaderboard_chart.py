from __future__ import annotations

from typing import Any

import pytest

from dlreg_core.charts.base.theme import GREY
from dlreg_core.charts.results.leaderboard_chart import LeaderboardChart
from dlreg_core.specs import Interval, LeaderboardRow
from dlreg_core.specs.results import Role


def row(model: str, rmse: float | None, role: Role = "network", **more: Any) -> LeaderboardRow:
    interval = None if rmse is None else Interval(low=rmse - 2, high=rmse + 3)
    return LeaderboardRow(model=model, family=model, role=role, rmse=rmse, mae=rmse, rmse_interval=interval, **more)


@pytest.fixture
def chart() -> LeaderboardChart:
    rows = (row("Mean", 50, "baseline"), row("TabM", 20), row("FastAI", None), row("Ridge", 30, "baseline"))
    return LeaderboardChart(rows, "$")


def test_best_first_and_without_what_failed(chart: LeaderboardChart) -> None:
    table = chart.frame()
    assert list(table["model"]) == ["TabM", "Ridge", "Mean"]
    assert list(table["low"]) == [18, 28, 48]
    assert chart.best_baseline == 30


def test_figure(chart: LeaderboardChart) -> None:
    figure = chart.plot()
    (dots,) = figure.data
    assert list(dots.x) == [20, 30, 50]
    assert list(dots.error_x.array) == [3, 3, 3]
    assert list(dots.error_x.arrayminus) == [2, 2, 2]
    assert list(dots.marker.color) == ["#E69F00", GREY, GREY]
    assert list(figure.layout.yaxis.categoryarray) == ["Mean", "Ridge", "TabM"]
    assert figure.layout.xaxis.title.text == "RMSE on test rows, $"
    assert figure.layout.xaxis.type is None
    assert figure.layout.shapes[0].x0 == 30
    assert figure.layout.annotations[0].text == "best baseline"
    assert dots.customdata[0][0] == "TabM"
    assert dots.customdata[0][1] == "<b>TabM</b><br>RMSE $20 (95 %: $18–$23)<br>MAE $20"
    assert "TabM $20, Ridge $30" in chart.alt


def test_without_interval_or_baseline() -> None:
    lonely = LeaderboardRow(model="TabM", family="TABM", role="network", rmse=1.0)
    figure = LeaderboardChart((lonely,)).plot()
    assert list(figure.data[0].error_x.array) == [0]
    assert not figure.layout.shapes


def test_nothing_judged_yet() -> None:
    figure = LeaderboardChart((row("FastAI", None),)).plot()
    assert not figure.data
    assert figure.layout.annotations[0].text == "No model has been judged yet."
