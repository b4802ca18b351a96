from __future__ import annotations

from pathlib import Path

import pytest

from dlreg_core.jobs import LocalProcesses
from dlreg_core.runs import RunFolder, TaskFolder, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, ExplainRequest, RunState, TaskKind
from tests.pages.opening import continuing, copied, labels, opened, texts, widget


@pytest.fixture
def run(trained: RunFolder, home: Path, monkeypatch: pytest.MonkeyPatch) -> RunFolder:
    """Return a run that may be changed, in a home where no worker is started."""
    monkeypatch.setattr(LocalProcesses, "launch", lambda self, task, slot: task.mark_launched())
    return copied(trained, home)


def explaining(run: RunFolder, model: str) -> TaskFolder:
    task = run.add_task(TaskKind.EXPLAIN, explain=ExplainRequest(model=model, rows=30))
    task.mark_launched()
    task.emit("stage", name=f"Explaining {model}")
    task.emit("progress", share=0.4)
    return task


def test_without_a_run_the_page_leads_to_one(home: Path) -> None:
    app = opened("explain")
    assert not app.exception
    assert labels(app) == ["Train networks"]


def test_the_best_model_is_explained_already(run: RunFolder) -> None:
    app = opened("explain", run=run.id)
    assert not app.exception
    words = texts(app)
    # From how many rows depends on the machine; of few, the order is told as uncertain.
    assert "matters most" in words or "The order of the columns is uncertain, from" in words
    assert "Why this row?" in words
    assert " background rows, took " in words
    assert labels(app)[-1] == "Predict new rows"


def test_the_dependence_picture_follows_the_choice(run: RunFolder) -> None:
    app = opened("explain", run=run.id)
    widget(app.selectbox, "Column").select("place").run()
    assert not app.exception
    assert "How place moves the prediction" in texts(app)
    widget(app.selectbox, "Coloured by").select("size").run()
    assert not app.exception
    assert "coloured by size" in texts(app)


def test_another_model_can_be_explained(run: RunFolder) -> None:
    app = opened("explain", run=run.id, model="Mean")
    assert "is not explained" in texts(app)
    start = next(button for button in app.button if button.label.startswith("Explain "))
    assert "about" in start.label
    start.click().run()
    assert not app.exception
    tasks = run.tasks()
    assert tasks[-1].task().explain == ExplainRequest(model="Mean", rows=tasks[-1].task().explain.rows)  # type: ignore[union-attr]
    assert "Cancel" in labels(app)


def test_progress_is_shown_and_can_be_cancelled(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    task = explaining(run, "FastAI")
    app = opened("explain", run=run.id)
    assert not app.exception
    assert "Cancel" in labels(app)
    assert not any(label.startswith("Explain ") for label in labels(app))
    cancelled: list[int] = []

    def kill(self: LocalProcesses, folder: TaskFolder) -> None:
        cancelled.append(folder.number)

    monkeypatch.setattr(LocalProcesses, "kill", kill)
    next(button for button in app.button if button.label == "Cancel").click().run()
    assert not app.exception
    assert set(cancelled) == {task.number}
    done = task.done()
    assert done is not None
    assert done.state is RunState.CANCELLED


def test_a_failed_explanation_says_why(run: RunFolder) -> None:
    app = opened("explain", run=run.id, model="Mean")
    next(button for button in app.button if button.label.startswith("Explain ")).click().run()
    run.tasks()[-1].finish(Done(state=RunState.FAILED, reason="The memory was full.", hint="Take fewer rows."))
    app.run()
    assert not app.exception
    assert "The explanation failed" in texts(app)
    assert "The memory was full. Take fewer rows." in texts(app)


def test_a_second_explanation_at_once_is_refused_in_words(run: RunFolder) -> None:
    app = opened("explain", run=run.id, model="Mean")
    # Another tab was faster.
    explaining(run, "FastAI")
    next(button for button in app.button if button.label.startswith("Explain ")).click().run()
    assert not app.exception
    assert len(run.tasks()) == len(open_store(Settings(home=run.home)).folder(run.id).tasks())
    assert sum(t.task().kind is TaskKind.EXPLAIN for t in run.tasks()) == 1


def test_cancelling_an_explanation_never_ends_a_training(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    training = continuing(run)
    task = explaining(run, "FastAI")
    monkeypatch.setattr(LocalProcesses, "kill", lambda self, folder: None)
    app = opened("explain", run=run.id)
    next(button for button in app.button if button.label == "Cancel").click().run()
    assert not app.exception
    assert task.state() is RunState.CANCELLED
    assert training.state() is RunState.RUNNING
