from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dlreg_core.jobs import LocalProcesses
from dlreg_core.runs import RunFolder, TaskFolder, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Dataset, Done, RunState
from tests.conftest import ROOT, add_table, experiment_on, small_table


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no worker: a run that is launched stays as it is."""
    monkeypatch.setattr(LocalProcesses, "launch", lambda self, task: task.mark_launched())


def opened(**parameters: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "pages" / "_ui" / "router.py"), default_timeout=60)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run().switch_page("../train.py").run()


def widget(elements: Any, label: str) -> Any:
    return next(element for element in elements if element.label.startswith(label))


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in (*app.subheader, *app.markdown, *app.caption)).replace("\\", "")


def queued(home: Path, dataset: Dataset) -> TaskFolder:
    store = open_store(Settings(home=home))
    return store.create(
        experiment_on(dataset, "price", models=("FASTAI", "TABM"), time_limit=60.0), "local"
    ).train_task()


def running(home: Path, dataset: Dataset) -> TaskFolder:
    task = queued(home, dataset)
    store = open_store(Settings(home=home))
    store.index.claim(task.run.id, 1)
    task.mark_launched()
    task.emit("stage", name="Preparing the rows")
    task.emit("plan", models=["FastAI", "TabM"])
    task.emit("model_started", model="FastAI", family="FASTAI", epochs=10, expected=5.0)
    task.emit("epoch", model="FastAI", epoch=4, epochs=10, validation=21.5)
    return task


def test_without_data_the_page_leads_to_data(home: Path) -> None:
    app = opened()
    assert not app.exception
    assert [button.label for button in app.button] == ["Choose data"]


def test_a_new_run_is_described_and_started(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset=dataset.id)
    assert not app.exception
    assert "4 networks and 3 baselines learn from 168 rows with 3 columns" in texts(app)
    widget(app.select_slider, "Time to spend").set_value(30.0).run()
    widget(app.checkbox, "**TabM**").uncheck().run()
    assert "3 networks" in texts(app)
    widget(app.button, "Start training").click().run()
    assert not app.exception
    (summary,) = open_store(Settings(home=home)).list("local")
    assert app.query_params["run"] == summary.run_id
    plan = open_store(Settings(home=home)).folder(summary.run_id).experiment().plan
    assert plan.time_limit == 30.0
    assert "TABM" not in plan.models
    assert any(button.label == "Cancel this run" for button in app.button)


def test_the_plan_survives_a_new_session(home: Path) -> None:
    dataset = add_table(home, small_table())
    widget(opened(dataset=dataset.id).select_slider, "Time to spend").set_value(600.0).run()
    assert widget(opened(dataset=dataset.id).select_slider, "Time to spend").value == 600.0


def test_without_a_network_nothing_can_start(home: Path) -> None:
    app = opened(dataset=add_table(home, small_table()).id)
    for box in app.checkbox:
        box.uncheck()
    app.run()
    assert "No network is ticked" in app.warning[0].value
    assert widget(app.button, "Start training").disabled


def test_a_table_that_is_too_small_is_refused_with_a_way_out(home: Path) -> None:
    app = opened(dataset=add_table(home, small_table(rows=60).iloc[:18]).id)
    assert not app.exception
    assert "at least 20 are needed" in app.error[0].value
    assert [button.label for button in app.button] == ["Change the preparation"]


def test_a_waiting_run_says_its_place_and_can_be_cancelled(home: Path) -> None:
    dataset = add_table(home, small_table())
    running(home, dataset)
    queued(home, dataset)
    last = queued(home, dataset)
    app = opened(dataset=dataset.id, run=last.run.id)
    assert not app.exception
    assert "1 run starts before this one" in app.info[0].value
    widget(app.button, "Cancel this run").click().run()
    assert not app.exception
    assert last.state() is RunState.CANCELLED
    assert "This run was cancelled" in app.info[0].value
    assert any(button.label == "Train again" for button in app.button)


def test_a_running_run_shows_how_far_it_is(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    app = opened(dataset=dataset.id, run=task.run.id)
    assert not app.exception
    assert "Best so far: FastAI, RMSE $21.5" in texts(app)
    table = app.dataframe[0].value
    assert list(table["state"]) == ["training 40 %", "waiting"]


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
    with task.hold():
        task.emit("model_failed", model="FastAI", reason="out of memory")
        task.finish(Done(state=RunState.FAILED, reason="No network could be trained.", hint="Give it more time."))
    app = opened(dataset=dataset.id, run=task.run.id)
    assert not app.exception
    assert "No network could be trained" in app.error[0].value
    assert "Give it more time" in app.error[0].value
    assert "out of memory" in texts(app)
    assert widget(app.select_slider, "Time to spend").value == 60.0
    widget(app.button, "Train again").click().run()
    assert app.query_params["run"] != task.run.id


def test_what_a_run_was_trained_with_can_be_changed(home: Path) -> None:
    dataset = add_table(home, small_table())
    task = running(home, dataset)
    with task.hold():
        task.finish(Done(state=RunState.CANCELLED))
    app = opened(dataset=dataset.id, run=task.run.id)
    assert any(button.label == "Train with what is prepared now" for button in app.button)
    widget(app.button, "Change what this run").click().run()
    assert not app.exception
    assert app.title[0].value == "Prepare"
    assert widget(app.text_input, "Unit").value == "$"


def test_a_finished_run_leads_to_its_leaderboard(
    trained: RunFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(trained.home, tmp_path / "home")
    monkeypatch.setenv("DLREG_HOME", str(tmp_path / "home"))
    app = opened(run=trained.id)
    assert not app.exception
    assert "on average" in texts(app)
    labels = [button.label for button in app.button]
    assert labels.index("See the leaderboard") < labels.index("Train again")


def test_a_run_that_is_gone_is_no_dead_end(home: Path) -> None:
    dataset = add_table(home, small_table())
    app = opened(dataset=dataset.id, run="nowhere")
    assert not app.exception
    assert len(app.error) == 1
    assert [button.label for button in app.button] == ["Look at the runs"]
