"""Fixtures for all tests: homes of their own, small tables, and one run that was really trained."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from filelock import FileLock
from hypothesis import settings

from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs import Dispatcher, open_dispatcher
from dlreg_core.networks import default_plan
from dlreg_core.pipeline.quiet_libraries import silence_libraries
from dlreg_core.runs import RunFolder, RunStore, TaskFolder, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Dataset, Done, Experiment, Recipe, RunState

# How long an example takes says nothing on a busy machine.
settings.register_profile("busy", deadline=None)
settings.load_profile("busy")

# Loading the libraries in advance would take every page's test some 10 s of a processor.
os.environ["DLREG_STAND_BY"] = "0"

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the folder of real files; without it the test is skipped, except in CI."""
    if not SHARED.is_dir():
        if os.environ.get("CI"):
            pytest.fail("the shared data files are not there")
        pytest.skip("the shared data files are not there")
    return SHARED


@pytest.fixture(autouse=True)
def main_module() -> Iterator[None]:
    """Give the main module back: a page under test takes its place, and processes started later would run the page."""
    kept = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = kept


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty home, used by everything that reads the settings."""
    monkeypatch.setenv("DLREG_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    """Return the runs of a new home."""
    return open_store(Settings(home=tmp_path / "home"))


@pytest.fixture(scope="module")
def quiet() -> None:
    """Let the networks' libraries tell of errors only, as a worker does."""
    from autogluon.common.utils.log_utils import set_logger_verbosity

    set_logger_verbosity(0)
    silence_libraries()


def small_table(rows: int = 240, seed: int = 0) -> pd.DataFrame:
    """Return a table whose target is a known function of a number, a category and a date, with gaps and noise."""
    rng = np.random.default_rng(seed)
    size = rng.uniform(20, 200, rows).round(1)
    place = rng.choice(["north", "south", "west"], rows, p=[0.5, 0.3, 0.2])
    built = pd.Timestamp("2001-01-01") + pd.to_timedelta(rng.integers(0, 7000, rows), unit="D")
    price = 3.0 * size + np.where(place == "south", 90.0, 0.0) + built.year.to_numpy() * 0.5 + rng.normal(0, 8, rows)
    table = pd.DataFrame(
        {
            "id": np.arange(1, rows + 1),
            "size": size,
            "place": place,
            "built": built.strftime("%Y-%m-%d"),
            "country": "Freedonia",
            "price": price.round(2),
        }
    )
    table.loc[rng.choice(rows, 12, replace=False), "size"] = np.nan
    return table


def add_table(home: Path, table: pd.DataFrame, name: str = "houses.csv") -> Dataset:
    """Store a table as if it had been uploaded."""
    return DatasetStore(home).add(table.to_csv(index=False).encode(), name)


def as_read(table: pd.DataFrame) -> tuple[Dataset, pd.DataFrame]:
    """Return a table as it would be read from a text file."""
    return read_dataset(table.to_csv(index=False).encode(), "t.csv")


def experiment_on(dataset: Dataset, target: str, **plan: object) -> Experiment:
    """Return an experiment that predicts `target` from all other columns."""
    features = tuple(name for name in dataset.column_names if name != target)
    return Experiment(
        name=f"{dataset.name} → {target}",
        dataset_id=dataset.id,
        dataset_name=dataset.name,
        recipe=Recipe(target=target, features=features, unit="$"),
        plan=default_plan(**plan),
    )


def bare_experiment(name: str = "e", dataset: str = "0" * 16, owner: str = "a") -> Experiment:
    """Return an experiment for what looks at no data."""
    recipe = Recipe(target="y", features=("a",))
    return Experiment(name=name, dataset_id=dataset, dataset_name="d", recipe=recipe, owner=owner, plan=default_plan())


def complete(folder: TaskFolder) -> Done:
    """Do nothing, as a worker would."""
    with folder.hold():
        done = Done(state=RunState.COMPLETED)
        folder.finish(done)
    return done


def wait_for(condition: object, seconds: float = 60.0) -> None:
    """Wait until `condition` holds; fail when it doesn't in time."""
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never became true"
        time.sleep(0.05)


def wait_until_ended(dispatcher: Dispatcher, run_id: str, seconds: float = 240.0) -> RunState:
    """Look after the queue until a run has ended; return how."""
    task = dispatcher.store.folder(run_id).train_task()

    def ended() -> bool:
        dispatcher.tick()
        return task.done() is not None

    wait_for(ended, seconds)
    return dispatcher.store.refresh(run_id)


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    """Return a run that a worker process has trained: two networks, their ensemble and the baselines.

    It is shared by all tests of a session, whichever process they run in, and must not be changed.
    """
    place = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    # Whichever process asks first trains it; the others wait.
    with FileLock(place / "trained.lock"):
        name = place / "trained.txt"
        if not name.exists():
            name.write_text(_trained(place / "trained"))
        return open_store(Settings(home=place / "trained")).folder(name.read_text())


def _trained(home: Path) -> str:
    """Train the run that all tests share; return its identifier."""
    dispatcher = open_dispatcher(Settings(home=home))
    # It ends when both networks are trained; that long it needs only on a busy machine. With more epochs FastAI would
    # be so far ahead that the other is set aside.
    experiment = experiment_on(
        add_table(home, small_table()),
        "price",
        models=("FASTAI", "NN_TORCH"),
        time_limit=120.0,
        preset="fast",
        settings={"FASTAI": {"epochs": 8}},
    )
    run_id = dispatcher.submit(experiment)
    wait_until_ended(dispatcher, run_id)
    run = dispatcher.store.folder(run_id)
    done = run.train_task().done()
    assert done is not None
    assert done.state == "completed", f"{done.reason}\n{run.train_task().log()}"
    return run_id
