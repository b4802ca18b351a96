from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from dlreg_core.array_types import Floats
from dlreg_core.charts.base.dot_density import density_table
from dlreg_core.charts.base.theme import model_colour
from dlreg_core.charts.results.residual_charts import (
    ErrorByQuantile,
    PredictedActual,
    QQPlot,
    ResidualHistogram,
    ResidualsPredicted,
)
from dlreg_core.charts.results.residuals_by_column import GroupedResiduals

ACTUAL, PREDICTED = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 2.0, 1.0, 4.0])


def many(rows: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(0)
    actual = rng.normal(size=rows)
    return actual, actual + rng.normal(size=rows)


def test_predicted_against_actual() -> None:
    figure = PredictedActual(ACTUAL, PREDICTED, "$", rows=[7, 8, 9, 10]).plot()
    dots, diagonal = figure.data
    assert list(dots.x) == list(ACTUAL)
    assert list(dots.y) == list(PREDICTED)
    assert list(dots.customdata) == [7, 8, 9, 10]
    assert list(diagonal.x) == list(diagonal.y) == [1, 4]
    assert figure.layout.yaxis.title.text == "Predicted, $"


def test_residuals_against_predictions() -> None:
    dots, zero = ResidualsPredicted(ACTUAL, PREDICTED, "$").plot().data
    assert list(dots.x) == list(PREDICTED)
    assert list(dots.y) == [-1, 0, 2, 0]
    assert list(zero.y) == [0, 0]


@pytest.mark.parametrize(("rows", "kind"), [(2000, "scatter"), (2001, "scattergl"), (20_001, "heatmap")])
def test_many_points_are_drawn_otherwise(rows: int, kind: str) -> None:
    assert PredictedActual(*many(rows)).plot().data[0].type == kind


def test_density_counts_every_point_once() -> None:
    x, y = many(30_000)
    table = density_table(x, y)
    assert table["rows"].sum() == 30_000
    right = table["x"] > 0
    assert table.loc[right, "rows"].sum() == pytest.approx((x > 0).sum(), rel=0.05)
    heat = PredictedActual(x, y).plot().data[0]
    assert np.nansum(heat.customdata) == 30_000
    assert np.nanmax(heat.z) == pytest.approx(np.log1p(table["rows"].max()))


def test_histogram_keeps_far_rows_in_its_last_bins() -> None:
    residual = np.r_[np.linspace(-1, 1, 999), 1e6]
    display = ResidualHistogram(residual, np.zeros(1000))
    table = display.frame()
    assert table["rows"].sum() == 1000
    assert table["share"].sum() == pytest.approx(1)
    assert table["high"].max() < 2
    bars = display.plot().data[0]
    assert list(bars.y) == list(table["rows"])


def test_histogram_of_equal_residuals() -> None:
    assert ResidualHistogram(np.ones(5), np.zeros(5)).frame()["rows"].sum() == 5


def test_qq_plot() -> None:
    actual, predicted = many(300)
    display = QQPlot(actual, predicted, "kg")
    dots, line = display.plot().data
    assert list(dots.y) == sorted(actual - predicted)
    assert len(line.x) == 2
    assert display.alt.endswith("would be normal.")


def test_error_by_quantile() -> None:
    predicted = np.arange(100.0)
    display = ErrorByQuantile(predicted + np.where(predicted < 50, 1.0, 3.0), predicted, "$", bins=2)
    bars = display.plot().data[0]
    assert list(bars.x) == ["0–49", "50–99"]
    assert list(bars.y) == pytest.approx([1, 3])
    assert bars.customdata[1] == "off by $3 on average, 50 rows<br>predicted too low by $3 on average"
    assert "the largest, $3, for $50–$99." in display.alt


def test_residuals_by_category_are_five_numbers() -> None:
    feature = pd.Series(["a"] * 5 + ["b"] * 3 + [None], name="place")
    residual = [1, 2, 3, 4, 100, 5, 6, 7, -1]
    display = GroupedResiduals(feature, residual, "$")
    table = display.frame().set_index("level")
    assert list(table.index) == ["a", "b", "missing"]
    assert list(table.loc["a", ["q1", "median", "q3", "low", "high"]]) == [2, 3, 4, 1, 4]
    assert display.plot().data[0].type == "box"


def test_rare_levels_are_drawn_together() -> None:
    feature = pd.Series([f"level {i}" for i in range(30) for _ in range(31 - i)], name="x")
    table = GroupedResiduals(feature, np.zeros(len(feature))).frame()
    assert len(table) == 20
    assert table["rows"].sum() == len(feature)
    assert "11 others" in set(table["level"])


def test_residuals_by_number_and_date() -> None:
    number = GroupedResiduals(pd.Series([1.0, np.nan, 3.0], name="age"), [5, 6, 7])
    assert number.frame().to_dict("list") == {"value": [1, 3], "residual": [5, 7]}
    assert list(number.plot().data[0].x) == [1, 3]
    dates = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-02"]), name="day")
    figure = GroupedResiduals(dates, [1, 2]).plot()
    assert figure.layout.xaxis.type == "date"
    assert figure.data[0].x[0] == pd.Timestamp("2024-01-01").value / 1e6


def test_lengths_must_fit() -> None:
    with pytest.raises(ValueError, match="2 residuals but 1 values"):
        GroupedResiduals(pd.Series([1.0]), [1, 2]).frame()


@pytest.mark.parametrize("kind", [PredictedActual, ResidualsPredicted, ResidualHistogram, QQPlot, ErrorByQuantile])
def test_every_display_has_a_text_a_height_and_no_title(kind: Any) -> None:
    display = kind(*many(100), "kg")
    figure = display.plot()
    assert display.alt.endswith(".")
    assert figure.layout.height
    assert figure.layout.title.text is None
    assert figure.layout.xaxis.title.text


@pytest.mark.parametrize("kind", [PredictedActual, ResidualsPredicted, ResidualHistogram, QQPlot, ErrorByQuantile])
def test_errors_have_the_colour_of_their_model(kind: Any) -> None:
    mark = kind(*many(100), "kg", colour=model_colour("TabM 2")).plot().data[0].marker
    assert mark.color == "#E69F00"


def test_boxes_and_densities_have_the_colour_of_their_model_too() -> None:
    colour = model_colour("RealMLP")
    box = GroupedResiduals(pd.Series(list("abab")), ACTUAL, colour=colour).plot().data[0]
    assert (box.marker.color, box.fillcolor) == (colour, "rgba(0, 158, 115, 0.25)")
    actual, predicted = many(20_001)
    heat = PredictedActual(actual, predicted, colour=colour).plot().data[0]
    assert heat.colorscale[-1] == (1.0, "rgba(0, 158, 115, 1)")
