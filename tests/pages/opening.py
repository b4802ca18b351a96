"""Opening pages in tests, as the address bar would."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

from dlreg_core.runs import RunFolder, TaskFolder, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, RunState
from tests.conftest import ROOT, add_table, experiment_on, small_table


def opened(page: str, **parameters: str) -> AppTest:
    """Open a page with what the address holds."""
    app = AppTest.from_file(str(ROOT / "pages" / "_ui" / "router.py"), default_timeout=120)
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run().switch_page(f"../{page}.py").run()


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


def failed_run(home: Path) -> RunFolder:
    """Return a run that ended without a result."""
    store = open_store(Settings(home=home))
    run = store.create(experiment_on(add_table(home, small_table()), "price"), "local")
    run.train_task().finish(Done(state=RunState.FAILED, reason="The table is too small.", hint="Add rows."))
    store.refresh(run.id)
    return run


def going_on(home: Path) -> TaskFolder:
    """Return the task of a run that a worker seems to have taken."""
    store = open_store(Settings(home=home))
    task = store.create(experiment_on(add_table(home, small_table()), "price"), "local").train_task()
    store.index.claim(task.run.id, 1)
    task.mark_launched()
    return task


def copied(trained: RunFolder, home: Path) -> RunFolder:
    """Return a copy of the trained run that a test may change."""
    shutil.copytree(trained.home, home)
    return RunFolder(home / "runs" / trained.id)
