"""Clocks that are set, machines that sleep: nothing healthy is ended or deleted, and what is dead is still found."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import psutil
import pytest

from dlreg_core.ingest.uploads.upload_receiver import Uploads
from dlreg_core.jobs.device_slots import Slot, cpu_slots
from dlreg_core.jobs.dispatcher import Dispatcher, open_dispatcher
from dlreg_core.jobs.inline_backend import InlineBackend
from dlreg_core.jobs.watchdog import WatchdogLimits
from dlreg_core.runs import RunFolder, RunStore, TaskFolder
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.runs.housekeeping import Housekeeper, find_orphans, old_runs
from dlreg_core.runs.machine import born, instant, living
from dlreg_core.runs.process_death import silent_seconds
from dlreg_core.runs.retention_clock import Calendar, calendar_of, keep_calendar
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, Instant, Pulse, RunState, now
from dlreg_core.training.execution.run_hooks import Budget
from tests.conftest import add_table, bare_experiment, experiment_on, small_table, wait_for
from tests.hostile.helpers.clocks import DAY, HOUR, JUMPS, YEAR, Clocks

KEEP_DAYS = 30.0


class Held(InlineBackend):
    """A worker that holds its task, and does nothing until it is killed."""

    def __init__(self) -> None:
        super().__init__(lambda task: Done(state=RunState.COMPLETED))
        self.launched = 0
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def launch(self, task: TaskFolder, slot: Slot | None) -> None:
        self.launched += 1
        task.mark_launched()
        task.note_process(os.getpid())
        self._thread = threading.Thread(target=self._hold, args=(TaskFolder(task.path),))
        self._thread.start()

    def kill(self, task: TaskFolder | None = None) -> None:
        self._ended.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _hold(self, task: TaskFolder) -> None:
        with task.hold():
            task.mark_ready()
            self._ended.wait()


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Clocks:
    return Clocks(monkeypatch)


@pytest.fixture
def backend() -> Iterator[Held]:
    held = Held()
    yield held
    held.kill()


def beat(task: TaskFolder, lived: float = 1.0) -> None:
    write_spec(task.path / "pulse.json", Pulse(active=instant(), lived=lived, memory_mb=1.0))


def running(store: RunStore, backend: Held) -> tuple[Dispatcher, RunFolder]:
    """Start a run that a process holds."""
    limits = WatchdogLimits(silence=60.0, overrun=1.5, overrun_seconds=0.0)
    dispatcher = Dispatcher(store, backend, cpu_slots(1), limits, KEEP_DAYS)
    run = store.folder(dispatcher.submit(bare_experiment()))
    wait_for(lambda: run.train_task().ready() is not None)
    beat(run.train_task())
    return dispatcher, run


def watch(dispatcher: Dispatcher, clocks: Clocks, seconds: float) -> None:
    for _ in range(int(seconds / 10)):
        dispatcher.tick()
        clocks.pass_by(10.0)
    dispatcher.tick()


# --- runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seconds", JUMPS)
def test_a_healthy_run_outlives_every_setting_of_the_clock(
    store: RunStore, backend: Held, clocks: Clocks, seconds: float
) -> None:
    dispatcher, run = running(store, backend)
    task = run.train_task()
    clocks.jump(seconds)
    for _ in range(3):
        dispatcher.tick()
        clocks.pass_by(6.0)
        beat(task, lived=20.0)
    report = store.report(run.id)
    assert report.state is RunState.RUNNING
    assert report.silent_seconds < 30
    assert report.used_seconds < 60
    assert backend.launched == 1
    assert backend.alive
    assert dispatcher.places() == {}


@pytest.mark.parametrize("pause", ["asleep", "paused"])
def test_a_gap_in_which_nobody_looked_counts_for_nothing(
    store: RunStore, backend: Held, clocks: Clocks, pause: str
) -> None:
    dispatcher, run = running(store, backend)
    dispatcher.tick()
    (clocks.sleep if pause == "asleep" else clocks.pass_by)(8 * HOUR)
    # The watch wakes first, and finds the pulse of before.
    dispatcher.tick()
    watch(dispatcher, clocks, 30.0)
    assert run.state() is RunState.RUNNING
    beat(run.train_task(), lived=40.0)
    watch(dispatcher, clocks, 30.0)
    assert run.state() is RunState.RUNNING


@pytest.mark.parametrize("seconds", [0.0, *JUMPS])
def test_a_silent_run_is_still_found(store: RunStore, backend: Held, clocks: Clocks, seconds: float) -> None:
    dispatcher, run = running(store, backend)
    watch(dispatcher, clocks, 30.0)
    clocks.jump(seconds)
    watch(dispatcher, clocks, 20.0)
    assert run.state() is RunState.RUNNING
    watch(dispatcher, clocks, 20.0)
    report = store.report(run.id)
    assert (report.state, report.reason) == (RunState.FAILED, "It gave no sign of life for 1 min and was ended.")


@pytest.mark.parametrize("seconds", [0.0, *JUMPS])
def test_a_run_that_takes_too_long_is_still_found(
    store: RunStore, backend: Held, clocks: Clocks, seconds: float
) -> None:
    dispatcher, run = running(store, backend)
    clocks.jump(seconds)
    # Without a network yet it may take six times its 120 s; it is seen in that state twice before it is ended.
    beat(run.train_task(), lived=721.0)
    dispatcher.tick()
    assert run.state() is RunState.RUNNING
    clocks.pass_by(6.0)
    beat(run.train_task(), lived=727.0)
    dispatcher.tick()
    assert store.report(run.id).reason == "It had 120 s, was still going after 727 s, and was ended."


@pytest.mark.parametrize("seconds", JUMPS)
def test_a_dead_worker_is_found_whatever_the_clock_says(
    store: RunStore, backend: Held, clocks: Clocks, seconds: float
) -> None:
    dispatcher, run = running(store, backend)
    clocks.jump(seconds)
    backend.kill(run.train_task())
    dispatcher.tick()
    report = store.report(run.id)
    assert (report.state, report.reason) == (
        RunState.FAILED,
        "Its process was ended from outside before it was done.",
    )


@pytest.mark.parametrize("seconds", JUMPS)
def test_a_launch_is_not_repeated_because_the_clock_was_set(store: RunStore, clocks: Clocks, seconds: float) -> None:
    task = store.create(bare_experiment()).train_task()
    task.mark_launched()
    clocks.jump(seconds)
    assert task.state() is RunState.RUNNING, "whoever launches it is about to note its process"
    task.note_process(os.getpid())
    assert task.state() is RunState.RUNNING
    assert 0 <= task.mark_ready().loading < 5
    clocks.jump(-seconds)
    assert task.used_seconds() < 5
    task.mark_cancelling()
    clocks.jump(seconds)
    with task.hold():
        pass
    assert task.state() is RunState.RUNNING, "its processes are being ended"
    clocks.pass_by(20.0)
    assert task.state() is RunState.CANCELLED


def test_a_process_is_the_same_after_the_clock_was_set(monkeypatch: pytest.MonkeyPatch) -> None:
    me = born(os.getpid())
    real = psutil.Process.create_time
    # The system tells the time of day of a process' birth from that of its own start, which moves with the clock.
    monkeypatch.setattr(psutil.Process, "create_time", lambda self: real(self) + HOUR)
    found = living(os.getpid(), me)
    assert found is not None
    assert found.pid == os.getpid()
    assert living(os.getpid(), "another start of the machine/1") is None
    child = subprocess.Popen([sys.executable, "-c", ""])
    noted = born(child.pid)
    child.wait()
    assert living(child.pid, noted) is None


@pytest.mark.parametrize("seconds", JUMPS)
def test_a_budget_is_spent_by_the_time_that_passes(clocks: Clocks, seconds: float) -> None:
    budget = Budget(began=time.monotonic(), seconds=100.0)
    clocks.jump(seconds)
    assert 99 < budget.left() <= 100
    clocks.pass_by(60.0)
    assert 39 < budget.left() <= 40


@pytest.mark.parametrize("seconds", JUMPS)
def test_silence_is_counted_by_the_time_that_passes(store: RunStore, clocks: Clocks, seconds: float) -> None:
    task = store.create(bare_experiment()).train_task()
    with task.hold():
        clocks.jump(seconds)
        assert silent_seconds(task) < 5
        beat(task)
        clocks.jump(seconds)
        clocks.pass_by(50.0)
        assert 50 <= silent_seconds(task) < 55


@pytest.mark.parametrize("seconds", JUMPS)
def test_an_upload_on_its_way_is_not_given_up(store: RunStore, clocks: Clocks, seconds: float) -> None:
    arrivals = Uploads(store.home)
    ticket = arrivals.issue(None, 1000)
    with arrivals.receive(ticket, "t.csv", None) as receiver:
        receiver.write(b"a,b\n")
        clocks.jump(seconds)
        assert not arrivals.state(ticket).has_ended
        receiver.finish(None)
    clocks.pass_by(60.0)
    assert arrivals.state(ticket).has_ended, "no process ever began to read it"


# --- what is deleted --------------------------------------------------------------------------------------------------


def ended(store: RunStore, days: float = 0.0) -> str:
    """Make a run that ended so many days ago."""
    run = store.create(bare_experiment())
    run.train_task().finish(Done(state=RunState.FAILED, reason="r", ended=now() - timedelta(days=days)))
    store.refresh(run.id)
    return run.id


def half(store: RunStore, name: str = ".half") -> Path:
    """Make a folder that somebody may be building."""
    folder = store.home / "runs" / name
    folder.mkdir(parents=True)
    os.utime(folder, (time.time(), time.time()))
    return folder


def keep_house(keeper: Housekeeper, clocks: Clocks, hours: int) -> None:
    for _ in range(hours):
        keeper.look()
        clocks.pass_by(HOUR)
    keeper.look()


@pytest.mark.parametrize("seconds", JUMPS)
def test_a_clock_that_is_set_deletes_nothing(store: RunStore, clocks: Clocks, seconds: float) -> None:
    keeper = Housekeeper(store, KEEP_DAYS)
    keep_house(keeper, clocks, 26)
    run, folder = ended(store), half(store)
    keeper.look()
    clocks.jump(seconds)
    for _ in range(5):
        keeper.look()
        clocks.pass_by(60.0)
    assert old_runs(store, KEEP_DAYS) == ()
    assert find_orphans(store.home) == ()
    assert (store.home / "runs" / run).exists()
    assert folder.exists()


@pytest.mark.parametrize("seconds", JUMPS)
def test_a_clock_that_is_wrong_after_a_restart_deletes_nothing(
    store: RunStore, clocks: Clocks, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    keeper = Housekeeper(store, KEEP_DAYS)
    keep_house(keeper, clocks, 26)
    run, folder = ended(store), half(store)
    keeper.look()
    monkeypatch.setattr("dlreg_core.runs.retention_clock.boot_id", lambda: "the next start")
    clocks.jump(seconds)
    again = Housekeeper(store, KEEP_DAYS)
    for _ in range(5):
        again.look()
        clocks.pass_by(60.0)
    assert (store.home / "runs" / run).exists()
    assert folder.exists()


@pytest.mark.parametrize("sleeps", [False, True])
def test_what_was_kept_long_enough_is_deleted_at_the_second_look(
    store: RunStore, clocks: Clocks, *, sleeps: bool
) -> None:
    keeper = Housekeeper(store, KEEP_DAYS)
    keep_house(keeper, clocks, 26)
    run, folder = ended(store), half(store)
    young = ended(store, -1.0)
    keeper.look()
    (clocks.sleep if sleeps else clocks.pass_by)(KEEP_DAYS * DAY + 60)
    keeper.look()
    assert (store.home / "runs" / run).exists(), "the first look only finds it"
    assert folder.exists()
    keeper.look()
    assert not (store.home / "runs" / run).exists()
    assert not folder.exists()
    assert (store.home / "runs" / young).exists()


def test_a_home_without_a_calendar_is_watched_for_a_day_first(store: RunStore, clocks: Clocks) -> None:
    run = ended(store, 400.0)
    keeper = Housekeeper(store, KEEP_DAYS)
    keep_house(keeper, clocks, 20)
    assert (store.home / "runs" / run).exists()
    keep_house(keeper, clocks, 10)
    assert not (store.home / "runs" / run).exists()


def test_the_clock_that_was_wrong_before_counts_as_what_passed(store: RunStore, clocks: Clocks) -> None:
    clocks.jump(-6 * YEAR)
    keeper = Housekeeper(store, KEEP_DAYS)
    keep_house(keeper, clocks, 26)
    run = ended(store)
    keep_house(keeper, clocks, 24)
    clocks.jump(6 * YEAR)
    keep_house(keeper, clocks, 48)
    found = store.index.list()[0].ended
    assert found is not None
    age = calendar_of(store.home).age((now() - timedelta(days=6 * 365 + 3)).timestamp())
    assert 2.9 * DAY < age < 4.1 * DAY
    assert (store.home / "runs" / run).exists()


def at(boot: str, ticks: float) -> Instant:
    return Instant(boot=boot, ticks=ticks)


def test_a_calendar_counts_only_what_both_clocks_say() -> None:
    begun = Calendar(stretches=((0.0, 1000.0),), instant=at("a", 10.0))
    later = begun.after(1600.0, at("a", 610.0))
    assert (later.age(900.0), later.watched) == (700.0, 600.0)
    jumped = later.after(99_000.0, at("a", 700.0))
    assert jumped.age(900.0) == 700.0
    assert jumped.after(99_500.0, at("a", 1200.0)).age(900.0) == 1200.0
    back = jumped.after(1700.0, at("a", 800.0)).after(2300.0, at("a", 1400.0))
    assert (back.age(900.0), back.age(1650.0)) == (1300.0, 600.0)
    restarted = back.after(9000.0, at("b", 5.0)).after(9100.0, at("b", 105.0))
    assert restarted.age(900.0) == 1400.0
    assert restarted.age(10_000.0) == 0.0
    # What a clock that runs backwards has counted once isn't counted again.
    again = later.after(1300.0, at("a", 650.0))
    assert again.age(1200.0) == 100.0


def test_a_damaged_calendar_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "calendar.json").write_text("{")
    assert keep_calendar(tmp_path).watched == 0.0
    assert calendar_of(tmp_path).age(time.time() - 500) == pytest.approx(500, abs=5)


# --- a real training --------------------------------------------------------------------------------------------------

JUMPING = """
import os, time
real, flag = time.time, os.environ["DLREG_JUMP"]

