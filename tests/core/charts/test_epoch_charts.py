from __future__ import annotations

import numpy as np

from dlreg_core.charts.training.learning_curves import CurrentLoss, CurrentValidation, LearningCurves, epoch_table
from dlreg_core.specs import Event
from tests.core.charts.timed_events import event

EVENTS = (
    event(0, "stage", name="prepare"),
    event(3, "epoch", model="TabM", epoch=1, validation=9.0, train_loss=0.5),
    event(5, "epoch", model="TabM", epoch=2, validation=None),
    event(6, "epoch", model="TabM", epoch=3, validation=7.0),
    event(7, "model_finished", model="TabM", validation=7.0, seconds=4),
    event(8, "model_started", model="RealMLP", epochs=30),
    event(
        9, "epoch", model="RealMLP", epoch=3, validation=8.0, train_loss=2.0, earlier=[[1, 12.0, 4.0], [2, 9.5, 3.0]]
    ),
)


def many(model: str, count: int, start: float = 100.0) -> Event:
    """One event for `count` epochs of a curve that falls."""
    lines = [[epoch, 5.0 + start / epoch, start / epoch] for epoch in range(1, count + 1)]
    (epoch, validation, loss), earlier = lines[-1], lines[:-1]
    return event(10, "epoch", model=model, epoch=epoch, validation=validation, train_loss=loss, earlier=earlier)


def test_curves_by_epoch() -> None:
    display = LearningCurves(EVENTS, "$")
    table = display.frame()
    assert list(table["model"]) == ["TabM", "TabM", "RealMLP", "RealMLP", "RealMLP"]
    assert list(table["epoch"]) == [1, 3, 1, 2, 3]
    assert list(table["validation"]) == [9, 7, 12, 9.5, 8]
    assert table["train_loss"][0] == 0.5
    assert np.isnan(table["train_loss"][1])
    assert [trace.name for trace in display.plot().data] == ["TabM", "RealMLP"]
    assert "TabM $7, RealMLP $8" in display.alt


def test_before_the_first_epoch() -> None:
    assert not LearningCurves(()).plot().data
    assert not CurrentValidation(EVENTS[:1], "TabM").plot().data
    assert not CurrentLoss(EVENTS[:1], "TabM").plot().data
    assert "no validation error" in CurrentValidation((), "TabM").alt
    assert "no training loss" in CurrentLoss((), "TabM").alt


def test_a_training_that_was_cut_off_gives_way_to_the_one_that_followed() -> None:
    again = (
        event(20, "model_started", model="TabM", epochs=5),
        event(21, "epoch", model="TabM", epoch=1, validation=4),
    )
    table = epoch_table((*EVENTS, *again))
    assert list(table[table["model"] == "TabM"]["validation"]) == [4.0]


def test_long_curves_are_sent_as_far_as_they_can_be_told_apart() -> None:
    (line,) = LearningCurves((many("TabM", 2000),)).plot().data
    assert len(line.x) == 300
    assert (line.x[0], line.x[-1]) == (1, 2000)


def test_the_current_network_stands_before_the_others() -> None:
    display = CurrentValidation(EVENTS, "RealMLP", "$")
    assert list(display.frame()["current"]) == [False, False, True, True, True]
    behind, own = display.plot().data
    assert (behind.name, own.name) == ("TabM", "RealMLP")
    assert behind.line.width < own.line.width
    assert display.alt == (
        "Validation RMSE of RealMLP by epoch: $8 after epoch 3, at best $8, with 1 other network behind it."
    )


def test_the_picture_spans_the_epochs_of_the_current_network_and_leaves_out_its_first_passes() -> None:
    figure = CurrentValidation((many("TabM", 400), many("RealMLP", 50)), "RealMLP").plot()
    assert list(figure.layout.xaxis.range) == [0, 56]
    assert figure.data[0].x[-1] <= 56
    low, high = figure.layout.yaxis.range
    assert low < 7.0
    assert high < 30


def test_of_many_networks_only_the_latest_are_behind() -> None:
    events = tuple(many(f"TabM {number}", 5) for number in range(1, 30))
    figure = CurrentValidation(events, "TabM 29").plot()
    assert [trace.name for trace in figure.data] == [f"TabM {number}" for number in range(19, 30)]


def test_the_loss_of_the_current_network() -> None:
    display = CurrentLoss(EVENTS, "RealMLP")
    assert list(display.frame()["train_loss"]) == [4, 3, 2]
    (line,) = display.plot().data
    assert list(line.y) == [4, 3, 2]
    assert display.alt == (
        "Training loss of RealMLP by epoch: from 4 to 2 after epoch 3, in the units of its own loss."
    )
    # One epoch is a dot: a line through it could not be seen.
    assert CurrentLoss(EVENTS, "TabM").plot().data[0].mode == "markers"


def test_flat_curves_have_a_range() -> None:
    flat = tuple(event(i, "epoch", model="TabM", epoch=i, validation=0.0, train_loss=0.0) for i in range(1, 4))
    for figure in (CurrentValidation(flat, "TabM").plot(), CurrentLoss(flat, "TabM").plot()):
        low, high = figure.layout.yaxis.range
        assert low < 0 < high


def test_of_a_network_in_folds_the_newest_curve_is_shown() -> None:
    folds = tuple(event(i, "epoch", model="TabM", epoch=1 + i % 2, validation=9.0 - i, fold=i // 2) for i in range(6))
    table = epoch_table(folds)
    assert list(table["epoch"]) == [1, 2]
    assert list(table["validation"]) == [5.0, 4.0]
    (line,) = LearningCurves(folds).plot().data
    assert list(line.y) == [5.0, 4.0]
