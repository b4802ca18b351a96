from __future__ import annotations

import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.errors import ConflictError, ScorerError
from dlreg_core.jobs import RunService
from dlreg_core.recipe.draft import draft_of, save_draft
from dlreg_core.runs import RunFolder, TaskFolder
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.runs.expectations import Outlook
from dlreg_core.runs.machine import boot_id
from dlreg_core.scoring.client import Scorer
from dlreg_core.specs import ContinueRequest, Dataset, Instant, Pulse, RunState, TaskKind
from tests.conftest import add_table, experiment_on, small_table, wait_for
from tests.pages.opening import (
    bars,
    continuing,
    copied,
    ended,
    finished_networks,
    kind_of,
    labels,
    launched,
    opened_train,
    store_of,
    texts,
    waiting,
    widget,
)
from tests.pages.opening import opened as opened_page


def opened(**parameters: str) -> AppTest:
    return opened_page("train", **parameters)


def queued(home: Path, dataset: Dataset) -> TaskFolder:
    return waiting(home, dataset, models=("FASTAI", "TABM"), time_limit=60.0)


def running(home: Path, dataset: Dataset) -> TaskFolder:
    return learning(launched(queued(home, dataset)))


def learning(task: TaskFolder) -> TaskFolder:
    """Let a task tell that its first network has learned something."""
    task.emit("stage", name="Preparing the rows")
    task.emit("plan", models=["FastAI", "TabM"])
    task.emit("forecast", seconds=30.0)
    task.emit("model_started", model="FastAI", family="FASTAI", epochs=10, expected=5.0)
    task.emit(
        "epoch",
        model="FastAI",
        epoch=4,
        epochs=10,
        validation=21.5,
        train_loss=0.2,
        earlier=[[1, 40.0, 0.9], [2, 30.0, 0.5], [3, 25.0, 0.3]],
    )
    return task


def test_without_data_the_page_leads_to_data(home: Path) -> None:
    app = opened()
    assert not app.exception
    assert [button.label for button in app.button] == ["Choose data"]


