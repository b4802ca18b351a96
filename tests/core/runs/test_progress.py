from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from dlreg_core.runs.training_progress import (
    EpochLine,
    ModelProgress,
    ModelState,
    Resources,
    epoch_lines,
    fold,
    newest_folds,
)
from dlreg_core.specs import Event

START = datetime(2026, 1, 1, tzinfo=UTC)


def log(*events: tuple[str, dict[str, Any]]) -> list[Event]:
    return [Event(time=START + timedelta(seconds=i), kind=kind, data=data) for i, (kind, data) in enumerate(events)]


PLAN = ("plan", {"models": ["TabM", "FastAI", "RealMLP"]})


def test_nothing_has_happened_yet() -> None:
    progress = fold([])
    assert (progress.stage, progress.models, progress.best) == ("", (), None)


def test_planned_models_wait() -> None:
    progress = fold(log(("stage", {"name": "Measuring"}), PLAN))
    assert progress.stage == "Measuring"
    assert [m.model for m in progress.models] == ["TabM", "FastAI", "RealMLP"]
    assert {m.state for m in progress.models} == {ModelState.WAITING}


def test_models_stand_in_the_order_of_their_training() -> None:
    progress = fold(
        log(
            PLAN,
            ("model_skipped", {"model": "RealMLP", "reason": "Skipped: it needs about 90 s."}),
            ("model_started", {"model": "FastAI", "epochs": 10}),
            ("model_finished", {"model": "FastAI", "validation": 5.0, "seconds": 3.0, "epochs_trained": 7}),
            ("model_started", {"model": "TabM", "epochs": 20}),
            ("epoch", {"model": "TabM", "epoch": 5, "epochs": 20, "validation": 4.0}),
            ("epoch", {"model": "TabM", "epoch": 6, "epochs": 20, "validation": None}),
        )
    )
    assert [m.model for m in progress.models] == ["RealMLP", "FastAI", "TabM"]
    skipped, done, training = progress.models
    assert (skipped.state, skipped.reason) == (ModelState.SKIPPED, "it needs about 90 s.")
    assert (done.state, done.validation, done.seconds, done.share) == (ModelState.DONE, 5.0, 3.0, 1.0)
    assert (training.state, training.validation, training.share) == (ModelState.TRAINING, 4.0, 0.3)
    assert progress.stage == "Training TabM"
    # What still trains isn't counted: its network may never be kept.
    assert progress.best == done


def test_the_first_model_is_the_best_so_far_while_it_trains() -> None:
    started = ("model_started", {"model": "TabM", "epochs": 20})
    epoch = ("epoch", {"model": "TabM", "epoch": 5, "epochs": 20, "validation": 4.0})
    best = fold(log(PLAN, started, epoch)).best
    assert best is not None
    assert best.model == "TabM"


def test_a_failed_model_says_why_and_repetitions_are_models_of_their_own() -> None:
    progress = fold(
        log(
            ("plan", {"models": ["TabM"]}),
            ("model_started", {"model": "TabM", "epochs": 3}),
            ("model_finished", {"model": "TabM", "validation": 2.0, "seconds": 1.0, "epochs_trained": 3}),
            ("model_started", {"model": "TabM 2", "epochs": 3}),
            ("model_failed", {"model": "TabM 2", "reason": "out of memory"}),
        )
    )
    assert [(m.model, m.state) for m in progress.models] == [
        ("TabM", ModelState.DONE),
        ("TabM 2", ModelState.FAILED),
    ]
    assert progress.models[1].reason == "out of memory"


def test_when_a_run_has_ended_nothing_waits_or_trains_any_more() -> None:
    progress = fold(log(PLAN, ("model_started", {"model": "TabM", "epochs": 3}))).ended()
    assert {m.state for m in progress.models} == {ModelState.STOPPED}


def test_events_that_are_about_something_else_change_nothing() -> None:
    assert fold(log(("log", {"text": "hello"}), ("progress", {"share": 0.5}))).models == ()


def test_models_of_an_earlier_task_are_done() -> None:
    taken = ("model_taken", {"model": "TabM", "validation": 4.0, "seconds": 9.0})
    progress = fold(log(taken, ("plan", {"models": ["FastAI"]}), ("model_started", {"model": "FastAI", "epochs": 3})))
    assert progress.models[0] == ModelProgress("TabM", ModelState.DONE, validation=4.0, seconds=9.0, taken=True)
    assert progress.best == progress.models[0]
    assert progress.current is not None
    assert progress.current.model == "FastAI"


