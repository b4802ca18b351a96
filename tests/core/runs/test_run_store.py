"""The index of runs: who gets a run, who sees it, and what becomes of it."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import threading
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.runs import RunFolder, RunIndex, RunStore
from dlreg_core.specs import (
    Checkpoint,
    ContinueRequest,
    Done,
    FinishedFit,
    LeaderboardRow,
    PlannedFit,
    ResolvedPlan,
    RowCounts,
    RunState,
    TrainResult,
)
from tests.conftest import ROOT, bare_experiment

CLAIMER = """
import sys
from dlreg_core.runs import RunIndex
print("ready", flush=True)
sys.stdin.readline()
for url in sys.argv[1].split():
    index = RunIndex(url)
for run_id in sys.argv[3:]:
    if index.claim(run_id, 1, [f"cpu:{number}" for number in range(int(sys.argv[2]))]):
        print(run_id, flush=True)
"""


def slots(count: int) -> list[str]:
    return [f"cpu:{number}" for number in range(count)]


def claim(store: RunStore, run_id: str, count: int = 1) -> str | None:
    return store.index.claim(run_id, 1, slots(count))


def url_of(store: RunStore) -> str:
    return f"sqlite:///{store.home / 'dlreg.db'}"


def race(url: str, slots: int, run_ids: list[str], processes: int) -> list[str]:
    """Let processes claim the same runs at the same moment; return the claims that were granted."""
    command = [sys.executable, "-c", CLAIMER, url, str(slots), *run_ids]
    found = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in range(processes)
    ]
    for process in found:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in found:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    granted = []
    for process in found:
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        granted += out.split()
    return granted


def test_of_many_processes_exactly_one_gets_each_run(store: RunStore) -> None:
    run_ids = [store.create(bare_experiment()).id for _ in range(12)]
    granted = race(url_of(store), 100, run_ids, processes=3)
    assert Counter(granted) == Counter(run_ids)


def test_processes_that_open_a_new_home_at_once_all_succeed(tmp_path: Path) -> None:
    homes = [f"sqlite:///{tmp_path / str(number) / 'dlreg.db'}" for number in range(20)]
    assert race(" ".join(homes), 1, ["nothing"], processes=3) == []


def test_slots_are_respected_across_processes(store: RunStore) -> None:
    run_ids = [store.create(bare_experiment()).id for _ in range(10)]
    granted = race(url_of(store), 3, run_ids, processes=3)
    assert len(granted) == 3
    assert {task.run_id for task in store.index.live() if task.slot is not None} == set(granted)
    assert len({task.slot for task in store.index.live() if task.slot is not None}) == 3


def test_of_many_threads_exactly_one_gets_a_run(store: RunStore) -> None:
    run_ids = [store.create(bare_experiment()).id for _ in range(5)]
    barrier = threading.Barrier(16)
    granted: list[str] = []

    def take(index: RunIndex) -> None:
        barrier.wait()
        granted.extend(run_id for run_id in run_ids if index.claim(run_id, 1, slots(2)))

    threads = [threading.Thread(target=take, args=(RunIndex(url_of(store)),)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == 2
    assert len(set(granted)) == 2


def test_a_claimed_run_can_be_neither_claimed_nor_withdrawn_again(store: RunStore) -> None:
    run_id = store.create(bare_experiment()).id
    assert claim(store, run_id) == "cpu:0"
    assert claim(store, run_id, 5) is None
    assert not store.index.withdraw(run_id, 1)
    assert claim(store, "nobody", 5) is None
    store.index.release(run_id, 1)
    assert claim(store, run_id) == "cpu:0"


def test_a_withdrawn_run_is_cancelled_in_its_folder_too(store: RunStore) -> None:
    run = store.create(bare_experiment())
    assert store.withdraw(run.train_task())
    assert not store.withdraw(run.train_task())
    report = store.report(run.id)
    assert (report.state, report.reason) == (RunState.CANCELLED, "Cancelled before it started.")
    assert store.index.live() == ()


def test_each_owner_sees_their_own_runs_newest_first(store: RunStore) -> None:
    first = store.create(bare_experiment("first", owner="ann")).id
    store.create(bare_experiment("other", owner="bob"))
    second = store.create(bare_experiment("second", dataset="1" * 16, owner="ann")).id
    assert [r.run_id for r in store.list("ann")] == [second, first]
    assert [r.name for r in store.list("bob")] == ["other"]
    assert store.list("eve") == ()
    assert [r.run_id for r in store.list("ann", dataset_id="0" * 16)] == [first]
    assert len(store.index.list()) == 3


def test_the_runs_of_others_do_not_exist(store: RunStore) -> None:
    run = store.create(bare_experiment(owner="ann"))
    assert store.folder(run.id, "ann").id == run.id
    for ask in (store.folder, store.report, store.delete):
        with pytest.raises(NotFoundError, match=f"There is no run '{run.id}'"):
            ask(run.id, "bob")
    store.index.remove(run.id)
    with pytest.raises(NotFoundError):
        store.folder(run.id, "bob")
    assert store.folder(run.id, "ann").id == run.id, "the folder knows when the list doesn't"


def finish_with(run: RunFolder, **rmse: float) -> TrainResult:
    """Let the run's training end with these models."""
    rows = tuple(LeaderboardRow(model=m, family="FASTAI", role="network", rmse=e) for m, e in rmse.items())
    result = TrainResult(
        leaderboard=rows,
        best_model=next(iter(rmse)),
        comparison=None,
        rows=RowCounts(train=1, validation=1, test=1),
        plan=ResolvedPlan(),
        seconds=3.25,
    )
    task = run.train_task()
    with task.hold():
        (task.path / "result.json").write_text(result.model_dump_json())
        task.finish(Done(state=RunState.COMPLETED))
    return result


