"""A run as its folder shows it: states, locks between processes, and events."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from pydantic import BaseModel

import dlreg_core.runs.task_files as task_module
from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.networks import default_plan
from dlreg_core.runs import RunFolder, TaskFolder, machine
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.runs.machine import boot_id, born, oom_kills
from dlreg_core.runs.process_death import keepable, never_began, post_mortem, silent_seconds
from dlreg_core.runs.task_files import CANCEL_GRACE_SECONDS, LAUNCH_GRACE_SECONDS, MOST_LAUNCHES
from dlreg_core.specs import (
    Checkpoint,
    ContinueRequest,
    Done,
    Experiment,
    ExplainRequest,
    FinishedFit,
    Instant,
    Launch,
    Moment,
    PlannedFit,
    Pulse,
    Recipe,
    RunState,
    Start,
    TaskKind,
)
from tests.conftest import ROOT, wait_for

HOLDER = """
import sys
from pathlib import Path
from dlreg_core.runs import TaskFolder
with TaskFolder(Path(sys.argv[1])).hold(1.0):
    print("held", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    folder = RunFolder(tmp_path / "runs" / "abc")
    folder.path.mkdir(parents=True)
    return folder


@pytest.fixture
def task(run: RunFolder) -> TaskFolder:
    return run.add_task(TaskKind.TRAIN)


def start_holder(task: TaskFolder) -> subprocess.Popen[str]:
    """Start a process that takes the task and keeps it until it gets a line."""
    return subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(task.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def ago(seconds: float) -> Instant:
    return Instant(boot=boot_id(), ticks=time.monotonic() - seconds)


def set_start(task: TaskFolder, **changes: object) -> None:
    """Change the note of which process took the task."""
    start = task.start()
    assert start is not None
    (task.path / "started.json").write_text(start.model_copy(update=changes).model_dump_json())


def test_states_follow_from_the_folder_alone(task: TaskFolder) -> None:
    assert task.state() is RunState.QUEUED
    task.mark_launched()
    assert task.state() is RunState.RUNNING
    holder = start_holder(task)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert task.state() is RunState.RUNNING
    process = task.process()
    assert process is not None
    assert process.pid == holder.pid
    holder.communicate("\n", timeout=20)
    assert TaskFolder(task.path).state() is RunState.FAILED, "it let go without saying that it is done"
    task.finish(Done(state=RunState.COMPLETED))
    assert TaskFolder(task.path).state() is RunState.COMPLETED


def test_a_worker_that_was_killed_has_failed_and_the_reason_says_so(task: TaskFolder) -> None:
    holder = start_holder(task)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate(timeout=20)
    assert not task.is_held()
    assert task.process() is None
    assert task.state() is RunState.FAILED
    done = post_mortem(task)
    assert (done.state, done.reason) == (RunState.FAILED, "Its process was ended from outside before it was done.")
    assert done.hint.endswith("No network was finished yet; start it again.")


def test_a_restart_of_the_machine_interrupts_and_is_no_failure(task: TaskFolder) -> None:
    with task.hold():
        pass
    set_start(task, boot="another start of the machine")
    assert task.state() is RunState.INTERRUPTED
    assert post_mortem(task).reason == "The machine was restarted while it was going on."


def test_a_process_that_was_ended_before_it_took_its_task_is_told_too(
    task: TaskFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dlreg_core.runs.task_files.oom_kills", lambda: 2)
    task.mark_launched()
    monkeypatch.setattr("dlreg_core.runs.process_death.oom_kills", lambda: 2)
    assert never_began(task, RunState.FAILED).reason == "Its process could not be started."
    monkeypatch.setattr("dlreg_core.runs.process_death.oom_kills", lambda: 3)
    assert never_began(task, RunState.FAILED).reason == "The machine ran out of memory, and ended it."


@pytest.mark.parametrize(
    ("said", "file"),
    [
        ("0::/user.slice/dlreg", "user.slice/dlreg/memory.events"),
        ("0::/outside", "memory.events"),
        ("9:cpu:/a\n4:memory:/jobs/one\n0::/", "memory/jobs/one/memory.oom_control"),
        ("4:memory:/outside", "memory/memory.oom_control"),
    ],
)
def test_what_the_system_ended_is_counted_by_control_group(
    said: str, file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "self").write_text(f"{said}\n")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path / "self")
    monkeypatch.setattr(machine, "_CGROUPS", tmp_path)
    assert oom_kills() is None
    counts = tmp_path / file
    counts.parent.mkdir(parents=True, exist_ok=True)
    counts.write_text("oom_kill_disable 0\nunder_oom 0\noom_kill 7\n")
    assert oom_kills() == 7


def test_an_end_for_lack_of_memory_is_told_as_such(task: TaskFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with task.hold():
        task.emit("resources", memory_mb=900, machine_used=0.5)
    set_start(task, oom_kills=2)
    monkeypatch.setattr("dlreg_core.runs.process_death.oom_kills", lambda: 2)
    assert "memory" not in post_mortem(task).reason
    monkeypatch.setattr("dlreg_core.runs.process_death.oom_kills", lambda: 3)
    assert post_mortem(task).reason == "The machine ran out of memory, and ended it."
    monkeypatch.setattr("dlreg_core.runs.process_death.oom_kills", lambda: None)
    assert "memory" not in post_mortem(task).reason
    task.emit("resources", memory_mb=900, machine_used=0.97)
    assert post_mortem(task).reason == "The machine ran out of memory, and ended it."


def test_a_crash_in_a_library_is_named(task: TaskFolder) -> None:
    with task.hold():
        (task.path / "log.txt").write_text("x\nFatal Python error: Segmentation fault\n\nCurrent thread\n")
    assert post_mortem(task).reason == "Its process crashed (Segmentation fault)."


def test_a_result_without_the_last_word_is_a_result(task: TaskFolder) -> None:
    with task.hold():
        (task.path / "result.json").write_text("{}")
    assert task.state() is RunState.COMPLETED


def test_what_was_finished_before_the_end_can_be_kept(task: TaskFolder) -> None:
    with task.hold():
        fit = PlannedFit(model="FastAI", family="FASTAI", epochs=3, seed=0, threads=1, device="cpu")
        made = Checkpoint(fits=(FinishedFit(fit=fit, seconds=1.0, validation=2.0),))
        (task.path / "checkpoint.json").write_text(made.model_dump_json())
    assert keepable(task.run) == ("FastAI",)
    assert "FastAI was finished and is still there" in post_mortem(task).hint
    # A continuation that died before it finished anything of its own takes nothing away.
    more = task.run.add_task(TaskKind.CONTINUE, more=ContinueRequest(source=1, time_limit=9.0))
    with more.hold():
        pass
    assert keepable(task.run) == ("FastAI",)
    assert post_mortem(more).hint.endswith("What there was before is unchanged.")
    more.finish(Done(state=RunState.COMPLETED))
    assert keepable(task.run) == ()


def test_a_launch_whose_process_never_came_is_tried_again_and_given_up_in_the_end(task: TaskFolder) -> None:
    for _ in range(MOST_LAUNCHES):
        assert task.state() is RunState.QUEUED
        task.mark_launched(Launch(instant=ago(LAUNCH_GRACE_SECONDS + 1)))
        last = task.state()
        if last is RunState.QUEUED:
            task.retry()
    assert last is RunState.FAILED


def test_a_launched_process_that_has_died_is_not_waited_for(task: TaskFolder) -> None:
    task.mark_launched()
    me = psutil.Process()
    task.note_process(me.pid)
    assert task.state() is RunState.RUNNING
    launch = task.launch()
    assert launch is not None
    (task.path / "launched.json").write_text(launch.model_copy(update={"born": "an earlier one"}).model_dump_json())
    assert task.state() is RunState.QUEUED


def test_of_many_that_launch_a_task_one_may(task: TaskFolder) -> None:
    barrier = threading.Barrier(8)
    granted: list[int] = []

    def launch(number: int) -> None:
        barrier.wait()
        try:
            task.mark_launched(Launch(slot=f"cpu:{number}"))
            granted.append(number)
        except ConflictError:
            pass

    threads = [threading.Thread(target=launch, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 1
    found = task.launch()
    assert found is not None
    assert found.slot == f"cpu:{granted[0]}"


def test_silence_is_counted_from_the_last_sign_of_life(task: TaskFolder) -> None:
    assert silent_seconds(task) == 0.0
    with task.hold():
        assert silent_seconds(task) < 5
        (task.path / "pulse.json").write_text(Pulse(active=ago(100), memory_mb=1.0).model_dump_json())
        assert 99 < silent_seconds(task) < 110


def test_the_last_word_is_written_although_the_disk_is_full(task: TaskFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    with task.hold():

        def write(path: Path, spec: BaseModel) -> None:
            if (task.path / "reserve").exists():
                raise OSError(errno.ENOSPC, "No space left on device")
            write_spec(path, spec)

        monkeypatch.setattr(task_module, "write_spec", write)
        task.finish(Done(state=RunState.FAILED, reason="The disk is full."))
    assert task.state() is RunState.FAILED
    assert not (task.path / "reserve").exists()


def test_nobody_concludes_a_task_that_lives_or_is_done(task: TaskFolder) -> None:
    with task.hold():
        found: list[bool] = []
        asking = threading.Thread(target=lambda: found.append(TaskFolder(task.path).conclude(Done(state="failed"))))
        asking.start()
        asking.join()
        assert found == [False]
    assert task.conclude(Done(state=RunState.FAILED, reason="first"))
    assert not task.conclude(Done(state=RunState.FAILED, reason="second"))
    done = task.done()
    assert done is not None
    assert done.reason == "first"


def test_a_task_that_is_being_cancelled_is_never_taken_for_interrupted(task: TaskFolder) -> None:
    with task.hold():
        pass
    assert task.state() is RunState.FAILED
    task.mark_cancelling()
    assert task.state() is RunState.RUNNING
    write_spec(task.path / "cancelling.json", Moment(instant=ago(CANCEL_GRACE_SECONDS + 1)))
    assert task.state() is RunState.CANCELLED, "whoever cancelled it died before saying so"


def test_only_one_process_can_hold_a_task(task: TaskFolder) -> None:
    holders = [start_holder(task) for _ in range(2)]
    wait_for(task.is_held, 30)
    # The other one gives up after its patience, while the first keeps the task.
    wait_for(lambda: sum(h.poll() is None for h in holders) == 1, 60)
    ends = [h.communicate("\n", timeout=20) for h in holders]
    assert sorted(out for out, _ in ends) == ["", "held\n"]
    assert sum("is already being worked on" in error for _, error in ends) == 1


def test_looking_whether_a_task_is_held_does_not_take_it(task: TaskFolder) -> None:
    with task.hold():
        found: list[bool] = []
        looking = threading.Thread(target=lambda: found.append(TaskFolder(task.path).is_held()))
        looking.start()
        looking.join()
        assert found == [True]
    assert not task.is_held()


def test_a_finished_task_can_not_be_taken(task: TaskFolder) -> None:
    task.finish(Done(state=RunState.CANCELLED))
    with pytest.raises(ConflictError, match="already done"), task.hold():
        pytest.fail("it was taken")
    assert not (task.path / "started.json").exists()
    assert task.state() is RunState.CANCELLED


def test_a_task_that_was_worked_on_is_never_taken_again(task: TaskFolder) -> None:
    with task.hold():
        pass
    with pytest.raises(ConflictError, match="was worked on before"), task.hold():
        pytest.fail("it was taken")


def test_a_process_number_that_was_used_again_is_not_the_worker(task: TaskFolder) -> None:
    me = psutil.Process()
    start = Start(pid=me.pid, born=born(me.pid), boot="b")
    (task.path / "started.json").write_text(start.model_dump_json())
    assert task.process() == me
    set_start(task, born="an earlier one")
    assert task.process() is None
    # Earlier versions noted the time of day.
    set_start(task, born="", created=me.create_time())
    assert task.process() == me
    set_start(task, born="", created=me.create_time() - 3600)
    assert task.process() is None
    assert task.state() is RunState.INTERRUPTED


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x", "created": 1}', '{"pid": 1}'])
def test_a_damaged_start_note_names_no_process(task: TaskFolder, content: str) -> None:
    (task.path / "started.json").write_text(content)
    assert task.process() is None


def test_events_are_read_on_from_where_the_last_look_ended(task: TaskFolder) -> None:
    assert task.events().events == ()
    task.emit("stage", name="Größe <1>\nzwei")
    task.emit("epoch", model="A", epoch=1, epochs=3, validation=0.5)
    first = task.events()
    assert [e.kind for e in first.events] == ["stage", "epoch"]
    assert first.events[0].data == {"name": "Größe <1>\nzwei"}
    assert task.events(first.offset).events == ()
    path = task.path / "events.jsonl"
    line = json.dumps({"time": "2026-01-01T00:00:00Z", "kind": "log", "data": {"text": "half"}})
    with path.open("a") as file:
        file.write(line[:20])
    half = task.events(first.offset)
    assert half.events == ()
    assert half.offset == first.offset
    with path.open("a") as file:
        file.write(line[20:] + "\n")
    whole = task.events(half.offset)
    assert [e.data for e in whole.events] == [{"text": "half"}]
    assert whole.offset == path.stat().st_size
    assert len(task.events().events) == 3


def test_an_event_without_a_figure_is_read_again(task: TaskFolder) -> None:
    task.emit("epoch", model="A", epoch=1, validation=None)
    task.emit("epoch", model="A", epoch=2, validation=float("nan"))
    one, two = task.events().events
    assert one.data["validation"] is None
    assert two.data["validation"] != two.data["validation"]


def test_the_log_is_read_from_its_end(task: TaskFolder) -> None:
    assert task.log() == ""
    (task.path / "log.txt").write_bytes(b"x" * 100 + "ü\n".encode() + b"\xff end")
    assert task.log(8) == "ü\n� end"


@pytest.mark.parametrize(
    "content", ["", "{", "null", '{"state": "completed", "colour": "red"}', '{"state": "finished"}', "\ufeff{}", "[1]"]
)
def test_a_damaged_or_foreign_file_is_told_in_a_sentence(task: TaskFolder, content: str) -> None:
    (task.path / "DONE").write_text(content)
    with pytest.raises(NotFoundError) as caught:
        task.state()
    assert str(caught.value) == "1/DONE can't be read: it is damaged or was written by another version of dlreg."


def test_absent_files_and_tasks_are_told_in_a_sentence(run: RunFolder) -> None:
    with pytest.raises(NotFoundError, match=r"^abc/experiment\.json is not there\.$"):
        run.experiment()
    with pytest.raises(NotFoundError, match=r"^Run abc has no task 7\.$"):
        run.task(7)
    with pytest.raises(NotFoundError, match=r"^Run abc has no training task\.$"):
        run.train_task()


def test_an_experiment_of_a_later_format_is_refused(run: RunFolder) -> None:
    experiment = Experiment(
        name="e", dataset_id="0" * 16, dataset_name="d", recipe=Recipe(target="y", features=("a",)), plan=default_plan()
    )
    later = json.loads(experiment.model_dump_json()) | {"new_field": 1, "schema_version": 2}
    (run.path / "experiment.json").write_text(json.dumps(later))
    with pytest.raises(NotFoundError, match="another version"):
        run.experiment()


def test_tasks_are_numbered_and_found_in_order(run: RunFolder) -> None:
    run.add_task(TaskKind.TRAIN)
    for _ in range(10):
        run.add_task(TaskKind.EXPLAIN, explain=ExplainRequest(model="A", rows=1))
    assert [t.number for t in run.tasks()] == list(range(1, 12))
    assert run.train_task().number == 1
    assert run.task(11).task().explain == ExplainRequest(model="A", rows=1)
    assert run.task(11).run.path == run.path


def test_a_run_is_what_its_training_tasks_add_up_to(run: RunFolder) -> None:
    first = run.add_task(TaskKind.TRAIN)
    with first.hold():
        (first.path / "result.json").write_text("{}")
        first.finish(Done(state=RunState.COMPLETED))
    run.add_task(TaskKind.EXPLAIN, explain=ExplainRequest(model="A", rows=1))
    assert run.state() is RunState.COMPLETED
    more = run.add_task(TaskKind.CONTINUE, more=ContinueRequest(source=1, time_limit=9.0))
    assert (more.time_limit(), run.train_task().number) == (9.0, 3)
    assert run.state() is RunState.QUEUED
    found = run.result_task()
    assert found is not None
    assert found.path == first.path
    with more.hold():
        assert run.state() is RunState.RUNNING
    assert run.state() is RunState.COMPLETED, "a continuation that failed takes nothing away"
    assert run.model_path() == first.path / "model"


def test_a_task_that_was_left_half_built_does_not_block_the_next(run: RunFolder) -> None:
    run.add_task(TaskKind.TRAIN)
    (run.path / "tasks" / ".2").mkdir()
    (run.path / "tasks" / ".2-left").mkdir()
    assert run.add_task(TaskKind.EXPLAIN, explain=ExplainRequest(model="A", rows=1)).number == 2


def test_tasks_added_at_the_same_moment_never_share_a_folder(run: RunFolder) -> None:
    barrier = threading.Barrier(8)
    numbers: list[int] = []
    refused: list[ConflictError] = []

    def add() -> None:
        barrier.wait()
        try:
            numbers.append(run.add_task(TaskKind.TRAIN).number)
        except ConflictError as exc:
            refused.append(exc)

    threads = [threading.Thread(target=add) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(numbers) + len(refused) == 8
    assert len(numbers) == len(set(numbers))
    assert sorted(numbers) == [t.number for t in run.tasks()]
    assert [p.name for p in (run.path / "tasks").iterdir() if p.name.startswith(".")] == []


def test_an_event_that_was_cut_off_hides_no_other(task: TaskFolder) -> None:
    task.emit("log", text="before")
    with (task.path / "events.jsonl").open("ab") as file:
        file.write(b'{"time": "2026-01-01T00:00:00+00:00", "kind": "log", "da')
    assert [event.data["text"] for event in task.events().events] == ["before"]
    task.emit("log", text="after")
    assert [event.data["text"] for event in task.events().events] == ["before", "after"]
