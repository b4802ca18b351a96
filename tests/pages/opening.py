"""Opening pages in tests, as the address bar would."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from dlreg_core.runs import (
    PartPredictions,
    RunFolder,
    RunStore,
    TaskFolder,
    load_predictions,
    open_store,
    save_predictions,
)
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.settings import Settings
from dlreg_core.specs import Checkpoint, Dataset, Done, FinishedFit, PlannedFit, RunState
from tests.conftest import ROOT, add_table, experiment_on, small_table


def opened(page: str, **parameters: str) -> AppTest:
    """Open a page with what the address holds."""
    app = AppTest.from_file(str(ROOT / "pages" / "_ui" / "router.py"), default_timeout=120)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run().switch_page(f"../{page}.py").run()


def opened_train(dataset: str, **parameters: str) -> AppTest:
    """Open Train with its folded parts unfolded."""
    app = opened("train", dataset=dataset, **parameters)
    place = parameters.get("run", f"new_{dataset}")
    for part in ("networks", "settings", "search"):
        app.session_state[f"{part}_{place}"] = True
    return app.run()


def texts(app: AppTest) -> str:
    """Return all words on a page."""
    groups = (app.title, app.subheader, app.markdown, app.caption, app.info, app.warning, app.error, app.success)
    return "\n".join(str(element.value) for group in groups for element in group).replace("\\", "")


def labels(app: AppTest) -> list[str]:
    """Return the labels of the page's buttons."""
    return [button.label for button in app.button]


def widget(elements: Any, label: str) -> Any:
    """Return the widget whose label starts with `label`."""
    return next(element for element in elements if element.label.startswith(label))


def kind_of(app: AppTest, label: str) -> str:
    """Return "primary", "secondary" or "tertiary" for the button whose label starts with `label`."""
    return str(widget(app.button, label).proto.type)


def bars(app: AppTest) -> str:
    """Return the words on the page's progress bars."""
    return "\n".join(str(element.proto.text) for element in app.get("progress")).replace("\\", "")


# --- Runs as they would be if worker processes had made them ---------------------------------------------------------


def store_of(home: Path) -> RunStore:
    """Return the runs of a home."""
    return open_store(Settings(home=home))


def waiting(home: Path, dataset: Dataset | None = None, **plan: object) -> TaskFolder:
    """Return the task of a run that waits."""
    experiment = experiment_on(dataset or add_table(home, small_table()), "price", **plan)
    return store_of(home).create(experiment).train_task()


def launched(task: TaskFolder) -> TaskFolder:
    """Let a waiting task seem to be taken by a worker that has loaded what it needs."""
    store_of(task.run.home).index.claim(task.run.id, task.number, ["cpu:0"])
    task.mark_launched()
    task.mark_ready()
    store_of(task.run.home).refresh(task.run.id)
    return task


def going_on(home: Path) -> TaskFolder:
    """Return the task of a run that a worker seems to have taken."""
    return launched(waiting(home))


def ended(task: TaskFolder, state: RunState, reason: str = "", hint: str = "") -> RunFolder:
    """End a task as its worker, or whoever looks after it, would."""
    task.finish(Done(state=state, reason=reason, hint=hint))
    store = store_of(task.run.home)
    store.index.dequeue(task.run.id, task.number)
    store.refresh(task.run.id)
    return task.run


def failed_run(home: Path) -> RunFolder:
    """Return a run that ended without a result."""
    return ended(waiting(home), RunState.FAILED, "The table is too small.", "Add rows.")


def finished_networks(task: TaskFolder, *models: str) -> TaskFolder:
    """Let a task have finished some networks."""
    fits = tuple(
        FinishedFit(
            fit=PlannedFit(model=model, family="FASTAI", epochs=3, seed=0, threads=1, device="cpu"),
            seconds=2.0,
            validation=20.0,
        )
        for model in models
    )
    write_spec(task.path / "checkpoint.json", Checkpoint(fits=fits))
    return task


def copied(trained: RunFolder, home: Path) -> RunFolder:
    """Return a copy of the trained run that a test may change."""
    shutil.copytree(trained.home, home)
    return RunFolder(home / "runs" / trained.id)


def continuing(run: RunFolder, seconds: float = 60.0) -> TaskFolder:
    """Return the task of a trained run that goes on."""
    return launched(store_of(run.home).add_continuation(run, seconds))


def completed(task: TaskFolder) -> None:
    """End a continuation of the trained run with another result: its predictions are 1 higher than those before."""
    run, first = task.run, task.run.task(1)
    for name in ("model", "explanations"):
        shutil.copytree(first.path / name, task.path / name)
    part = load_predictions(run)
    higher = {model: values + 1.0 for model, values in part.predicted.items()}
    save_predictions(task, "test", PartPredictions(part.rows, part.actual, higher))
    shutil.copy(first.path / "result.json", task.path / "result.json")
    ended(task, RunState.COMPLETED)