def test_time_left_counts_down_from_the_latest_forecast() -> None:
    progress = fold(log(("forecast", {"seconds": 90.0}), ("stage", {"name": "x"}), ("forecast", {"seconds": 40.0})))
    assert progress.ends == START + timedelta(seconds=42)
    moment = START + timedelta(seconds=12)
    assert progress.seconds_left(moment, budget_left=100.0) == 30.0
    # Never more than the budget has left, and never hidden that it is over.
    assert progress.seconds_left(moment, budget_left=5.0) == 5.0
    assert progress.seconds_left(START + timedelta(seconds=50), budget_left=60.0) == -8.0
    assert progress.ended().ends is None


def test_without_a_forecast_the_budget_is_all_that_is_known() -> None:
    assert fold([]).seconds_left(START, budget_left=55.0) == 55.0


def test_the_latest_resources_count() -> None:
    first = ("resources", {"memory_mb": 500, "machine_mb": 8000, "machine_used": 0.1, "cpu": 0.5})
    last = ("resources", {"memory_mb": 900, "machine_mb": 8000, "gpu_memory_mb": 10, "gpu_share": None, "new": 1})
    assert fold(log(first)).resources == Resources(500.0, 8000.0, 0.1, 0.5)
    assert fold(log(first, last)).resources == Resources(900.0, 8000.0, gpu_memory_mb=10.0)
    assert fold([]).resources is None


def test_a_model_that_is_started_again_begins_anew() -> None:
    epoch = ("epoch", {"model": "TabM", "epoch": 5, "epochs": 20, "validation": 4.0})
    started = ("model_started", {"model": "TabM", "epochs": 7})
    assert fold(log(epoch, started)).models == (ModelProgress("TabM", ModelState.TRAINING, epochs=7),)


def test_an_epoch_without_an_error_has_that_of_those_it_passed_over() -> None:
    data = {"model": "TabM", "epoch": 3, "epochs": 9, "validation": None, "earlier": [[1, 6.0, 1.0], [2, 5.0, None]]}
    (model,) = fold(log(("epoch", data))).models
    assert (model.epoch, model.validation) == (3, 5.0)


def of_fold(number: int, fold_number: int, validation: float, **more: Any) -> tuple[str, dict[str, Any]]:
    return "epoch", {"model": "TabM", "epoch": number, "validation": validation, "fold": fold_number} | more


def test_of_a_network_in_folds_the_newest_one_is_followed() -> None:
    events = log(
        ("model_started", {"model": "TabM", "epochs": 9}),
        of_fold(1, 0, 6.0),
        of_fold(2, 1, 5.0, train_loss=0.5, earlier=[[1, 7.0, None]]),
        # One that trains beside it.
        of_fold(2, 0, 4.0),
    )
    (model,) = fold(events).models
    assert (model.fold, model.epoch, model.validation, model.epochs) == (1, 2, 5.0, 9)
    lines = epoch_lines(events)
    assert lines == [
        EpochLine("TabM", 0, 1, 6.0, None),
        EpochLine("TabM", 0, 2, 4.0, None),
        EpochLine("TabM", 1, 1, 7.0, None),
        EpochLine("TabM", 1, 2, 5.0, 0.5),
    ]
    assert newest_folds(lines) == lines[2:]


def test_without_folds_there_is_one() -> None:
    again = ("model_started", {"model": "TabM", "epochs": 3})
    first = ("epoch", {"model": "TabM", "epoch": 1, "validation": None, "train_loss": 2.0})
    assert epoch_lines(log(first)) == [EpochLine("TabM", 0, 1, None, 2.0)]
    assert newest_folds(epoch_lines(log(first))) == epoch_lines(log(first))
    # What another start of the same network left behind is over, in every fold.
    assert epoch_lines(log(of_fold(1, 0, 1.0), of_fold(1, 1, 1.0), again, first)) == epoch_lines(log(first))
    (model,) = fold(log(of_fold(1, 3, 1.0), again)).models
    assert model.fold == 0


def test_the_share_of_a_network_with_folds_counts_all_of_them() -> None:
    events = [
        ("model_started", {"model": "TabM", "epochs": 10, "folds": 4}),
        ("epoch", {"model": "TabM", "epoch": 5, "epochs": 10, "validation": 4.0, "fold": 0}),
    ]
    assert fold(log(*events)).models[0].share == 0.125
    later = ("epoch", {"model": "TabM", "epoch": 10, "epochs": 10, "validation": 4.0, "fold": 3})
    assert fold(log(*events, later)).models[0].share == 1.0


def test_a_fold_that_goes_on_does_not_bring_back_a_network_that_was_given_up() -> None:
    events = log(
        ("model_started", {"model": "TabM", "epochs": 9, "folds": 8}),
        of_fold(1, 2, 5.0),
        ("model_skipped", {"model": "TabM", "reason": "Skipped: it is far behind."}),
        of_fold(3, 4, 4.9),
    )
    (model,) = fold(events).models
    assert (model.state, model.reason) == (ModelState.SKIPPED, "it is far behind.")