def jumping():
    try:
        return real() + float(open(flag).read())
    except (OSError, ValueError):
        return real()

time.time = jumping
"""


@pytest.mark.soak
@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_a_training_goes_on_while_its_own_clock_is_set(
    home: Path, tmp_path: Path, clocks: Clocks, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    (tmp_path / "python").mkdir()
    (tmp_path / "python" / "sitecustomize.py").write_text(JUMPING)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "python"))
    monkeypatch.setenv("DLREG_JUMP", str(tmp_path / "jump"))
    dispatcher = open_dispatcher(Settings(home=home))
    asked = experiment_on(add_table(home, small_table()), "price", models=("FASTAI",), time_limit=30.0)
    began = time.perf_counter()
    run = dispatcher.store.folder(dispatcher.submit(asked))
    task = run.train_task()

    def seen(kind: str) -> bool:
        dispatcher.tick()
        return any(event.kind == kind for event in task.events().events)

    wait_for(lambda: seen("epoch"), 120)
    (tmp_path / "jump").write_text(str(seconds))
    clocks.jump(seconds)
    wait_for(lambda: seen("") or task.done() is not None, 180)
    report = dispatcher.store.report(run.id)
    assert (report.state, report.reason) == (RunState.COMPLETED, "")
    assert report.result is not None
    assert {fit.family for fit in report.result.plan.fits} == {"FASTAI"}
    assert 0 < report.result.seconds < time.perf_counter() - began
