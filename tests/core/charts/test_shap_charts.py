from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from dlreg_core.charts.base.theme import GREY
from dlreg_core.charts.shap.beeswarm import ShapBeeswarm, swarm, value_text
from dlreg_core.charts.shap.dependence_plot import NO_COLOUR, ShapDependence, interaction
from dlreg_core.charts.shap.importance_bar import ShapBar
from dlreg_core.charts.shap.shap_values import ShapTables, importance, ranks
from dlreg_core.charts.shap.waterfall import ShapWaterfall

VALUES = pd.DataFrame({"a": [1.0, -1.0, 1.0, -1.0], "b": [5.0, -3.0, 4.0, 0.0], "c": [0.0, 0.5, 0.0, -0.5]})
DATA = pd.DataFrame({"a": ["x", "y", "x", None], "b": [1.0, 2.0, np.nan, 4.0], "c": [True, False, True, False]})


@pytest.fixture
def interacting() -> tuple[pd.DataFrame, pd.DataFrame]:
    """z decides in which direction x moves the prediction; y doesn't matter."""
    rng = np.random.default_rng(0)
    data = pd.DataFrame(rng.normal(size=(400, 3)), columns=["x", "y", "z"])
    values = pd.DataFrame({"x": data["x"] * 2 + data["z"], "y": rng.normal(size=400), "z": data["z"]})
    return values, data


def test_importance_by_hand() -> None:
    table = importance(VALUES)
    assert list(table["feature"]) == ["b", "a", "c"]
    assert list(table["mean_abs"]) == [3, 1, 0.25]
    assert table["high"][0] - 3 == pytest.approx(stats.norm.ppf(0.975) * stats.sem([5, 3, 4, 0]))
    assert (table["low"][1], table["high"][1]) == (1, 1)


def test_bar_sums_the_rest_row_by_row() -> None:
    display = ShapBar(VALUES, DATA, 10, "$", at_most=1)
    table = display.frame()
    assert list(table["feature"]) == ["b", "2 other columns"]
    assert list(table["mean_abs"]) == [3, 1.25]
    bars = display.plot().data[0]
    assert list(bars.x) == [3, 1.25]
    assert bars.marker.color[1] == GREY
    assert bars.customdata[0][0] == "b"
    assert "b $3" in display.alt


def test_bar_of_one_row_has_no_interval() -> None:
    figure = ShapBar(VALUES.head(1), DATA.head(1)).plot()
    assert list(figure.data[0].error_x.array) == [0, 0, 0]


@pytest.mark.parametrize(
    ("values", "data", "message"),
    [
        (VALUES, DATA.head(2), "same rows"),
        (VALUES, DATA[["b", "a", "c"]], "same rows and columns"),
        (VALUES.head(0), DATA.head(0), "no SHAP values"),
        (VALUES.where(VALUES != 5), DATA, "missing"),
    ],
)
def test_tables_that_do_not_fit_are_refused(values: pd.DataFrame, data: pd.DataFrame, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ShapTables(values, data)


def test_ranks() -> None:
    assert ranks(pd.Series([30, 10, 20])).tolist() == [1, 0, 0.5]
    assert ranks(pd.Series([5.0, np.nan, 7.0])).tolist()[::2] == [0, 1]
    assert ranks(pd.Series(["a", "b"])).isna().all()
    assert ranks(pd.Series([True, False])).isna().all()
    assert ranks(pd.Series(pd.to_datetime(["2024-01-02", "2024-01-01"]))).tolist() == [1, 0]


def test_swarm_is_wide_where_many_are() -> None:
    offset = swarm(np.r_[np.zeros(9), 10.0])
    assert offset[-1] == 0
    assert offset[:9].max() == pytest.approx(0.4)
    assert offset[:9].min() == pytest.approx(-0.4)
    assert len(set(offset[:9].round(6))) == 9
    assert swarm(np.array([1.0])).tolist() == [0]


def test_beeswarm() -> None:
    display = ShapBeeswarm(VALUES, DATA, 10, "$")
    table = display.frame()
    assert list(dict.fromkeys(table["feature"])) == ["b", "a", "c"]
    first = table[table["feature"] == "b"]
    assert list(first["shap"]) == [5, -3, 4, 0]
    assert list(first["value"]) == ["1", "2", "missing", "4"]
    assert first["rank"].tolist()[:2] == [0, 0.5]
    grey, coloured = display.plot().data
    assert grey.marker.color == GREY
    assert len(grey.x) == 9
    assert list(coloured.marker.color) == [0, 0.5, 1]
    assert list(display.plot().layout.yaxis.ticktext) == ["b", "a", "c"]


def test_beeswarm_of_many_rows_draws_some() -> None:
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.normal(size=(9000, 4)), columns=list("abcd"))
    display = ShapBeeswarm(values, values)
    assert len(display.frame()) == 20_000
    assert display.plot().data[1].type == "scattergl"


