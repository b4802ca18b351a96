"""The target against a column: what is drawn, and the sentence about it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dlreg_core.charts.data.target_relation import Relation

ROWS = 200
TARGET = pd.Series(np.arange(ROWS, dtype=float), name="price")


def test_numbers_are_dots_and_the_ends_are_told() -> None:
    size = pd.Series(np.arange(ROWS) / 2.0, name="size")
    size.iloc[[3, 5]] = np.nan
    drawn = Relation(size, TARGET, "$", "m²")
    table = drawn.frame()
    assert len(table) == ROWS - 2
    known = size.dropna()
    low, high = TARGET[size <= known.quantile(0.2)].mean(), TARGET[size >= known.quantile(0.8)].mean()
    assert f"in its lowest fifth, price is ${low:.3g} on average" in drawn.alt
    assert f"in its highest fifth ${high:.3g}." in drawn.alt
    figure = drawn.plot()
    assert figure.data[0].type == "scatter"
    assert figure.layout.xaxis.title.text == "size, m²"


def test_dates_have_an_earliest_and_a_latest_fifth() -> None:
    days = pd.Series(pd.date_range("2024-01-01", periods=ROWS), name="day")
    drawn = Relation(days, TARGET)
    assert "earliest fifth" in drawn.alt
    assert drawn.plot().layout.xaxis.type == "date"


def test_categories_are_boxes_in_their_order() -> None:
    level = pd.Series(np.repeat(["b", "a", "c", "rare"], [80, 70, 47, 3]), name="kind", dtype=object)
    drawn = Relation(level, TARGET, order=("a", "b", "c", "rare"))
    assert drawn.frame()["level"].tolist() == ["a", "b", "c", "rare"]
    means = TARGET.groupby(level).mean()
    # Three rows say nothing about a level.
    assert drawn.alt == (f"price is lowest for b, {means['b']:.3g} on average, and highest for c, {means['c']:.3g}.")
    assert Relation(level, TARGET).frame()["level"].tolist() == ["b", "a", "c", "rare"]
    assert drawn.plot().data[0].type == "box"


def test_nothing_in_common_is_said() -> None:
    drawn = Relation(pd.Series([np.nan] * ROWS, name="size"), TARGET)
    assert drawn.alt == "No row has a value of both size and price."
    assert drawn.frame().empty
    assert sum(len(trace.x) for trace in drawn.plot().data) == 0