def test_models_are_listed_by_owner(store: RunStore) -> None:
    run = store.create(bare_experiment(owner="ann"))
    finish_with(run, A=1.5, B=2.0)
    store.refresh(run.id)
    store.refresh(run.id)
    assert {(m.model, m.rmse, m.owner) for m in store.index.models("ann")} == {("A", 1.5, "ann"), ("B", 2.0, "ann")}
    assert store.index.models("bob") == ()
    store.delete(run.id)
    assert store.index.models("ann") == ()


def test_a_lost_or_old_index_is_made_again_from_the_folders(store: RunStore) -> None:
    waiting, ended = store.create(bare_experiment("waits")), store.create(bare_experiment("ended", owner="bob"))
    finish_with(ended, A=1.5)
    url = url_of(store)
    with closing(sqlite3.connect(store.home / "dlreg.db")) as database:
        for table in ("runs", "models", "queue"):
            database.execute(f"DROP TABLE {table}")
        # As an earlier version had it.
        database.execute("CREATE TABLE runs (run_id VARCHAR PRIMARY KEY, owner VARCHAR)")
        database.execute("INSERT INTO runs VALUES ('gone', 'a')")
        database.commit()
    again = RunStore(store.home, RunIndex(url))
    assert again.list("a") == ()
    again.reconcile()
    again.reconcile()
    assert [(r.run_id, r.state) for r in again.list("a")] == [(waiting.id, RunState.QUEUED)]
    (summary,) = again.list("bob")
    assert (summary.state, summary.best_rmse) == (RunState.COMPLETED, 1.5)
    assert summary.size_mb == pytest.approx(ended.bytes() / 1e6)
    assert [(task.run_id, task.number, task.slot) for task in again.index.live()] == [(waiting.id, 1, None)]