def test_waterfall_by_hand() -> None:
    table = ShapWaterfall(VALUES, DATA, 10, "$", row=1).frame()
    assert list(table["label"]) == ["Average prediction", "b = 2", "a = y", "c = false", "This prediction"]
    assert list(table["start"])[1:4] == [10, 7, 6]
    assert list(table["end"]) == [10, 7, 6, 6.5, 6.5]


def test_waterfall_adds_up_with_a_rest() -> None:
    rng = np.random.default_rng(0)
    values = pd.DataFrame(rng.normal(size=(3, 14)), columns=[f"f{i}" for i in range(14)])
    display = ShapWaterfall(values, values, 100, "$", row=2)
    table = display.frame()
    assert len(table) == 12
    assert table["label"].iloc[-2] == "5 other columns"
    assert table["end"].iloc[-1] == pytest.approx(100 + values.iloc[2].sum())
    assert table["end"].iloc[-2] == pytest.approx(table["end"].iloc[-1])
    bars = display.plot().data[0]
    assert list(bars.measure) == ["absolute", *["relative"] * 10, "total"]
    assert bars.x[1:-1].sum() == pytest.approx(values.iloc[2].sum())
    assert bars.text[0] == "$100"


def test_waterfall_shows_a_rest_of_one_by_name() -> None:
    values = pd.DataFrame([range(1, 11)], columns=[f"f{i}" for i in range(10)], dtype=float)
    assert set(ShapWaterfall(values, values).frame()["kind"]) == {"total", "feature"}


def test_waterfall_of_a_row_that_is_not_there() -> None:
    with pytest.raises(IndexError):
        ShapWaterfall(VALUES, DATA, row=9).frame()


def test_dependence_finds_what_interacts(interacting: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    values, data = interacting
    assert interaction(values, data, "x") == "z"
    display = ShapDependence(values, data, 0, "$", feature="x")
    table = display.frame()
    assert list(table["value"]) == list(data["x"])
    assert table["rank"].corr(data["z"].rank()) == pytest.approx(1)
    figure = display.plot()
    assert list(figure.data[0].y) == list(values["x"])
    assert figure.layout.annotations[0].text == "colour: z"


def test_dependence_without_interaction(interacting: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    _, data = interacting
    values = pd.DataFrame({"x": data["x"] * 2, "y": data["y"], "z": data["z"]})
    assert interaction(values, data, "x") is None
    assert ShapDependence(values, data, feature="x").frame()["rank"].isna().all()


def test_dependence_coloured_by_choice_or_not_at_all(interacting: tuple[pd.DataFrame, pd.DataFrame]) -> None:
    values, data = interacting
    assert ShapDependence(values, data, feature="x", colour_by="y").colour == "y"
    assert ShapDependence(values, data, feature="x", colour_by=NO_COLOUR).colour is None
    with pytest.raises(ValueError, match="no feature called 'w'"):
        ShapDependence(values, data, feature="x", colour_by="w")
    with pytest.raises(ValueError, match="no feature called 'w'"):
        ShapDependence(values, data, feature="w")


def test_dependence_of_a_category_is_boxes_and_a_strip() -> None:
    figure = ShapDependence(VALUES, DATA, feature="a").plot()
    box, dots = figure.data[:2]
    assert box.type == "box"
    assert list(figure.layout.xaxis.ticktext) == ["x", "y", "missing"]
    assert list(box.median) == [1, -1, -1]
    assert np.array_equal(np.round(np.asarray(dots.x, dtype=float)), [0, 1, 0, 2])


@pytest.mark.parametrize(
    ("value", "text"), [(1.23456, "1.2346"), (np.float32(2), "2"), (None, "missing"), ("a", "a"), (np.True_, "true"),
                        (pd.Timestamp("2024-05-06 07:00"), "2024-05-06")],
)  # fmt: skip
def test_raw_values_as_text(value: object, text: str) -> None:
    assert value_text(value) == text
