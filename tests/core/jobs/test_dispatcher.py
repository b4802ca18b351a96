"""Starting, watching and ending runs."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from dlreg_core.errors import ConflictError
from dlreg_core.jobs import InlineBackend, LocalProcesses, open_dispatcher
from dlreg_core.jobs.device_slots import Slot, cpu_slots
from dlreg_core.jobs.dispatcher import Dispatcher
from dlreg_core.jobs.watchdog import WatchdogLimits
from dlreg_core.runs import RunFolder, RunStore, TaskFolder, open_store
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.runs.machine import boot_id, instant
from dlreg_core.runs.task_files import MARK
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, ExplainRequest, Instant, Pulse, RunState, Start, TaskKind
from tests.conftest import ROOT, add_table, bare_experiment, complete, experiment_on, small_table, wait_for
from tests.hostile.helpers.clocks import Clocks

HOLDER = """
import subprocess, sys
from pathlib import Path
from dlreg_core.runs import TaskFolder
with TaskFolder(Path(sys.argv[1])).hold():
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(sys.argv[1], "child").write_text(str(child.pid))
    child.wait()
"""


@pytest.fixture
def spawned() -> Iterator[Callable[[TaskFolder], None]]:
    """Return a function that lets a real process hold a task; what is left of them ends with the test."""
    processes: list[subprocess.Popen[bytes]] = []

    def spawn(task: TaskFolder) -> None:
        task.mark_launched()
        command = [sys.executable, "-c", HOLDER, str(task.path)]
        environment = {**os.environ, MARK: str(task.path)}
        processes.append(subprocess.Popen(command, cwd=ROOT, start_new_session=True, env=environment))
        task.note_process(processes[-1].pid)

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

    def launch(self, task: TaskFolder, slot: Slot | None) -> None:
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
    dispatcher = Dispatcher(store, backend, slots=cpu_slots(1))
    first, second, third = (dispatcher.submit(bare_experiment()) for _ in range(3))
    processes = started(store.folder(first).train_task())
    dispatcher.tick()
    assert backend.launched == [first]
    assert [store.refresh(r) for r in (first, second, third)] == [RunState.RUNNING, RunState.QUEUED, RunState.QUEUED]
    assert dispatcher.cancel(store.folder(first))
    assert gone(processes)
    dispatcher.tick()
    assert backend.launched == [first, second]
    started(store.folder(second).train_task())
    assert dispatcher.cancel(store.folder(second))
    dispatcher.tick()
    assert backend.launched == [first, second, third]


def test_done_runs_free_their_slot_without_being_asked(store: RunStore) -> None:
    order: list[str] = []

    def note(task: TaskFolder) -> Done:
        order.append(task.run.id)
        return complete(task)

    dispatcher = Dispatcher(store, InlineBackend(note), slots=cpu_slots(1))
    submitted = [dispatcher.submit(bare_experiment()) for _ in range(3)]
    for _ in range(3):
        dispatcher.tick()
    assert order == submitted
    assert all(r.state is RunState.COMPLETED for r in store.list("a"))


def test_a_queued_run_is_cancelled_and_never_started(store: RunStore, spawned: Callable[[TaskFolder], None]) -> None:
    backend = Holding(spawned)
    dispatcher = Dispatcher(store, backend, slots=cpu_slots(1))
    first, second = (dispatcher.submit(bare_experiment()) for _ in range(2))
    assert dispatcher.cancel(store.folder(second))
    assert not dispatcher.cancel(store.folder(second))
    assert store.report(second).reason == "Cancelled before it started."
    started(store.folder(first).train_task())
    assert dispatcher.cancel(store.folder(first))
    dispatcher.tick()
    assert backend.launched == [first]
    assert store.report(second).state is RunState.CANCELLED


def test_a_running_run_is_cancelled_with_all_its_processes(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    dispatcher = Dispatcher(store, Holding(spawned), slots=cpu_slots(1))
    run_id = dispatcher.submit(bare_experiment())
    processes = started(store.folder(run_id).train_task())
    assert store.refresh(run_id) is RunState.RUNNING
    assert dispatcher.cancel(dispatcher.store.folder(run_id))
    wait_for(lambda: gone(processes), 5)
    report = store.report(run_id)
    assert (report.state, report.reason) == (RunState.CANCELLED, "Cancelled while it was running.")
    assert [r.state for r in store.list("a")] == [RunState.CANCELLED]
    assert not dispatcher.cancel(dispatcher.store.folder(run_id))


def test_a_run_is_cancelled_by_another_process_than_started_it(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    run_id = Dispatcher(store, Holding(spawned), slots=cpu_slots(1)).submit(bare_experiment())
    processes = started(store.folder(run_id).train_task())
    assert Dispatcher(store, LocalProcesses(), slots=cpu_slots(1)).cancel(store.folder(run_id))
    assert gone(processes)


def test_a_run_that_was_claimed_but_never_launched_can_be_cancelled(store: RunStore) -> None:
    """As when the server died between the two."""
    run = store.create(bare_experiment())
    assert store.index.claim(run.id, 1, ["cpu:0"])
    dispatcher = Dispatcher(store, InlineBackend(complete), slots=cpu_slots(1))
    assert dispatcher.cancel(run)
    assert store.report(run.id).state is RunState.CANCELLED
    assert store.index.live() == ()


def command_line(process: psutil.Process) -> str:
    """Return the command of a process, empty for one that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def test_cancelling_straight_after_the_launch_wins_over_the_worker(tmp_path: Path) -> None:
    dispatcher = open_dispatcher(Settings(home=tmp_path))
    run_id = dispatcher.submit(
        experiment_on(add_table(tmp_path, small_table(60)), "price", models=("FASTAI",), time_limit=30.0)
    )
    assert dispatcher.cancel(dispatcher.store.folder(run_id))
    task = dispatcher.store.folder(run_id).train_task()
    # The worker, which had not even started Python when it was cancelled, finds nothing to do.
    workers = [p for p in psutil.Process().children() if str(task.path) in command_line(p)]
    psutil.wait_procs(workers, timeout=60)
    assert gone(workers)
    assert task.state() is RunState.CANCELLED
    assert not (task.path / "events.jsonl").exists()


