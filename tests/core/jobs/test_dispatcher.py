"""Starting, watching and ending runs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.jobs import InlineBackend, LocalProcesses, open_dispatcher
from dlreg_core.jobs.dispatcher import Dispatcher
from dlreg_core.runs import RunFolder, RunStore, TaskFolder, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, Experiment, ExplainRequest, Recipe, RunState, TaskKind
from tests.conftest import ROOT, add_table, experiment_on, small_table, wait_for

HOLDER = """
import subprocess, sys
from pathlib import Path
from dlreg_core.runs import TaskFolder
with TaskFolder(Path(sys.argv[1])).hold():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(sys.argv[1], "child").write_text(str(child.pid))
    child.wait()
"""


def experiment() -> Experiment:
    return Experiment(name="e", dataset_id="0" * 16, dataset_name="d", recipe=Recipe(target="y", features=("a",)))


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return open_store(Settings(home=tmp_path / "home"))


def complete(folder: TaskFolder) -> Done:
    """Do nothing, as a worker would."""
    with folder.hold():
        done = Done(state=RunState.COMPLETED)
        folder.finish(done)
    return done


@pytest.fixture
def spawned() -> Iterator[Callable[[TaskFolder], None]]:
    """Return a function that lets a real process hold a task; what is left of them ends with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def spawn(task: TaskFolder) -> None:
        task.mark_launched()
        processes.append(
            subprocess.Popen([sys.executable, "-c", HOLDER, str(task.path)], cwd=ROOT, start_new_session=True)
        )

    yield spawn
    for process in processes:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Holding(LocalProcesses):
    """Local processes whose worker holds its task and starts a child, instead of training."""

    def __init__(self, spawn: Callable[[TaskFolder], None]) -> None:
        super().__init__()
        self.launched: list[str] = []
        self._spawn = spawn

    def launch(self, task: TaskFolder) -> None:
        self.launched.append(task.run.id)
        self._spawn(task)


def started(task: TaskFolder) -> list[psutil.Process]:
    """Wait until the task's process and its child live; return both."""
    wait_for((task.path / "child").exists)
    wait_for((task.path / "child").read_text)
    process = task.process()
    assert process is not None
    return [process, psutil.Process(int((task.path / "child").read_text()))]


def gone(processes: list[psutil.Process]) -> bool:
    return all(not p.is_running() or p.status() == psutil.STATUS_ZOMBIE for p in processes)


