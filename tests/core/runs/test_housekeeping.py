"""What is taken away by itself, and what never is."""

from __future__ import annotations

import os
import time
from datetime import timedelta
from pathlib import Path

import pytest

from dlreg_core.ingest.datasets.dataset_files import note_opened
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs.dataset_service import DatasetService
from dlreg_core.recipe.draft import Draft, save_draft
from dlreg_core.runs import RunStore
from dlreg_core.runs.housekeeping import Housekeeper, find_orphans, old_runs, remove_orphans
from dlreg_core.runs.retention_clock import calendar_of
from dlreg_core.specs import Dataset, Done, RunState, now
from tests.conftest import bare_experiment
from tests.hostile.helpers.clocks import YEAR, Clocks


def make(path: Path, age: float) -> Path:
    """Make a file that was last touched `age` seconds ago, in folders as old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
    for part in (path, path.parent):
        os.utime(part, (time.time() - age, time.time() - age))
    return path


def test_only_what_nothing_refers_to_and_nobody_touches_is_an_orphan(store: RunStore) -> None:
    run, dead = store.create(bare_experiment()), store.create(bare_experiment())
    dead.train_task().finish(Done(state=RunState.FAILED, reason="killed"))
    home = store.home
    exports = home / "cache" / "exports"
    orphans = {
        make(home / "runs" / ".2601half" / "experiment.json", 7200).parent,
        make(home / "runs" / ".2601x.deleted" / "tasks", 7200).parent,
        make(run.path / "tasks" / ".2-abc" / "task.json", 7200).parent,
        make(run.path / "tasks" / "1" / ".pulse.json.abc", 7200),
        make(home / "datasets" / ".part-abc" / "data.parquet", 7200).parent,
        make(home / ".calendar.json.abc", 7200),
        make(home / "drafts" / "ab" / ".x.json.abc", 7200),
        make(home / "weights" / ".MITRA-abc" / "half.bin", 7200).parent,
        make(dead.path / "tasks" / "1" / "model" / "scratch" / "rows.npz", 7200).parent,
        make(exports / "gone-tabm.zip", 7200),
        make(exports / "gone-tabm.json", 7200),
        make(exports / ".abc" / "half.zip", 7200).parent,
        make(home / "drafts" / "cd" / f"{'b' * 16}.json", 7200),
    }
    make(home / "datasets" / ("a" * 16) / "data.parquet", 7200)
    make(home / "drafts" / "ab" / "x.json", 7200)
    make(home / "drafts" / "ab" / f"{'a' * 16}.json", 7200)
    make(exports / f"{run.id}-tabm.zip", 7200)
    # A training that goes on needs what it has prepared, however long ago.
    make(run.path / "tasks" / "1" / "model" / "scratch" / "rows.npz", 7200)
    make(home / "weights" / ".MITRA.lock", 7200)
    make(home / "runs" / ".2602young" / "experiment.json", 10)
    # An old folder in which somebody writes.
    make(home / "datasets" / ".part-live" / "data.parquet", 10)
    os.utime(home / "datasets" / ".part-live", (0, 0))
    before = {path for path in home.rglob("*") if not any(o == path or o in path.parents for o in orphans)}
    assert set(find_orphans(home)) == orphans
    assert set(remove_orphans(home)) == orphans
    assert set(home.rglob("*")) == before
    assert find_orphans(home) == ()


def test_a_home_that_is_not_there_has_no_orphans(tmp_path: Path) -> None:
    assert find_orphans(tmp_path / "nowhere") == ()


def test_only_runs_that_ended_long_enough_ago_are_deleted(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    old, young, live = (store.create(bare_experiment()) for _ in range(3))
    old.train_task().finish(Done(state=RunState.FAILED, reason="r", ended=now() - timedelta(days=31)))
    young.train_task().finish(Done(state=RunState.FAILED, reason="r", ended=now() - timedelta(days=28)))
    for run in (old, young, live):
        store.refresh(run.id)
    assert old_runs(store, 0) == ()
    assert old_runs(store, 30) == (old.id,)
    keeper = Housekeeper(store, 30)
    clocks = Clocks(monkeypatch)
    for _ in range(27):
        keeper.look()
        clocks.pass_by(3600.0)
    assert {r.run_id for r in store.list("a")} == {young.id, live.id}
    assert not old.path.exists()
    assert young.path.exists()


def stored(store: RunStore, name: str, age: float) -> Dataset:
    """Keep a table that was last opened `age` days ago."""
    dataset = DatasetStore(store.home, "local").add(f"a,y\n1,{name}\n2,3\n".encode(), name)
    for path in (store.home / "datasets" / dataset.id).iterdir():
        if path.is_file():
            os.utime(path, (time.time() - age * 86400, time.time() - age * 86400))
    return dataset


def test_data_sets_that_no_run_uses_and_nobody_opens_are_deleted(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, young, used, drafted, judging, opened = (
        stored(store, str(n), age) for n, age in enumerate((31, 27, 31, 31, 31, 31), start=10)
    )
    run = store.create(bare_experiment().model_copy(update={"dataset_id": used.id, "owner": "another"}))
    run.train_task().finish(Done(state=RunState.FAILED, reason="r"))
    store.refresh(run.id)
    save_draft(store.home, "local", drafted.id, Draft(target="y", test_dataset=judging.id))
    tables = DatasetService(store)
    assert {*tables.old(30, calendar_of(store.home))} == {old.id, opened.id}
    assert tables.old(0, calendar_of(store.home)) == ()
    clocks = Clocks(monkeypatch)
    # With 0 days, and while the clock has not been watched for a day, nothing is deleted.
    for days, looks in ((0.0, 3), (30.0, 20)):
        keeper = Housekeeper(store, days, tables)
        for _ in range(looks):
            keeper.look()
            clocks.pass_by(3600.0)
    assert len(DatasetStore(store.home).identifiers()) == 6
    note_opened(store.home / "datasets" / opened.id)
    for _ in range(5):
        keeper.look()
        clocks.pass_by(3600.0)
    assert set(DatasetStore(store.home).identifiers()) == {each.id for each in (young, used, drafted, judging, opened)}


def test_a_clock_that_jumps_deletes_no_data_set(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = stored(store, "10", 1)
    keeper, clocks = Housekeeper(store, 30, DatasetService(store)), Clocks(monkeypatch)
    for number in range(30):
        if number == 26:
            clocks.jump(YEAR)
        keeper.look()
        clocks.pass_by(3600.0)
    assert DatasetStore(store.home).identifiers() == (dataset.id,)