def test_a_killed_worker_has_failed_its_children_are_ended_and_its_slot_is_free(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    backend = Holding(spawned)
    dispatcher = Dispatcher(store, backend, slots=cpu_slots(1))
    first, second = (dispatcher.submit(bare_experiment()) for _ in range(2))
    processes = started(store.folder(first).train_task())
    processes[0].kill()
    wait_for(lambda: not store.folder(first).train_task().is_held())
    dispatcher.tick()
    assert gone(processes), "the child that the worker left behind too"
    states = {r.run_id: r.state for r in store.list("a")}
    assert states[first] is RunState.FAILED
    done = store.folder(first).train_task().done()
    assert done is not None
    assert done.reason == "Its process was ended from outside before it was done."
    assert backend.launched == [first, second]
    started(store.folder(second).train_task())


def test_a_run_that_gives_no_sign_of_life_is_ended(
    store: RunStore, spawned: Callable[[TaskFolder], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks = Clocks(monkeypatch)
    dispatcher = Dispatcher(store, Holding(spawned), cpu_slots(1), WatchdogLimits(silence=30.0))
    run = store.folder(dispatcher.submit(bare_experiment()))
    processes = started(run.train_task())
    dispatcher.tick()
    assert run.state() is RunState.RUNNING
    silent = Pulse(active=Instant(boot=boot_id(), ticks=time.monotonic() - 31), memory_mb=1.0)
    (run.train_task().path / "pulse.json").write_text(silent.model_dump_json())
    assert store.report(run.id).silent_seconds > 30
    dispatcher.tick()
    assert not gone(processes), "nobody has watched it for so long"
    for _ in range(4):
        clocks.pass_by(10.0)
        dispatcher.tick()
    assert gone(processes)
    report = store.report(run.id)
    assert (report.state, report.reason) == (RunState.FAILED, "It gave no sign of life for 1 min and was ended.")
    assert store.index.live() == ()


def test_a_run_that_takes_far_more_than_it_was_given_is_ended(
    store: RunStore, spawned: Callable[[TaskFolder], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    clocks = Clocks(monkeypatch)
    limits = WatchdogLimits(overrun=1.5, overrun_seconds=0.0)
    dispatcher = Dispatcher(store, Holding(spawned), cpu_slots(1), limits)
    run = store.folder(dispatcher.submit(bare_experiment()))
    processes = started(run.train_task())
    task = run.train_task()
    dispatcher.tick()
    assert run.state() is RunState.RUNNING
    for seconds, ended in ((700, False), (800, True)):
        # Without a network yet it may take four times as long as others: 720 s.
        write_spec(task.path / "pulse.json", Pulse(active=instant(), lived=seconds, memory_mb=1.0))
        dispatcher.tick()
        clocks.pass_by(10.0)
        dispatcher.tick()
        assert gone(processes) is ended
    assert "It had 120 s, was still going after 800 s" in store.report(run.id).reason


def test_after_a_restart_of_the_machine_queued_runs_start_and_running_ones_are_interrupted(store: RunStore) -> None:
    launching, running, waiting = (store.create(bare_experiment()) for _ in range(3))
    for run, slot in ((launching, "cpu:0"), (running, "cpu:1")):
        assert store.index.claim(run.id, 1, [slot])
    # One had its process, but that had not yet taken the task; the other was in the midst of it.
    launching.train_task().mark_launched()
    launching.train_task().note_process(2**22 + 1)
    task = running.train_task()
    with task.hold():
        pass
    start = task.start()
    assert start is not None
    write_spec(task.path / "started.json", start.model_copy(update={"boot": "before"}))
    dispatcher = Dispatcher(store, InlineBackend(complete), slots=cpu_slots(2))
    for _ in range(3):
        dispatcher.tick()
    states = {run.run_id: run.state for run in store.list("a")}
    assert states == {
        launching.id: RunState.COMPLETED,
        running.id: RunState.INTERRUPTED,
        waiting.id: RunState.COMPLETED,
    }
    assert store.report(running.id).reason == "The machine was restarted while it was going on."
    assert store.index.live() == ()
    assert dispatcher.go_on(running, 30.0).number == 2


def test_a_claim_whose_server_died_is_started_by_the_next_one(store: RunStore) -> None:
    run = store.create(bare_experiment())
    assert store.index.claim(run.id, 1, ["cpu:0"])
    dispatcher = Dispatcher(store, InlineBackend(complete), slots=cpu_slots(1))
    dispatcher.tick()
    assert store.report(run.id).state is RunState.COMPLETED


def test_a_run_between_folder_and_queue_when_the_server_died_is_found(store: RunStore) -> None:
    run = store.create(bare_experiment())
    store.index.remove(run.id)
    again = RunStore(store.home, store.index)
    again.reconcile()
    Dispatcher(again, InlineBackend(complete), slots=cpu_slots(1)).tick()
    assert [(r.run_id, r.state) for r in again.list("a")] == [(run.id, RunState.COMPLETED)]


def test_a_running_task_keeps_its_slot_when_the_queue_is_lost(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    class Noting(Holding):
        def launch(self, task: TaskFolder, slot: Slot | None) -> None:
            super().launch(task, slot)
            launch = task.launch()
            assert launch is not None
            assert slot is not None
            write_spec(task.path / "launched.json", launch.model_copy(update={"slot": slot.name}))

    backend = Noting(spawned)
    run = store.folder(Dispatcher(store, backend, cpu_slots(1)).submit(bare_experiment()))
    started(run.train_task())
    store.index.remove(run.id)
    again = RunStore(store.home, store.index)
    again.reconcile()
    dispatcher = Dispatcher(again, backend, cpu_slots(1))
    waiting = dispatcher.submit(bare_experiment())
    dispatcher.tick()
    assert {task.run_id: task.slot for task in again.index.live()} == {run.id: "cpu:0", waiting: None}
    assert backend.launched == [run.id]


def test_finishing_asks_the_worker_and_refuses_what_can_not_be_finished(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    dispatcher = Dispatcher(store, Holding(spawned), slots=cpu_slots(1))
    first, second = (store.folder(dispatcher.submit(bare_experiment())) for _ in range(2))
    started(first.train_task())
    assert dispatcher.finish(first).is_asked_to_finish()
    assert store.report(first.id).finishing
    with pytest.raises(ConflictError, match="hasn't started yet"):
        dispatcher.finish(second)
    dispatcher.cancel(first)
    with pytest.raises(ConflictError, match="ended before a network was finished"):
        dispatcher.finish(first)


def test_waiting_runs_know_their_place_and_when_they_start(
    store: RunStore, spawned: Callable[[TaskFolder], None]
) -> None:
    dispatcher = Dispatcher(store, Holding(spawned), slots=cpu_slots(1))
    first, second, third = (store.folder(dispatcher.submit(bare_experiment())) for _ in range(3))
    started(first.train_task())
    assert dispatcher.place(first) is None
    one, two = dispatcher.place(second), dispatcher.place(third)
    assert one is not None
    assert two is not None
    assert (one.ahead, two.ahead) == (0, 1)
    assert 100 < one.seconds <= 120
    assert two.seconds == pytest.approx(one.seconds + 120, abs=1)


def test_killing_a_process_number_that_was_used_again_harms_nobody(store: RunStore) -> None:
    run = store.create(bare_experiment())
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        write_spec(run.train_task().path / "started.json", Start(pid=bystander.pid, born="an earlier one"))
        LocalProcesses().kill(run.train_task())
        assert bystander.poll() is None
    finally:
        bystander.communicate(b"\n")


def test_explaining_waits_for_nobody_but_needs_a_finished_run(trained: RunFolder, tmp_path: Path) -> None:
    shutil.copytree(trained.home, tmp_path / "home")
    asked: list[TaskFolder] = []

    class Noting(InlineBackend):
        def launch(self, task: TaskFolder, slot: Slot | None) -> None:
            task.mark_launched()
            asked.append(task)

    store = open_store(Settings(home=tmp_path / "home"))
    dispatcher = Dispatcher(store, Noting(complete), slots=cpu_slots(1))
    run = store.folder(trained.id)
    request = ExplainRequest(model="FastAI", rows=5)
    task = dispatcher.explain(run, request)
    assert (task.number, task.task().kind, task.task().explain) == (2, TaskKind.EXPLAIN, request)
    assert [asked_for.path for asked_for in asked] == [task.path]
    with pytest.raises(ConflictError, match="already under way"):
        dispatcher.explain(run, request)
    assert store.report(trained.id).state is RunState.COMPLETED, "explaining doesn't change what training came to"
    with pytest.raises(ConflictError, match="still going"):
        store.delete(trained.id)
    assert dispatcher.cancel(run)
    assert task.state() is RunState.CANCELLED
    assert dispatcher.explain(run, request).number == 3
    unfinished = store.create(bare_experiment())
    with pytest.raises(ConflictError, match="no models to explain"):
        dispatcher.explain(unfinished, request)


def test_the_thread_starts_what_is_queued_and_ends_when_asked(store: RunStore) -> None:
    dispatcher = Dispatcher(store, InlineBackend(complete), slots=cpu_slots(1))
    run = store.create(bare_experiment())
    broken = store.create(bare_experiment())
    (broken.train_task().path / "DONE").write_text("{")
    dispatcher.start(0.02)
    try:
        wait_for(lambda: store.folder(run.id).train_task().done() is not None, 20)
        wait_for(lambda: store.index.live() == (), 20)
    finally:
        dispatcher.stop()
    assert store.report(run.id).state is RunState.COMPLETED