def test_a_continuation_takes_the_latest_models_and_only_of_a_run_that_has_ended(store: RunStore) -> None:
    run = store.create(bare_experiment())
    with pytest.raises(ConflictError, match="waits to be started"):
        store.add_continuation(run, 30.0)
    with run.train_task().hold():
        with pytest.raises(ConflictError, match="still going"):
            store.add_continuation(run, 30.0)
        fit = PlannedFit(model="A", family="FASTAI", epochs=3, seed=0, threads=1, device="cpu")
        made = Checkpoint(fits=(FinishedFit(fit=fit, seconds=1.0, validation=2.0),))
        (run.train_task().path / "checkpoint.json").write_text(made.model_dump_json())
        run.train_task().finish(Done(state=RunState.FAILED, reason="r"))
    report = store.report(run.id)
    assert (report.keepable, report.continues) == (("A",), False)
    task = store.add_continuation(run, 30.0)
    assert task.task().more == ContinueRequest(source=1, time_limit=30.0)
    report = store.report(run.id)
    assert (report.state, report.time_limit, report.continues) == (RunState.QUEUED, 30.0, True)
    assert store.withdraw(task)
    assert store.add_continuation(run, 9.0).task().more == ContinueRequest(source=1, time_limit=9.0)


def test_a_live_run_is_not_deleted_and_a_dead_one_leaves_nothing(store: RunStore) -> None:
    run = store.create(bare_experiment())
    with pytest.raises(ConflictError, match="still going"):
        store.delete(run.id)
    claim(store, run.id)
    with run.train_task().hold(), pytest.raises(ConflictError):
        store.delete(run.id)
    assert run.path.exists()
    run.train_task().finish(Done(state=RunState.FAILED, reason="r"))
    store.delete(run.id)
    assert list((store.home / "runs").iterdir()) == []
    assert store.list("a") == ()
    with pytest.raises(NotFoundError, match=f"There is no run '{run.id}'"):
        store.delete(run.id)


@pytest.mark.parametrize("run_id", ["", ".", "..", "../x", "a/b", "nobody", ".hidden", "C:"])
def test_what_is_no_run_is_told_and_never_leads_out_of_the_home(store: RunStore, run_id: str) -> None:
    with pytest.raises(NotFoundError, match="There is no run"):
        store.folder(run_id)


def test_the_index_follows_the_folder(store: RunStore) -> None:
    run = store.create(bare_experiment())
    assert store.refresh(run.id) is RunState.QUEUED
    claim(store, run.id)
    with run.train_task().hold():
        assert store.refresh(run.id) is RunState.RUNNING
        result = TrainResult(
            leaderboard=(LeaderboardRow(model="A", family="FASTAI", role="network", rmse=1.5),),
            best_model="A",
            comparison=None,
            rows=RowCounts(train=1, validation=1, test=1),
            plan=ResolvedPlan(),
            seconds=3.25,
        )
        (run.train_task().path / "result.json").write_text(result.model_dump_json())
        run.train_task().finish(Done(state=RunState.COMPLETED))
    assert store.refresh(run.id) is RunState.COMPLETED
    (summary,) = store.list("a")
    assert (summary.state, summary.best_model, summary.best_rmse, summary.seconds) == ("completed", "A", 1.5, 3.25)
    assert summary.created == store.report(run.id).experiment.created.replace(tzinfo=None)


def test_a_run_whose_folder_is_gone_leaves_the_list(store: RunStore) -> None:
    run = store.create(bare_experiment())
    run.delete()
    store.refresh(run.id)
    assert store.list("a") == ()


@pytest.mark.parametrize("name", ["DONE", "result.json"])
def test_a_run_that_can_not_be_read_stays_on_the_list_and_frees_its_slot(store: RunStore, name: str) -> None:
    run = store.create(bare_experiment())
    claim(store, run.id)
    run.train_task().finish(Done(state=RunState.COMPLETED))
    (run.train_task().path / name).write_text("{")
    assert store.refresh(run.id) is RunState.INTERRUPTED
    assert [r.state for r in store.list("a")] == [RunState.INTERRUPTED]
    store.delete(run.id)
    assert store.list("a") == ()


def test_a_report_reads_the_folder_alone(store: RunStore) -> None:
    run = store.create(bare_experiment("plain"))
    store.index.remove(run.id)
    report = store.report(run.id)
    assert (report.run_id, report.state, report.result, report.started, report.ended) == (
        run.id,
        RunState.QUEUED,
        None,
        None,
        None,
    )
    assert report.experiment == bare_experiment("plain").model_copy(update={"created": report.experiment.created})
    assert json.loads((run.path / "experiment.json").read_text())["schema_version"] == 1
