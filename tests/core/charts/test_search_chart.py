from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from dlreg_core.charts.base import theme
from dlreg_core.charts.training.parallel_coordinates import MOST_AXES, UNUSED, SearchAxis, SearchTrials, readable_ticks

RATE = SearchAxis("learning_rate", "Learning rate", log=True, range=(1e-4, 1e-1))
LOSS = SearchAxis("loss", "Loss")
DELTA = SearchAxis("huber_delta", "Huber's delta", range=(1.0, 5.0), listed=(1.0, 2.0, 5.0))
HIDDEN = SearchAxis("hidden", "Hidden layers")


@pytest.fixture
def trials() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "trial": [1, 2, 3, 4],
            "model": ["A", "A 2", "A 3", "A 4"],
            "learning_rate": [1e-3, 1e-2, 1e-4, 1e-1],
            "loss": ["mse", "huber", "mse", "mse"],
            "huber_delta": [np.nan, 2.0, np.nan, np.nan],
            "hidden": [[64, 32], [128], [128], [128]],
            "rmse_validation": [30.0, 20.0, 40.0, np.nan],
        }
    )


def test_the_table_behind_it(trials: pd.DataFrame) -> None:
    table = SearchTrials(trials, (RATE, LOSS), "$").frame()
    assert list(table.columns) == ["trial", "model", "learning_rate", "loss", "rmse_validation"]
    # The best first, and without the one that failed.
    assert list(table["model"]) == ["A 2", "A", "A 3"]
    assert list(table["rmse_validation"]) == [20, 30, 40]


def test_axes_say_what_they_show(trials: pd.DataFrame) -> None:
    (drawn,) = SearchTrials(trials, (RATE, LOSS, DELTA, HIDDEN), "$").plot().data
    rate, loss, delta, hidden, error = drawn.dimensions
    assert [axis.label for axis in drawn.dimensions] == [
        "Learning rate",
        "Loss",
        "Huber's delta",
        "Hidden layers",
        "Validation RMSE, $",
    ]
    # The best is drawn last, above the others.
    assert list(error["values"]) == [40, 30, 20]
    assert list(rate["values"]) == pytest.approx([-4, -3, -2])
    assert list(rate["range"]) == pytest.approx([-4, -1])
    assert list(rate.ticktext) == ["0.0001", "0.001", "0.01", "0.1"]
    assert list(rate.tickvals) == pytest.approx([-4, -3, -2, -1])
    assert list(loss.ticktext) == ["huber", "mse"]
    assert list(loss["values"]) == [1, 1, 0]
    assert list(hidden.ticktext) == ["128", "64, 32"]
    assert list(hidden["values"]) == [0, 1, 0]
    # What had no effect stands below the range.
    assert list(delta.ticktext) == [UNUSED, "1", "2", "5"]
    assert list(delta["values"]) == pytest.approx([delta.tickvals[0], delta.tickvals[0], 2.0])
    assert delta.tickvals[0] < 1.0
    assert delta["range"][0] == delta.tickvals[0]
    assert {"$20", "$40"} <= set(error.ticktext)


def test_the_colour_is_the_error_from_low_to_high(trials: pd.DataFrame) -> None:
    (drawn,) = SearchTrials(trials, (RATE,)).plot().data
    assert list(drawn.line.color) == [40, 30, 20]
    assert [list(step) for step in drawn.line.colorscale] == theme.LOW_TO_HIGH
    assert (drawn.line.cmin, drawn.line.cmax) == (20, 40)


def test_one_that_is_far_out_takes_neither_all_colours_nor_the_axis(trials: pd.DataFrame) -> None:
    errors = [20.0, 21.0, 22.0, 23.0, 24.0, 25.0, 26.0, 2e6]
    many = pd.concat([trials.head(1)] * 8, ignore_index=True).assign(rmse_validation=errors)
    (drawn,) = SearchTrials(many, (RATE,), "$").plot().data
    error = drawn.dimensions[-1]
    assert list(error["values"]) == pytest.approx([math.log10(value) for value in reversed(errors)])
    assert "$10,000" in error.ticktext
    assert drawn.line.cmax < math.log10(40)


def test_each_axis_has_a_line_that_a_dark_ground_shows(trials: pd.DataFrame) -> None:
    figure = SearchTrials(trials, (RATE, LOSS)).plot()
    assert [shape.x0 for shape in figure.layout.shapes] == [0, 0.5, 1]
    assert {shape.line.color for shape in figure.layout.shapes} == {theme.GREY}
    # Texts take the page's colour.
    (drawn,) = figure.data
    assert drawn.labelfont.color is None
    assert drawn.tickfont.color is None


def test_in_a_sentence(trials: pd.DataFrame) -> None:
    seen = SearchTrials(trials, (RATE, LOSS, HIDDEN, DELTA), "$").alt
    assert seen == (
        "3 trials as lines through their settings to their validation error; the lowest, $20, has "
        "Learning rate 0.01, Loss huber, Hidden layers 128, Huber's delta 2."
    )
    assert "Huber" not in SearchTrials(trials.drop(index=1), (RATE, DELTA)).alt


def test_without_an_error_there_is_nothing_to_see(trials: pd.DataFrame) -> None:
    none = SearchTrials(trials.assign(rmse_validation=np.nan), (RATE,))
    assert none.alt == "No trial has an error."
    assert none.plot().layout.annotations[0].text == "No trial has an error."


def test_one_trial_can_be_drawn(trials: pd.DataFrame) -> None:
    one = SearchTrials(trials.head(1), (SearchAxis("learning_rate", "Learning rate"), LOSS))
    assert one.alt.startswith("1 trial as lines")
    (drawn,) = one.plot().data
    assert all(axis["range"][0] < axis["range"][1] for axis in drawn.dimensions)


def test_at_most_so_many_axes(trials: pd.DataFrame) -> None:
    many = tuple(SearchAxis("learning_rate", f"Rate {number}") for number in range(MOST_AXES + 3))
    (drawn,) = SearchTrials(trials, many).plot().data
    assert len(drawn.dimensions) == MOST_AXES + 1


@pytest.mark.parametrize(
    ("ends", "log", "ticks"),
    [
        ((0.0, 0.5), False, [0, 0.1, 0.2, 0.3, 0.4, 0.5]),
        ((1.0, 4.0), False, [1, 2, 3, 4]),
        ((10.0, 80.0), False, [20, 40, 60, 80]),
        ((1e-6, 1.0), True, [1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1]),
        ((32.0, 512.0), True, [50, 100, 200, 500]),
        ((40.0, 300.0), True, [50, 100, 200]),
        ((31.0, 42.0), True, [31, 42]),
        ((3.0, 3.0), False, [3]),
    ],
)
def test_ticks_are_round(ends: tuple[float, float], log: bool, ticks: list[float]) -> None:
    assert readable_ticks(*ends, log=log) == pytest.approx(ticks)
