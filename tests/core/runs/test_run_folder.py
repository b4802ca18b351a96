"""A run as its folder shows it: states, locks between processes, and events."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.runs import RunFolder, TaskFolder
from dlreg_core.runs.folder import CANCEL_GRACE_SECONDS, LAUNCH_GRACE_SECONDS
from dlreg_core.specs import Done, Experiment, ExplainRequest, Recipe, RunState, TaskKind
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
    assert TaskFolder(task.path).state() is RunState.INTERRUPTED, "it let go without saying that it is done"
    task.finish(Done(state=RunState.COMPLETED))
    assert TaskFolder(task.path).state() is RunState.COMPLETED


def test_a_worker_that_was_killed_leaves_an_interrupted_task(task: TaskFolder) -> None:
    holder = start_holder(task)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    os.kill(holder.pid, signal.SIGKILL)
    holder.wait(20)
    assert not task.is_held()
    assert task.process() is None
    assert task.state() is RunState.INTERRUPTED


def test_a_launch_that_never_arrives_is_interrupted_after_a_while(task: TaskFolder) -> None:
    task.mark_launched()
    long_ago = (task.path / "launched.json").stat().st_mtime - LAUNCH_GRACE_SECONDS - 1
    os.utime(task.path / "launched.json", (long_ago, long_ago))
    assert task.state() is RunState.INTERRUPTED


def test_a_task_that_is_being_cancelled_is_never_taken_for_interrupted(task: TaskFolder) -> None:
    with task.hold():
        pass
    assert task.state() is RunState.INTERRUPTED
    task.mark_cancelling()
    assert task.state() is RunState.RUNNING
    long_ago = (task.path / "cancelling.json").stat().st_mtime - CANCEL_GRACE_SECONDS - 1
    os.utime(task.path / "cancelling.json", (long_ago, long_ago))
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
        pass
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


def test_a_process_number_that_was_used_again_is_not_the_worker(task: TaskFolder) -> None:
    me = psutil.Process()
    started = {"pid": me.pid, "created": me.create_time(), "time": "2026-01-01T00:00:00+00:00"}
    (task.path / "started.json").write_text(json.dumps(started))
    assert task.process() == me
    (task.path / "started.json").write_text(json.dumps(started | {"created": me.create_time() - 3600}))
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
    experiment = Experiment(name="e", dataset_id="0" * 16, dataset_name="d", recipe=Recipe(target="y", features=("a",)))
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