def test_with_one_slot_runs_are_done_one_after_the_other(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    backend = Holding(spawned)
    dispatcher = Dispatcher(store, backend, slots=1)
    first, second, third = (dispatcher.submit(experiment(), "a") for _ in range(3))
    processes = started(store.folder(first).train_task())
    dispatcher.tick()
    assert backend.launched == [first]
    assert [store.refresh(r) for r in (first, second, third)] == [RunState.RUNNING, RunState.QUEUED, RunState.QUEUED]
    assert dispatcher.cancel(first)
    assert gone(processes)
    dispatcher.tick()
    assert backend.launched == [first, second]
    started(store.folder(second).train_task())
    assert dispatcher.cancel(second)
    dispatcher.tick()
    assert backend.launched == [first, second, third]


def test_done_runs_free_their_slot_without_being_asked(store: RunStore) -> None:
    order: list[str] = []

    def note(task: TaskFolder) -> Done:
        order.append(task.run.id)
        return complete(task)

    dispatcher = Dispatcher(store, InlineBackend(note), slots=1)
    submitted = [dispatcher.submit(experiment(), "a") for _ in range(3)]
    dispatcher.tick()
    assert order == submitted
    dispatcher.tick()
    assert all(r.state is RunState.COMPLETED for r in store.list("a"))


def test_a_queued_run_is_cancelled_and_never_started(store: RunStore, spawned: Callable[[TaskFolder], None]) -> None:
    backend = Holding(spawned)
    dispatcher = Dispatcher(store, backend, slots=1)
    first, second = (dispatcher.submit(experiment(), "a") for _ in range(2))
    assert dispatcher.cancel(second)
    assert not dispatcher.cancel(second)
    assert store.report(second).reason == "Cancelled before it started."
    started(store.folder(first).train_task())
    assert dispatcher.cancel(first)
    dispatcher.tick()
    assert backend.launched == [first]
    assert store.report(second).state is RunState.CANCELLED


def test_a_running_run_is_cancelled_with_all_its_processes(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    dispatcher = Dispatcher(store, Holding(spawned), slots=1)
    run_id = dispatcher.submit(experiment(), "a")
    processes = started(store.folder(run_id).train_task())
    assert store.refresh(run_id) is RunState.RUNNING
    assert dispatcher.cancel(run_id)
    wait_for(lambda: gone(processes), 5)
    report = store.report(run_id)
    assert (report.state, report.reason) == (RunState.CANCELLED, "Cancelled while it was running.")
    assert [r.state for r in store.list("a")] == [RunState.CANCELLED]
    assert not dispatcher.cancel(run_id)


def test_a_run_is_cancelled_by_another_process_than_started_it(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    run_id = Dispatcher(store, Holding(spawned), slots=1).submit(experiment(), "a")
    processes = started(store.folder(run_id).train_task())
    assert Dispatcher(store, LocalProcesses(), slots=1).cancel(run_id)
    assert gone(processes)


def test_a_run_that_was_claimed_but_never_launched_can_be_cancelled(store: RunStore) -> None:
    """As when the server died between the two."""
    run = store.create(experiment(), "a")
    assert store.index.claim(run.id, 1)
    dispatcher = Dispatcher(store, InlineBackend(complete), slots=1)
    assert dispatcher.cancel(run.id)
    assert store.report(run.id).state is RunState.CANCELLED
    assert store.index.live() == ()


def test_cancelling_straight_after_the_launch_wins_over_the_worker(tmp_path: Path) -> None:
    dispatcher = open_dispatcher(Settings(home=tmp_path))
    run_id = dispatcher.submit(
        experiment_on(add_table(tmp_path, small_table(60)), "price", models=("FASTAI",), time_limit=30.0), "a"
    )
    assert dispatcher.cancel(run_id)
    task = dispatcher.store.folder(run_id).train_task()
    # The worker, which had not even started Python when it was cancelled, finds nothing to do.
    workers = [p for p in psutil.Process().children() if str(task.path) in " ".join(p.cmdline())]
    psutil.wait_procs(workers, timeout=60)
    assert gone(workers)
    assert task.state() is RunState.CANCELLED
    assert not (task.path / "events.jsonl").exists()


def test_a_worker_that_was_killed_is_interrupted_and_frees_its_slot(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    backend = Holding(spawned)
    dispatcher = Dispatcher(store, backend, slots=1)
    first, second = (dispatcher.submit(experiment(), "a") for _ in range(2))
    process, child = started(store.folder(first).train_task())
    process.kill()
    child.kill()
    wait_for(lambda: not store.folder(first).train_task().is_held())
    dispatcher.tick()
    states = {r.run_id: r.state for r in store.list("a")}
    assert states[first] is RunState.INTERRUPTED
    assert backend.launched == [first, second]
    started(store.folder(second).train_task())


def test_killing_a_process_number_that_was_used_again_harms_nobody(store: RunStore) -> None:
    run = store.create(experiment(), "a")
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        created = psutil.Process(bystander.pid).create_time() - 100
        note = {"pid": bystander.pid, "created": created, "time": "2026-01-01T00:00:00Z"}
        (run.train_task().path / "started.json").write_text(json.dumps(note))
        LocalProcesses().kill(run.train_task())
        assert bystander.poll() is None
    finally:
        bystander.communicate(b"\n")


def test_explaining_waits_for_nobody_but_needs_a_finished_run(trained: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(trained.home, tmp_path / "home")
    asked: list[TaskFolder] = []

    class Noting(InlineBackend):
        def launch(self, task: TaskFolder) -> None:
            task.mark_launched()
            asked.append(task)

    store = open_store(Settings(home=tmp_path / "home"))
    dispatcher = Dispatcher(store, Noting(complete), slots=1)
    request = ExplainRequest(model="FastAI", rows=5)
    task = dispatcher.explain(trained.id, request)
    assert (task.number, task.task().kind, task.task().explain) == (2, TaskKind.EXPLAIN, request)
    assert [asked_for.path for asked_for in asked] == [task.path]
    with pytest.raises(ConflictError, match="already under way"):
        dispatcher.explain(trained.id, request)
    assert store.report(trained.id).state is RunState.COMPLETED, "explaining doesn't change what training came to"
    with pytest.raises(ConflictError, match="still going"):
        store.delete(trained.id)
    assert dispatcher.cancel(trained.id)
    assert task.state() is RunState.CANCELLED
    assert dispatcher.explain(trained.id, request).number == 3
    unfinished = store.create(experiment(), "a")
    with pytest.raises(ConflictError, match="no models to explain"):
        dispatcher.explain(unfinished.id, request)
    with pytest.raises(NotFoundError):
        dispatcher.explain("nobody", request)


def test_the_thread_starts_what_is_queued_and_ends_when_asked(store: RunStore) -> None:
    dispatcher = Dispatcher(store, InlineBackend(complete), slots=1)
    run = store.create(experiment(), "a")
    broken = store.create(experiment(), "a")
    (broken.train_task().path / "DONE").write_text("{")
    store.index.set_state(broken.id, RunState.RUNNING)
    dispatcher.start(0.02)
    try:
        wait_for(lambda: store.folder(run.id).train_task().done() is not None, 20)
        wait_for(lambda: store.index.live() == (), 20)
    finally:
        dispatcher.stop()
    assert store.report(run.id).state is RunState.COMPLETED
