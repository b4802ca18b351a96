from __future__ import annotations

from typing import Any

from dlreg_core.charts.data.column_histogram import ColumnHistogram
from dlreg_core.charts.training.error_over_time import LearningProgress
from dlreg_core.specs import Column, ColumnType, Histogram, Level
from tests.core.charts.timed_events import event

EVENTS = (
    event(0, "stage", name="prepare"),
    event(3, "epoch", model="TabM", epoch=1, validation=9.0, train_loss=0.5),
    event(5, "epoch", model="TabM", epoch=2, validation=None),
    event(6, "epoch", model="TabM", epoch=3, validation=7.0),
    event(7, "model_finished", model="TabM", validation=7.0, seconds=4),
    event(9, "epoch", model="RealMLP", epoch=1, validation=8.0),
)


def test_best_so_far_over_time() -> None:
    table = LearningProgress(EVENTS, "$").frame()
    assert list(table["seconds"]) == [3, 6, 7, 9]
    assert list(table["best"]) == [9, 7, 7, 7]
    assert list(table["finished"]) == [False, False, True, False]


def test_the_error_of_one_fold_is_not_the_best_so_far() -> None:
    folds = [event(2, "epoch", model="TabM", epoch=1, validation=1.0, fold=0), *EVENTS[4:5]]
    assert list(LearningProgress((EVENTS[0], *folds)).frame()["best"]) == [7.0]


def test_steps_and_dots() -> None:
    display = LearningProgress.of(iter(EVENTS), "$")
    steps, dots = display.plot().data
    assert steps.line.shape == "hv"
    assert (list(steps.x), list(steps.y)) == ([3, 6, 9], [9, 7, 7])
    assert (list(dots.x), list(dots.y), list(dots.text)) == ([7], [7], ["TabM"])
    assert display.alt == "Best validation RMSE over 9 s: now $7, 1 model finished."


def test_models_of_an_earlier_task_are_where_it_starts() -> None:
    taken = [event(2, "model_taken", model=name, validation=value) for name, value in (("TabM", 6.0), ("FastAI", 8.0))]
    display = LearningProgress((event(0, "stage", name="prepare"), *taken, *EVENTS[1:]), "$")
    table = display.frame()
    assert list(table["best"]) == [6.0] * 6
    assert list(table["taken"]) == [True, True, False, False, False, False]
    _, dots = display.plot().data
    # On one spot one name is enough: the best one's.
    assert list(dots.text) == ["TabM", "", "TabM"]
    assert list(dots.marker.symbol) == ["circle-open", "circle-open", "circle"]


def test_a_model_that_is_far_off_does_not_press_the_others_flat() -> None:
    ends = [event(10 + i, "model_finished", model=f"TabM {i}", validation=v) for i, v in enumerate((5.0, 5.2, 900.0))]
    figure = LearningProgress(tuple(ends)).plot()
    dots = figure.data[1]
    assert list(dots.marker.symbol) == ["circle", "circle", "triangle-up"]
    assert dots.y[2] < 6
    assert dots.customdata[2][1] == 900.0
    low, high = figure.layout.yaxis.range
    assert low < 5.0 < 5.2 < dots.y[2] < high < 6


def test_models_of_one_error_still_have_a_range() -> None:
    figure = LearningProgress((event(1, "model_finished", model="TabM", validation=0.0),)).plot()
    low, high = figure.layout.yaxis.range
    assert low < 0 < high


def test_before_the_first_error() -> None:
    assert not LearningProgress(EVENTS[:1]).plot().data
    assert not LearningProgress(()).plot().data


def column(**more: Any) -> Column:
    return Column(name="c", missing=0, distinct=3, **more)


def test_histogram_of_a_number_column() -> None:
    display = ColumnHistogram(column(type=ColumnType.NUMBER, histogram=Histogram(edges=(0, 1, 2), counts=(5, 9))))
    assert list(display.frame()["label"]) == ["0–1", "1–2"]
    (bars,) = display.plot().data
    assert (list(bars.x), list(bars.y)) == ([0.5, 1.5], [5, 9])
    assert display.alt == "c: most frequent is 1–2, in 9 rows."


def test_bars_of_a_category_column() -> None:
    levels = tuple(Level(value=f"<{i}>", count=20 - i) for i in range(12))
    display = ColumnHistogram(column(type=ColumnType.CATEGORY, levels=levels))
    assert len(display.frame()) == 8
    assert display.plot().data[0].customdata[0] == "&lt;0&gt;"


def test_a_column_without_profile() -> None:
    assert not ColumnHistogram(column(type=ColumnType.TEXT)).plot().data
