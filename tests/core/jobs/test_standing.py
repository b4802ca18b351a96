"""A process that stands by: given one task, ended with the server, when idle, and never used where it doesn't fit."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psutil
import pytest

from dlreg_core.jobs import Dispatcher, LocalProcesses
from dlreg_core.jobs.device_slots import Slot, cpu_slots
from dlreg_core.jobs.local_processes import marks_of
from dlreg_core.jobs.standby_process import READY, StandbyProcess
from dlreg_core.networks import default_plan
from dlreg_core.runs import RunStore, TaskFolder, open_store
from dlreg_core.runs.task_files import MARK
from dlreg_core.settings import Settings
from dlreg_core.specs import Experiment, Recipe, RunState, TaskKind
from tests.conftest import ROOT, wait_for

STANDING = """
import time
from dlreg_core.worker import standby as standing
standing.load = lambda: None
task = standing.stand_by(IDLE)
if task is not None:
    with task.hold():
        print("taken by a process that stood by", flush=True)
        time.sleep(600)
"""


def starter(idle: float) -> Callable[[Mapping[str, str]], subprocess.Popen[bytes]]:
    """Return what starts a process that stands by without loading anything."""

    def start(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-c", STANDING.replace("IDLE", str(idle))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            start_new_session=True,
            env={"PATH": "", **environment},
        )

    return start


@pytest.fixture
def standing() -> Iterator[StandbyProcess]:
    found = StandbyProcess(starter(60.0))
    yield found
    found.close()


@pytest.fixture
def task(tmp_path: Path) -> TaskFolder:
    return queued(open_store(Settings(home=tmp_path / "home")))


def queued(store: RunStore) -> TaskFolder:
    recipe = Recipe(target="y", features=("a",))
    run = store.create(
        Experiment(name="e", dataset_id="0" * 16, dataset_name="d", recipe=recipe, owner="a", plan=default_plan())
    )
    return run.train_task()


def is_ready(standing: StandbyProcess) -> bool:
    found = standing.standing()
    return found is not None and found.ready


def test_it_is_given_a_task_and_then_no_other(standing: StandbyProcess, task: TaskFolder) -> None:
    standing.prepare({})
    wait_for(lambda: is_ready(standing))
    assert standing.standing().memory_mb > 1  # type: ignore[union-attr]
    task.mark_launched()
    taken = standing.give(task, {})
    assert taken is not None
    assert standing.standing() is None
    assert standing.give(task, {}) is None
    wait_for(lambda: task.process() is not None)
    wait_for(lambda: "stood by" in task.log())
    assert task.process().pid == taken.process.pid  # type: ignore[union-attr]
    assert psutil.Process(taken.process.pid).cwd() == str(task.path)
    taken.process.kill()
    taken.process.wait()


def test_a_task_given_while_it_loads_waits_for_it(standing: StandbyProcess, task: TaskFolder) -> None:
    standing.prepare({})
    task.mark_launched()
    taken = standing.give(task, {})
    assert taken is not None
    assert standing.standing() is None
    wait_for(lambda: task.process() is not None)
    wait_for(lambda: "stood by" in task.log())
    assert task.process().pid == taken.process.pid  # type: ignore[union-attr]
    taken.process.kill()
    taken.process.wait()


def test_it_is_not_used_for_another_device(standing: StandbyProcess, task: TaskFolder) -> None:
    standing.prepare({"CUDA_VISIBLE_DEVICES": "0"})
    assert standing.give(task, {"CUDA_VISIBLE_DEVICES": "1"}) is None
    assert standing.standing() is not None


def test_it_ends_when_nobody_wants_it_any_more(task: TaskFolder) -> None:
    standing = StandbyProcess(starter(0.05))
    standing.prepare({})
    wait_for(lambda: standing.standing() is None)
    assert standing.give(task, {}) is None
    # It had been ready: another one may be.
    standing.prepare({})
    assert standing.standing() is not None
    standing.close()


def test_it_ends_with_the_server() -> None:
    process = starter(60.0)({MARK: "x"})
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.read(len(READY)) == READY
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()


def test_one_that_ends_before_it_is_ready_is_not_started_again_and_again(task: TaskFolder) -> None:
    started: list[int] = []

    def broken(environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        started.append(1)
        return subprocess.Popen([sys.executable, "-c", "1/0"], stdin=-1, stdout=-1, stderr=subprocess.DEVNULL)

    standing = StandbyProcess(broken)
    standing.prepare({})
    wait_for(lambda: standing.standing() is None)
    standing.prepare({})
    assert started == [1]
    assert standing.give(task, {}) is None


class Standing(LocalProcesses):
    """Local processes whose process that stands by loads nothing."""

    def __init__(self) -> None:
        super().__init__()
        self._standing = StandbyProcess(starter(60.0))


def test_a_run_is_started_by_it_and_can_be_cancelled(tmp_path: Path) -> None:
    store, backend = open_store(Settings(home=tmp_path / "home")), Standing()
    dispatcher = Dispatcher(store, backend, cpu_slots(1), stand_by=True)
    dispatcher.stand_by()
    wait_for(lambda: (found := dispatcher.standing()) is not None and found.ready)
    task = queued(store)
    dispatcher.tick()
    launch = task.launch()
    assert launch is not None
    assert launch.mark
    assert marks_of(task) == {str(task.path), launch.mark}
    wait_for(lambda: task.state() is RunState.RUNNING and task.process() is not None)
    # While that trains there is no place for another run: nothing is loaded beside it.
    dispatcher.stand_by()
    assert dispatcher.standing() is None
    assert dispatcher.cancel(task.run)
    assert task.process() is None
    assert task.state() is RunState.CANCELLED


def test_it_can_be_switched_off(tmp_path: Path) -> None:
    asked: list[Slot | None] = []

    class Asked(LocalProcesses):
        def stand_by(self, slot: Slot | None) -> None:
            asked.append(slot)

    store = open_store(Settings(home=tmp_path / "home"))
    Dispatcher(store, Asked(), cpu_slots(1)).stand_by()
    assert asked == []
    Dispatcher(store, Asked(), cpu_slots(1), stand_by=True).stand_by()
    assert asked == list(cpu_slots(1))


def test_the_budget_counts_from_when_everything_is_loaded(task: TaskFolder) -> None:
    assert task.begun() is None
    task.mark_launched()
    assert task.begun() is None
    ready = task.mark_ready()
    assert task.begun() == ready.time
    assert 0 <= ready.loading < 30
    assert task.task().kind is TaskKind.TRAIN
