"""A prediction process that stops, dies or works for ever holds nobody up but who asked it, and not for long."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import psutil
import pytest

from dlreg_core.runs import RunFolder
from dlreg_core.scoring import client, server_process
from dlreg_core.scoring.client import Scored, Scorer
from dlreg_core.scoring.server_process import OverdueError, ScoringPool, StoppedError
from dlreg_core.splitting import prepared_of
from tests.conftest import wait_for

# Answers at once, sleeps, works for ever, or dies; what it is told to do once is done by the first process alone.
PROCESS = """
import sys, time, pathlib
for line in sys.stdin:
    do, _, name = line.strip().partition(" ")
    if name:
        path = pathlib.Path(name)
        do, first = ("echo", do) if path.exists() else (do, do)
        path.touch()
    if do == "sleep":
        time.sleep(600)
    elif do == "work":
        while True:
            sum(range(10_000))
    elif do == "die":
        sys.exit(1)
    print("answer", len(line), flush=True)
"""


def start() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", PROCESS], stdin=subprocess.PIPE, stdout=subprocess.PIPE)


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScoringPool]:
    monkeypatch.setattr(server_process, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(server_process, "SILENT_SECONDS", 0.5)
    made = ScoringPool(start, most=3, idle_seconds=0.2)
    yield made
    made.close()


def asking(do: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=do, daemon=True)
    thread.start()
    return thread


def test_a_stopped_process_is_replaced_and_the_answer_comes(pool: ScoringPool) -> None:
    pool.ask(b"hello\n", 30, heavy=False)
    first = pool.first
    assert first is not None
    os.kill(first.pid, signal.SIGSTOP)
    assert pool.ask(b"hello\n", 30, heavy=False) == b"answer 6\n"
    assert pool.first is not first
    assert not psutil.pid_exists(first.pid)


def test_a_stopped_process_holds_up_nobody_else(pool: ScoringPool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_process, "SILENT_SECONDS", 60.0)
    pool.ask(b"hello\n", 30, heavy=False)
    first = pool.first
    assert first is not None
    os.kill(first.pid, signal.SIGSTOP)
    held: list[bytes] = []
    waiting = asking(lambda: held.append(pool.ask(b"hello\n", 60, heavy=False)))
    wait_for(lambda: pool._busy[0])
    began = time.monotonic()
    assert pool.ask(b"another\n", 30, heavy=False) == b"answer 8\n"
    assert time.monotonic() - began < 10
    assert held == []
    os.kill(first.pid, signal.SIGCONT)
    waiting.join(30)
    assert held == [b"answer 6\n"]


def test_a_request_larger_than_a_pipe_is_answered_or_given_up(pool: ScoringPool) -> None:
    large = b"x" * 1_000_000 + b"\n"
    assert pool.ask(large, 30, heavy=False) == b"answer 1000001\n"
    first = pool.first
    assert first is not None
    os.kill(first.pid, signal.SIGSTOP)
    assert pool.ask(large, 30, heavy=False) == b"answer 1000001\n"


def test_a_process_that_sleeps_on_every_request_is_given_up(pool: ScoringPool) -> None:
    with pytest.raises(StoppedError):
        pool.ask(b"sleep\n", 30, heavy=False)
    assert pool.ask(b"hello\n", 30, heavy=False) == b"answer 6\n"


def test_a_process_that_dies_is_started_again_once(pool: ScoringPool, tmp_path: os.PathLike[str]) -> None:
    assert pool.ask(f"die {tmp_path}/once\n".encode(), 30, heavy=False).startswith(b"answer")
    with pytest.raises(StoppedError):
        pool.ask(b"die\n", 30, heavy=False)


def test_work_without_an_end_has_one(pool: ScoringPool) -> None:
    with pytest.raises(OverdueError):
        pool.ask(b"work\n", 1.5, heavy=False)
    assert pool.ask(b"hello\n", 30, heavy=False) == b"answer 6\n"


def test_one_process_is_left_to_what_is_quick(pool: ScoringPool) -> None:
    ends: list[str] = []

    def work() -> None:
        try:
            pool.ask(b"work\n", 60, heavy=True)
        except (StoppedError, OverdueError) as exc:
            ends.append(type(exc).__name__)

    threads = [asking(work) for _ in range(4)]
    wait_for(lambda: pool._heavy == 2)
    began = time.monotonic()
    for _ in range(3):
        assert pool.ask(b"hello\n", 30, heavy=False) == b"answer 6\n"
    assert time.monotonic() - began < 20
    with pytest.raises(OverdueError):
        pool.ask(b"hello\n", 0.2, heavy=True)
    pool.close()
    for thread in threads:
        thread.join(30)
    assert ends == ["StoppedError"] * 4
    assert all(process is None or not process.is_alive() for process in pool._places)


def test_processes_that_nobody_needs_end_but_the_first(pool: ScoringPool) -> None:
    pool.ask(b"hello\n", 30, heavy=False)
    pool._busy[0] = True
    pool.ask(b"hello\n", 30, heavy=False)
    pool._busy[0] = False
    wait_for(lambda: pool._places[1] is None)
    assert pool.first is not None
    assert pool.first.is_alive()


@pytest.mark.soak
def test_a_stopped_scorer_holds_up_nobody_elses_page(trained: RunFolder) -> None:
    scorer = Scorer()
    rows = prepared_of(trained.home, trained.experiment()).test.iloc[:2]
    try:
        before = scorer.predict(trained, rows)
        first = scorer._pool.first
        assert first is not None
        os.kill(first.pid, signal.SIGSTOP)
        began = time.monotonic()
        took: dict[str, float] = {}
        found: list[Scored] = []

        def predict() -> None:
            found.append(scorer.predict(trained, rows))
            took["whoever asked it"] = time.monotonic() - began

        waiting = asking(predict)
        wait_for(lambda: scorer._pool._busy[0])
        scorer.preflight(trained.home, trained.experiment())
        took["another, with a new process"] = time.monotonic() - began
        once_more = time.monotonic()
        scorer.preflight(trained.home, trained.experiment())
        took["another, afterwards"] = time.monotonic() - once_more
        waiting.join(120)
        assert found == [before]
        print({who: round(seconds, 1) for who, seconds in took.items()})
        assert took["another, with a new process"] < server_process.SILENT_SECONDS + 20
        assert took["another, afterwards"] < 2
    finally:
        scorer.close()


def test_a_large_file_has_more_time(tmp_path: Path) -> None:
    pd.DataFrame({"a": range(5000)}).to_parquet(tmp_path / "rows.parquet")
    assert client._row_count(tmp_path / "rows.parquet") == 5000
    (tmp_path / "damaged.parquet").write_bytes(b"PAR1")
    assert client._row_count(tmp_path / "damaged.parquet") == 0
    assert client._row_count(tmp_path) == 0
