"""Damaged databases, files without an end, killed commands and lack of memory."""

from __future__ import annotations

import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from dlreg_core.cli.application import _write_rows
from dlreg_core.errors import DlregError, InputError, TrainingError, WorkError
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs.device_slots import cpu_slots
from dlreg_core.jobs.dispatcher import Dispatcher
from dlreg_core.jobs.inline_backend import InlineBackend
from dlreg_core.networks import default_plan
from dlreg_core.recipe.parse_recipe import steps_from_file
from dlreg_core.runs import RunIndex, RunStore, TaskFolder
from dlreg_core.runs.housekeeping import find_orphans, remove_orphans
from dlreg_core.runs.scratch_folders import scratch_folder
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, Experiment, Recipe, RunState, Task, TaskKind
from dlreg_core.training.execution.process_pool import failure
from dlreg_core.worker import run_task as module
from tests.conftest import ROOT, complete


def experiment(name: str = "e") -> Experiment:
    recipe = Recipe(target="y", features=("a",))
    return Experiment(name=name, dataset_id="0" * 16, dataset_name="d", recipe=recipe, owner="a", plan=default_plan())


def opened(home: Path) -> RunStore:
    """Open a home as another process would: nothing is remembered."""
    home.mkdir(exist_ok=True)
    store = RunStore(home, RunIndex(Settings(home=home).database_url))
    store.reconcile()
    return store


def closed(store: RunStore) -> Path:
    """Close a database, so that nothing of it stands beside its file, and return that."""
    store.index._engine.dispose()
    file = store.home / "dlreg.db"
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return file


# --- databases --------------------------------------------------------------------------------------------------------


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def overwritten(path: Path) -> None:
    path.write_bytes(b"<html>this is no database</html>" * 400)


def torn(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096 : len(content)] = os.urandom(len(content) - 4096)
    path.write_bytes(content)


def lost(path: Path) -> None:
    path.unlink()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [cut, overwritten, torn, lost, emptied])
def test_a_damaged_database_is_made_again_from_the_folders(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    home = tmp_path / "home"
    store = opened(home)
    done, waiting = store.create(experiment("done")), store.create(experiment("waiting"))
    done.train_task().finish(Done(state=RunState.FAILED, reason="r"))
    store.refresh(done.id)
    before = {(run.run_id, run.name, run.owner, run.state) for run in store.list("a")}
    file = closed(store)
    damage(file)
    damaged = file.read_bytes() if file.exists() else b""
    again = opened(home)
    assert {(run.run_id, run.name, run.owner, run.state) for run in again.list("a")} == before
    assert [(task.run_id, task.slot) for task in again.index.live()] == [(waiting.id, None)]
    kept = list(home.glob("dlreg.db.damaged-*"))
    assert len(kept) == (0 if damage in (lost, emptied) else 1)
    assert all(path.read_bytes() == damaged for path in kept), "nothing is thrown away"
    # It works on: what waited is started.
    dispatcher = Dispatcher(again, InlineBackend(complete), cpu_slots(1))
    dispatcher.tick()
    dispatcher.tick()
    assert again.folder(waiting.id).state() is RunState.COMPLETED
    assert opened(home).list("a") != ()
    assert len(list(home.glob("dlreg.db.damaged-*"))) == len(kept)


def test_of_several_that_find_it_damaged_one_sets_it_aside(tmp_path: Path) -> None:
    home = tmp_path / "home"
    store = opened(home)
    run = store.create(experiment())
    overwritten(closed(store))
    script = (
        "import sys; from pathlib import Path; from dlreg_core.settings import Settings;"
        "from dlreg_core.runs import open_store;"
        "print(len(open_store(Settings(home=Path(sys.argv[1]))).list('a')))"
    )
    command = [sys.executable, "-c", script, str(home)]
    processes = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=60)[0].strip() for process in processes] == ["1", "1", "1"]
    assert len(list(home.glob("dlreg.db.damaged-*"))) == 1
    assert opened(home).list("a")[0].run_id == run.id


def test_a_database_that_can_not_be_written_is_no_damaged_one(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "dlreg.db").mkdir()
    with pytest.raises(WorkError, match="can't be opened for writing"):
        RunIndex(Settings(home=home).database_url)
    assert (home / "dlreg.db").is_dir()


# --- files without an end ---------------------------------------------------------------------------------------------


@pytest.fixture
def endless(tmp_path: Path) -> list[Path]:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "link.csv").symlink_to("/dev/zero")
    return [tmp_path / "pipe.csv", tmp_path / "link.csv", Path("/dev/zero"), Path("/dev/tty")]


def test_what_has_no_end_is_refused_at_once(endless: list[Path], tmp_path: Path) -> None:
    for path in endless:
        if not path.exists():
            continue
        for read in (DatasetStore(tmp_path / "home").add, read_dataset, steps_from_file):
            with pytest.raises(InputError, match="is no ordinary file"):
                read(path)


