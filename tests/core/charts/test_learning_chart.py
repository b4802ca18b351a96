from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlreg_core.charts.base import theme
from dlreg_core.charts.training.training_validation import TrainingValidation
from dlreg_core.evaluation.epoch_curves import NetworkCurves, network_curves
from dlreg_core.wording.learning_curve_text import verdict_words
from tests.core.evaluation.test_learning import epoch, result_of


def curves_of(
    family: str = "TABM",
    model: str = "TabM",
    settings: dict[str, Any] | None = None,
    folds: int = 1,
    epochs: int = 20,
) -> NetworkCurves:
    events = [
        epoch(model, i, 5 + f + 5 / i, (4 / i) ** 2, **({"fold": f} if folds > 1 else {}))
        for f in range(folds)
        for i in range(1, epochs - f + 1)
    ]
    (found,) = network_curves(result_of((model, family, settings or {})), events).values()
    assert isinstance(found, NetworkCurves)
    return found


def test_the_table_behind_the_picture() -> None:
    table = TrainingValidation(curves_of(), "$").frame()
    assert list(table.columns) == ["line", "epoch", "validation", "training"]
    assert set(table["line"]) == {"network"}
    assert table["validation"].to_list() == pytest.approx([5 + 5 / i for i in range(1, 21)])
    # The root of the loss, times the standard deviation of 2.
    assert table["training"].to_list() == pytest.approx([8 / i for i in range(1, 21)])


def test_both_curves_are_drawn_in_the_models_colour_with_the_best_epoch_marked() -> None:
    display = TrainingValidation(curves_of(), "$")
    figure = display.plot()
    named = {trace.name: trace for trace in figure.data}
    assert list(named) == ["best epoch", "validation RMSE", "training RMSE"]
    assert {named[name].line.color for name in ("validation RMSE", "training RMSE")} == {theme.model_colour("TabM")}
    assert named["validation RMSE"].line.dash != named["training RMSE"].line.dash
    assert (named["best epoch"].x[0], named["best epoch"].y[0]) == (20, pytest.approx(5.25))
    assert "best: epoch 20" in [annotation.text for annotation in figure.layout.annotations]
    # Named at its end, and nowhere else.
    labels = [text for text in named["training RMSE"].text if text]
    assert len(labels) == 1
    assert "training" in labels[0]
    assert display.alt == (
        "Errors of TabM by epoch: the validation RMSE is lowest in epoch 20 of 20, at $5.25; "
        "the training RMSE is $0.4 there."
    )


def test_folds_are_thin_lines_behind_their_mean() -> None:
    display = TrainingValidation(curves_of(folds=3))
    table = display.frame()
    assert list(dict.fromkeys(table["line"])) == ["fold 1", "fold 2", "fold 3", "mean"]
    mean = table[table["line"] == "mean"]
    assert list(mean["epoch"]) == list(range(1, 19))
    assert mean["validation"].to_list() == pytest.approx([6 + 5 / i for i in range(1, 19)])
    traces = display.plot().data
    assert len(traces) == 2 * 3 + 1 + 2
    assert {trace.line.width for trace in traces[:6]} == {1}
    assert {trace.line.width for trace in traces[7:]} == {2.5}
    assert "the mean of 3 folds" in display.alt


def test_a_loss_of_its_own_is_shown_relative_to_its_start() -> None:
    display = TrainingValidation(curves_of("FEEDFORWARD", "Feed-forward", {"loss": "huber"}), "$")
    table = display.frame()
    assert table["training"].to_list() == pytest.approx([1 / i**2 for i in range(1, 21)])
    assert table["validation"].iloc[-1] == pytest.approx(0.525)
    figure = display.plot()
    assert "$" not in figure.layout.yaxis.title.text
    assert "0.525 × that of the first epoch" in display.alt


def test_a_straight_line_that_no_epoch_beat_is_the_best_and_the_verdict() -> None:
    told = [epoch("Feed-forward", 0, 3.0, None)] + [epoch("Feed-forward", i, 4 + i / 10, 1 / i) for i in range(1, 21)]
    for loss in ("mse", "huber"):
        (curves,) = network_curves(result_of(("Feed-forward", "FEEDFORWARD", {"loss": loss})), told).values()
        assert curves.verdict.kind == "line"
        assert "the line alone is kept" in verdict_words(curves, "$")
        display = TrainingValidation(curves, "$")
        assert "best: the straight line alone" in [note.text for note in display.plot().layout.annotations]
        assert "lowest before the first of 20 epochs, a straight line's, at " in display.alt
    # Relative to the first epoch, also where something was predicted before.
    assert display.frame()["validation"].iloc[:2].to_list() == pytest.approx([3 / 4.1, 1.0])
    assert display.frame()["training"].iloc[1] == 1.0


def test_a_mean_absolute_error_is_named_so() -> None:
    names = [trace.name for trace in TrainingValidation(curves_of("NN_TORCH", "NN Torch")).plot().data]
    assert "training MAE" in names


def test_nothing_and_little_to_draw() -> None:
    nothing = network_curves(result_of(("TabM", "TABM", {})), [epoch("TabM", 1, None, None)])["TabM"]
    assert not TrainingValidation(nothing).plot().data
    assert "told no validation error" in TrainingValidation(nothing).alt
    one = TrainingValidation(curves_of(epochs=1)).plot()
    assert {trace.mode.split("+")[0] for trace in one.data} == {"markers"}
    without = network_curves(result_of(("TabM", "TABM", {})), [epoch("TabM", i, 1.0, None) for i in (1, 2)])["TabM"]
    figure = TrainingValidation(without).plot()
    assert [trace.name for trace in figure.data] == ["best epoch", "validation RMSE"]
    low, high = figure.layout.yaxis.range
    assert low < 1 < high


def test_the_first_passes_are_outside_and_curves_that_meet_have_their_names_apart() -> None:
    events = [epoch("TabM", i, 5 + 500 / i**3, ((5.001 + 400 / i**3) / 2) ** 2) for i in range(1, 41)]
    (found,) = network_curves(result_of(("TabM", "TABM", {})), events).values()
    figure = TrainingValidation(found).plot()
    assert figure.layout.yaxis.range[1] < 20
    places = {trace.name: trace.textposition for trace in figure.data}
    assert {places["training RMSE"], places["validation RMSE"]} == {"top right", "bottom right"}
    assert np.isfinite(figure.layout.yaxis.range).all()