def test_a_new_run_is_described_and_started(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened_train(dataset.id)
    assert not app.exception
    assert "networks and 5 baselines learn from 204 rows with 3 columns" in texts(app)
    widget(app.select_slider, "Time to spend").set_value(30.0).run()
    widget(app.checkbox, "TabM").uncheck().run()
    assert "5 chosen networks" not in texts(app)
    widget(app.button, "Start training").click().run()
    assert not app.exception
    (summary,) = store_of(home).list("local")
    assert app.query_params["run"] == summary.run_id
    plan = store_of(home).folder(summary.run_id).experiment().plan
    assert plan.time_limit == 30.0
    assert "TABM" not in plan.models
    assert any(button.label == "Cancel this run" for button in app.button)


def test_the_plan_survives_a_new_session(home: Path) -> None:
    dataset = add_table(home, small_table())
    widget(opened(dataset=dataset.id).select_slider, "Time to spend").set_value(600.0).run()
    assert widget(opened(dataset=dataset.id).select_slider, "Time to spend").value == 600.0


def test_without_a_network_nothing_can_start(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened_train(dataset.id)
    for box in app.checkbox:
        box.uncheck()
    app.run()
    assert "No network is ticked" in app.warning[0].value
    assert widget(app.button, "Start training").disabled
    app.session_state[f"networks_new_{dataset.id}"] = False
    assert "No network is ticked" in app.run().warning[0].value


def test_a_table_that_is_too_small_is_refused_with_a_way_out(home: Path) -> None:
    app = opened(dataset=add_table(home, small_table(rows=60).iloc[:18]).id)
    assert not app.exception
    assert "at least 20 are needed" in app.error[0].value
    offered = [button.label for button in app.button]
    assert "Change the preparation" in offered
    assert "Start training" not in offered


def test_a_waiting_run_says_its_place_and_can_be_cancelled(home: Path) -> None:
    dataset = add_table(home, small_table())
    running(home, dataset)
    queued(home, dataset)
    last = queued(home, dataset)
    app = opened(dataset=dataset.id, run=last.run.id)
    assert not app.exception
    assert "1 run starts before this one; it starts in about 2 min." in app.info[0].value
    assert "nothing is lost" in texts(app)
    assert not any(label.startswith("Finish now") for label in labels(app))
    widget(app.button, "Cancel this run").click().run()
    assert not app.exception
    assert last.state() is RunState.CANCELLED
    assert "This run was cancelled" in app.info[0].value
    assert kind_of(app, "Train again") == "primary"
    assert len(app.select_slider) == 1


def test_a_running_run_shows_how_far_it_is(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    app = opened(dataset=dataset.id, run=task.run.id)
    assert not app.exception
    assert " of 1:00 · about 0:" in bars(app)
    assert "left · Training FastAI" in bars(app)
    assert "Best so far: FastAI, RMSE $21.5" in texts(app)
    assert "FastAI, epoch by epoch" in texts(app)
    assert len(app.get("plotly_chart")) == 3
    table = app.dataframe[0].value
    assert list(table["state"]) == ["training 40 %", "waiting"]
    assert "Uses" not in texts(app)


def test_a_running_run_says_what_it_uses(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    task.emit("resources", memory_mb=900, machine_mb=25_000, machine_used=0.2, cpu=0.98, gpu_memory_mb=None)
    words = texts(opened(dataset=dataset.id, run=task.run.id))
    assert "Uses 900 MB of 25 GB memory and 1.0 of " in words
    task.emit(
        "resources", memory_mb=900, machine_mb=25_000, machine_used=0.95, cpu=1, gpu_memory_mb=2100,
        gpu_total_mb=80_000, gpu_share=0.64,
    )  # fmt: skip
    words = texts(opened(dataset=dataset.id, run=task.run.id))
    assert "2.1 GB of 80 GB on the GPU, which is 64 % busy. The machine's memory is 95 % full." in words


def test_before_the_first_event_there_is_something_to_see(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = launched(queued(home, dataset))
    app = opened(dataset=dataset.id, run=task.run.id)
    assert not app.exception
    assert "Starting" in bars(app)
    (task.path / "ready.json").unlink()
    app.run()
    assert not app.exception
    assert "Loading the libraries. The time begins when they are loaded." in bars(app)
    assert kind_of(app, "Finish now, keep the best") == "secondary"
    assert not app.get("plotly_chart")


def test_a_run_that_takes_longer_than_planned_says_so(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = launched(waiting(home, dataset, time_limit=0.01))
    time.sleep(0.02)
    app = opened(dataset=dataset.id, run=task.run.id)
    assert not app.exception
    assert "a little longer than planned" in bars(app)


def test_a_running_run_can_be_finished(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    app = opened(dataset=dataset.id, run=task.run.id)
    assert kind_of(app, "Finish now, keep the best") == "primary"
    widget(app.button, "Finish now, keep the best").click().run()
    assert not app.exception
    assert task.is_asked_to_finish()
    assert widget(app.button, "Finish now, keep the best").disabled
    assert "Finishing: FastAI ends after this epoch" in app.info[0].value.replace("\\", "")
    assert "left" not in bars(app)


def test_a_click_counts_while_the_button_becomes_the_first_choice(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = launched(queued(home, dataset))
    app = opened(dataset=dataset.id, run=task.run.id)
    button = widget(app.button, "Finish now, keep the best")
    assert kind_of(app, "Finish now, keep the best") == "secondary"
    # What the browser shows is older than what the server shows by now.
    learning(task)
    button.click().run()
    assert not app.exception
    assert task.is_asked_to_finish()


def test_what_is_refused_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: RunService, run_id: str) -> None:
        raise ConflictError(f"Run {run_id} ended before a network was finished.", "It can be continued.")

    monkeypatch.setattr(RunService, "finish", refuse)
    dataset = add_table(home, small_table())
    app = opened(dataset=dataset.id, run=running(home, dataset).run.id)
    widget(app.button, "Finish now, keep the best").click().run()
    assert not app.exception
    assert "ended before a network was finished" in app.error[0].value


def test_a_run_without_a_sign_of_life_is_reported(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    with task.hold():
        write_spec(
            task.path / "pulse.json", Pulse(active=Instant(boot=boot_id(), ticks=time.monotonic() - 80), memory_mb=100)
        )
        app = opened(dataset=dataset.id, run=task.run.id)
    assert not app.exception
    warning = app.warning[0].value.replace("\\", "")
    assert "no sign of life for 1:2" in warning
    assert "ended after 5:00 without one" in warning


def test_a_new_run_leads_to_the_one_that_is_live(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    app = opened(dataset=dataset.id)
    app.button(key=f"watch_{task.run.id}").click().run()
    assert app.query_params["run"] == task.run.id
    assert "Best so far" in texts(app)


def test_a_failed_run_says_why_and_can_be_trained_again(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    task.emit("model_failed", model="FastAI", reason="out of memory")
    ended(task, RunState.FAILED, "No network could be trained.", "Give it more time.")
    app = opened(dataset=dataset.id, run=task.run.id)
    assert not app.exception
    assert "No network could be trained" in app.error[0].value
    assert "Give it more time" in app.error[0].value
    assert "out of memory" in texts(app)
    assert not any(label.startswith("Keep ") for label in labels(app))
    assert kind_of(app, "Train again") == "primary"
    assert len(app.select_slider) == 1
    assert texts(app).count("No network could be trained") <= 1
    assert widget(app.select_slider, "Time to spend").value == 60.0
    widget(app.button, "Train again").click().run()
    assert app.query_params["run"] != task.run.id


@pytest.mark.parametrize("state", [RunState.FAILED, RunState.CANCELLED])
def test_what_a_run_had_finished_can_be_kept(home: Path, state: RunState) -> None:
    dataset = add_table(home, small_table())
    task = finished_networks(running(home, dataset), "FastAI", "TabM")
    ended(task, state, "The disk is full.", "Delete runs.")
    app = opened(dataset=dataset.id, run=task.run.id)
    assert not app.exception
    assert "FastAI and TabM were finished by then." in texts(app)
    assert kind_of(app, "Keep the 2 networks that were finished") == "primary"
    assert kind_of(app, "Continue for 1 min") == "secondary"
    assert len(app.select_slider) == 1
    widget(app.button, "Keep the 2 networks").click().run()
    assert not app.exception
    kept = task.run.train_task().task()
    assert (kept.kind, kept.more) == (TaskKind.CONTINUE, ContinueRequest(source=1, time_limit=0.0))
    # It goes on at once: nothing more is trained, so there is no time to show and nothing to finish early.
    assert "Starting" in texts(app)
    assert "kept what was finished" in texts(app)
    assert not any(label.startswith("Finish now") for label in labels(app))


def test_an_interrupted_run_is_continued_first_of_all(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = finished_networks(running(home, dataset), "FastAI")
    ended(task, RunState.INTERRUPTED, "The machine was restarted while it was going on.")
    app = opened(dataset=dataset.id, run=task.run.id)
    assert not app.exception
    assert "The machine was restarted" in app.error[0].value
    assert kind_of(app, "Continue for 1 min") == "primary"
    assert kind_of(app, "Keep FastAI") == "secondary"
    app.select_slider(key=f"time_more_{task.run.id}").set_value(120.0).run()
    widget(app.button, "Continue for 2 min").click().run()
    assert not app.exception
    more = task.run.train_task().task().more
    assert more == ContinueRequest(source=1, time_limit=120.0)
    assert " of 2:00" in bars(app)


def test_what_a_run_was_trained_with_can_be_changed(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    ended(task, RunState.CANCELLED)
    app = opened(dataset=dataset.id, run=task.run.id)
    assert any(button.label == "Train with what is prepared now" for button in app.button)
    widget(app.button, "Change what this run").click().run()
    assert not app.exception
    assert app.title[0].value == "Prepare"
    assert widget(app.text_input, "Unit").value == "$"


def test_a_finished_run_leads_to_its_leaderboard(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    app = opened(run=run.id)
    assert not app.exception
    assert "on average" in texts(app)
    assert "finished early" not in texts(app)
    names = labels(app)
    assert names.index("See the leaderboard") < names.index("Continue for 2 min") < names.index("Train again")
    assert kind_of(app, "See the leaderboard") == "primary"
    assert kind_of(app, "Train again") == "secondary"


def test_a_run_that_was_finished_early_says_so(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    result = run.result()
    assert result is not None
    write_spec(run.task(1).path / "result.json", result.model_copy(update={"stopped_early": True}))
    assert "It finished early, as asked." in texts(opened(run=run.id))


def test_a_finished_run_can_be_continued(trained: RunFolder, home: Path) -> None:
    run = copied(trained, home)
    app = opened(run=run.id)
    assert "never gets worse on the validation rows" in texts(app)
    widget(app.button, "Continue for 2 min").click().run()
    assert not app.exception
    assert run.train_task().task().more == ContinueRequest(source=1, time_limit=120.0)
    assert "continued for 2 min" in texts(app)
    assert any(label == "Cancel this run" for label in labels(app))


def test_while_it_is_continued_its_results_stay_in_reach(trained: RunFolder, home: Path) -> None:
    task = continuing(copied(trained, home))
    task.emit("model_taken", model="FastAI", validation=9.0, seconds=3.0)
    app = opened(run=task.run.id)
    assert not app.exception
    assert list(app.dataframe[0].value["state"]) == ["from before"]
    assert "The models that it has already stay." in texts(app)
    # In the sidebar: what is done stays ticked, and more is under way.
    assert "training more" in texts(app)
    widget(app.button, "See the results so far").click().run()
    assert app.title[0].value == "Leaderboard"


def test_a_continuation_that_failed_leaves_the_models_as_they_were(trained: RunFolder, home: Path) -> None:
    task = continuing(copied(trained, home))
    finished_networks(task, "FastAI", "NN Torch", "TabM")
    ended(task, RunState.FAILED, "The disk is full.", "Delete runs.")
    app = opened(run=task.run.id)
    assert not app.exception
    warning = app.warning[0].value.replace("\\", "")
    assert warning == (
        "It could not be continued. The disk is full. Delete runs. The models from before are unchanged."
    )
    assert kind_of(app, "See the leaderboard") == "primary"
    # Only what the result doesn't have yet.
    assert kind_of(app, "Keep TabM") == "secondary"


def test_a_continuation_that_was_cancelled_is_no_failure(trained: RunFolder, home: Path) -> None:
    task = continuing(copied(trained, home))
    ended(task, RunState.CANCELLED, "Cancelled while it was running.")
    app = opened(run=task.run.id)
    assert not app.exception
    assert "Its continuation was cancelled." in app.info[0].value.replace("\\", "")
    assert not app.warning
    assert not any(label.startswith("Keep ") for label in labels(app))


def test_a_run_that_is_gone_is_no_dead_end(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset=dataset.id, run="nowhere")
    assert not app.exception
    assert len(app.error) == 1
    assert [button.label for button in app.button] == ["Look at the runs"]


def test_runs_of_other_people_are_not_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    monkeypatch.setenv("DLREG_OWNER", "somebody-else")
    app = opened(run=task.run.id)
    assert not app.exception
    assert "There is no run" in app.error[0].value


def prepared(home: Path) -> AppTest:
    """Open Train for a table whose target is chosen."""
    dataset = add_table(home, small_table())
    recipe = experiment_on(dataset, "price").recipe
    save_draft(home, "local", dataset.id, draft_of(dataset, recipe))
    return opened(dataset=dataset.id)


def after_looking(app: AppTest) -> AppTest:
    """Run the page again until what the run will need has been found out."""
    wait_for(lambda: "Looking at what it will need" not in texts(app.run()), 20)
    return app


def test_what_a_run_needs_is_told_before_it_starts(home: Path) -> None:
    app = after_looking(prepared(home))
    found = texts(app).replace("\\", "")
    assert "Needs about 1.2 GB of memory (21 GB are free) and 60 MB of disk." in found
    assert "TabM will be skipped: it needs about 52 GB of memory, 21 GB are free." in found
    assert not widget(app.button, "Start training").disabled


def test_a_run_that_can_not_fit_is_refused_with_the_numbers(home: Path, outlook: list[Outlook]) -> None:
    reason = "This needs about 40 GB of disk, and 3 GB are free."
    outlook[0] = outlook[0].model_copy(update={"refusal": reason, "hint": "Delete runs."})
    app = after_looking(prepared(home))
    (told,) = app.error
    assert told.value.replace("\\", "") == f"{reason} Delete runs."
    assert widget(app.button, "Start training").disabled


def test_a_look_that_fails_keeps_nobody_from_training(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Outlook:
        raise ScorerError("The prediction process ended unexpectedly.")

    monkeypatch.setattr(Scorer, "preflight", fail)
    app = after_looking(prepared(home))
    assert not widget(app.button, "Start training").disabled
    assert not app.error