def test_a_command_says_so_in_one_line(endless: list[Path], tmp_path: Path) -> None:
    words = ["profile", str(endless[0])]
    environment = {**os.environ, "DLREG_HOME": str(tmp_path / "home")}
    told = subprocess.run(
        [sys.executable, "-m", "dlreg_core.cli", *words],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert told.returncode == 2
    assert len(told.stderr.splitlines()) == 1
    assert "no ordinary file" in told.stderr


# --- what a killed command leaves -------------------------------------------------------------------------------------

UNPACKING = """
import sys, time
from dlreg_core.runs.scratch_folders import scratch_folder
with scratch_folder() as folder:
    (folder / "model").write_text("x")
    print(folder, flush=True)
    time.sleep(600)
"""


def test_the_temporary_folder_of_a_killed_command_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "dlreg-of-another-kind").mkdir()
    (tmp_path / "dlreg-1-zz-x").mkdir()
    (tmp_path / "dlreg-99999999-ab-link").symlink_to("/etc")
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", UNPACKING]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    left = Path(process.stdout.readline().strip())
    with scratch_folder() as mine:
        old = time.time() - 7200
        for path in (left / "model", left, mine):
            os.utime(path, (old, old))
        assert find_orphans(tmp_path / "home") == (), "both are being worked with, however long ago they were touched"
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert find_orphans(tmp_path / "home") == (left,)
        assert remove_orphans(tmp_path / "home") == (left,)
        assert mine.exists()
    assert not mine.exists()
    assert not left.exists()
    assert Path("/etc").is_dir()


def test_no_temporary_folder_of_ours_is_without_its_name() -> None:
    """Others than the one that is built inside its own home, where it is found by its dot."""
    found = []
    for path in (ROOT / "dlreg_core").rglob("*.py"):
        lines = path.read_text().splitlines()
        found += [path.name for line in lines if "TemporaryDirectory(" in line and "dir=" not in line]
    assert found == ["scratch_folders.py"]


# --- memory -----------------------------------------------------------------------------------------------------------


def lacking(error: BaseException) -> Callable[[TaskFolder, Task], None]:
    def do(_folder: TaskFolder, _task: Task) -> None:
        raise error

    return do


def allocate(_folder: TaskFolder, _task: Task) -> None:
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + 50_000_000, before[1]))
    try:
        held = [bytes(10_000_000) for _ in range(1000)]
        assert held == []
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def caused(error: DlregError) -> DlregError:
    error.__cause__ = MemoryError()
    return error


ALLOCATOR = "[enforce fail at alloc_cpu.cpp:117] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the limit is set by what Linux tells")
@pytest.mark.parametrize(
    "do",
    [
        allocate,
        lacking(MemoryError()),
        lacking(RuntimeError(ALLOCATOR)),
        lacking(OSError(12, "Cannot allocate memory")),
        lacking(caused(TrainingError("No network could be trained."))),
    ],
)
def test_a_lack_of_memory_is_told_as_such(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, do: Callable[[TaskFolder, Task], None]
) -> None:
    run = opened(tmp_path / "home").create(experiment())
    monkeypatch.setattr(module, "_kinds", lambda: {TaskKind.TRAIN: do})
    monkeypatch.setattr(TaskFolder, "time_limit", lambda _: 10.0)
    done = module.work(run.train_task())
    assert (done.state, done.reason) == (RunState.FAILED, "The machine ran out of memory.")
    assert "fewer rows" in done.hint
    assert run.train_task().done() == done


def test_a_lack_of_memory_in_a_process_is_told_as_such() -> None:
    assert str(failure(RuntimeError(ALLOCATOR))) == "The memory did not suffice."
    assert str(failure(RuntimeError("another"))) == "RuntimeError: another"


# --- what a command writes --------------------------------------------------------------------------------------------


def test_predictions_are_written_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, out = pd.DataFrame({"a": [1, 2], "prediction": [3.0, 4.0]}), tmp_path / "out.csv"
    out.write_text("before")
    (tmp_path / "link.csv").symlink_to(out)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(pd.DataFrame, "to_csv", full)
        with pytest.raises(InputError, match="can't be written"):
            _write_rows(rows, out)
    assert out.read_text() == "before"
    _write_rows(rows, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert pd.read_csv(out).equals(rows)
    _write_rows(rows, tmp_path / "new.parquet")
    assert pd.read_parquet(tmp_path / "new.parquet").equals(rows)
    with pytest.raises(InputError, match="can't be written"):
        _write_rows(rows, tmp_path)
    with pytest.raises(InputError, match="can't be written"):
        _write_rows(rows, out / "in-a-file.csv")
    os.mkfifo(tmp_path / "pipe")
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_text()))
    reader.start()
    _write_rows(rows, tmp_path / "pipe")
    reader.join(10)
    assert read == [out.read_text()]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "new.parquet", "out.csv", "pipe"]
