"""Servers and workers are killed at random moments; no run is lost, none runs twice, nothing is left behind."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from dlreg_core.runs import RunFolder, RunIndex, RunStore
from dlreg_core.runs.housekeeping import find_orphans
from dlreg_core.runs.task_files import MARK
from dlreg_core.specs import RunState
from tests.conftest import ROOT, add_table, experiment_on, small_table, wait_for

RUNS = 20
LEAST_KILLS = 50
MOST_SECONDS = 900.0

SERVER = """
import threading
from dlreg_core.jobs import open_dispatcher
from dlreg_core.settings import load_settings
open_dispatcher(load_settings()).start(0.2)
threading.Event().wait()
"""

SUBMITTER = """
import sys
from pathlib import Path
from dlreg_core.runs import open_store
from dlreg_core.settings import load_settings
from dlreg_core.specs import Experiment
store = open_store(load_settings())
experiment = Experiment.model_validate_json(Path(sys.argv[1]).read_text())
while sum(path.name.isalnum() for path in (store.home / "runs").glob("*")) < int(sys.argv[2]):
    store.create(experiment)
"""


@dataclass
class Chaos:
    """Two servers and somebody who submits, and what was done to them."""

    home: Path
    experiment: Path
    rng: random.Random
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    submitter: subprocess.Popen[bytes] | None = None
    kills: dict[str, int] = field(default_factory=lambda: {"server": 0, "worker": 0, "submitter": 0})
    killed_runs: set[str] = field(default_factory=set)

    def spawn(self, script: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "DLREG_HOME": str(self.home), "DLREG_SLOTS": "2"}
        environment.pop(MARK, None)
        return subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=ROOT, env=environment)

    def keep_up(self) -> None:
        """Start again what was killed."""
        self.servers = [server for server in self.servers if server.poll() is None]
        while len(self.servers) < 2:
            self.servers.append(self.spawn(SERVER))
        if self.submitter is None or (self.submitter.poll() not in (None, 0)):
            self.submitter = self.spawn(SUBMITTER, str(self.experiment), str(RUNS))

    def strike(self) -> None:
        """Kill one of them."""
        workers = workers_of(self.home)
        kind = self.rng.choices(["server", "worker", "submitter"], [4, 3, 2])[0]
        if kind == "submitter" and self.submitter is not None and self.submitter.poll() is None:
            self.submitter.kill()
            self.submitter.wait()
        elif kind == "worker" and workers:
            run_id, process = self.rng.choice(workers)
            self.killed_runs.add(run_id)
            process.send_signal(signal.SIGKILL)
        else:
            kind = "server"
            server = self.rng.choice(self.servers)
            server.kill()
            server.wait()
        self.kills[kind] += 1

    def end(self) -> None:
        for process in (*self.servers, self.submitter):
            if process is not None:
                process.kill()
                process.wait()


def workers_of(home: Path) -> list[tuple[str, psutil.Process]]:
    """Return the living processes of all tasks of a home, with the run that each works for."""
    found = []
    for process in psutil.process_iter():
        try:
            mark = process.environ().get(MARK, "")
            alive = process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            continue
        if alive and mark.startswith(str(home.resolve())):
            found.append((Path(mark).parents[1].name, process))
    return sorted(found, key=lambda pair: (pair[0], pair[1].pid))


@pytest.mark.soak
@pytest.mark.timeout(MOST_SECONDS + 120)
@pytest.mark.parametrize("seed", [20261122])
def test_nothing_is_lost_whatever_is_killed(seed: int, tmp_path: Path) -> None:
    home = tmp_path / "home"
    experiment = experiment_on(
        add_table(home, small_table(120)), "price", models=("FASTAI",), preset="fast", time_limit=90.0
    )
    (tmp_path / "experiment.json").write_text(experiment.model_dump_json())
    chaos = Chaos(home, tmp_path / "experiment.json", random.Random(seed))
    begun, pause = time.monotonic(), threading.Event()
    folders: list[RunFolder] = []

    def runs() -> list[RunFolder]:
        return [RunFolder(path) for path in sorted((home / "runs").glob("*")) if path.name.isalnum()]

    def all_ended() -> bool:
        return len(runs()) == RUNS and all(run.train_task().done() is not None for run in runs())

    try:
        while sum(chaos.kills.values()) < LEAST_KILLS or not all_ended():
            assert time.monotonic() - begun < MOST_SECONDS, (chaos.kills, [run.state() for run in runs()])
            chaos.keep_up()
            # The moments are what is random here; nothing is waited for.
            pause.wait(chaos.rng.uniform(0.2, 4.0))
            # Workers need half a minute on a busy machine: a hand that strikes all the time would let none through.
            if sum(chaos.kills.values()) < LEAST_KILLS + RUNS:
                chaos.strike()
        chaos.keep_up()
        index = RunIndex(f"sqlite:///{home / 'dlreg.db'}")
        store = RunStore(home, index)
        wait_for(lambda: index.live() == (), 60)
        wait_for(lambda: all(r.state.is_final for r in index.list()), 60)
        folders = runs()
    finally:
        chaos.end()

    assert sum(chaos.kills.values()) >= LEAST_KILLS
    assert len(folders) == RUNS, "none lost, none made twice"
    states = {run.id: run.state() for run in folders}
    assert set(states.values()) <= {RunState.COMPLETED, RunState.FAILED}
    assert {r.run_id: r.state for r in store.list("local")} == states, "the list says what the folders say"
    for run in folders:
        task = run.train_task()
        begins = [e for e in task.events().events if e.kind == "stage" and e.data["name"] == "Preparing the rows"]
        assert len(begins) <= 1, "it ran twice"
        done = task.done()
        assert done is not None
        if states[run.id] is RunState.FAILED:
            assert run.id in chaos.killed_runs, done.reason
            # A network is tried once more where the process that trained it was killed, not twice.
            assert done.reason == "Its process was ended from outside before it was done." or (
                "Its process " in done.reason or "could not be started" in done.reason
            )
        else:
            assert run.result() is not None
    assert {run_id for run_id, state in states.items() if state is RunState.COMPLETED} >= set(
        states
    ) - chaos.killed_runs
    assert RunState.COMPLETED in states.values()
    wait_for(lambda: workers_of(home) == [], 10)
    with closing(sqlite3.connect(home / "dlreg.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    # What is left half-written is found, and what is whole is not taken for it.
    whole = {run.path for run in folders}
    assert not whole & set(find_orphans(home, seconds=0.0))
    print({"kills": chaos.kills, "states": {s.value: list(states.values()).count(s) for s in set(states.values())}})
