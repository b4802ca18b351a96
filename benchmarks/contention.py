"""What a training and a busy browser cost each other, each as a ratio to the same thing alone.

    python benchmarks/contention.py        about 8 minutes

- Page: how long a rerun of the Leaderboard and of the Train page takes in a server, p50 and p95, while a run trains,
  divided by the same without one. At most 1.5.
- Fit: how long a training of fixed length takes while one browser session reruns a page every 2 s, divided by the same
  without one. At most 1.2.

A rerun is timed from the click to the end of the script run, over the same web socket that a browser uses, in the real
server process. Idle and busy measurements alternate, since the machine may be noisy.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs import RunService, open_run_service
from dlreg_core.networks import default_plan
from dlreg_core.settings import Settings
from dlreg_core.specs import Experiment, PlannedFit, Recipe, ResolvedPlan

ROOT = Path(__file__).resolve().parents[1]
TABLE, TARGET = ROOT.parent / "shared" / "data" / "california_housing.csv", "median_house_value"
PORT = 8797
RERUN_SECONDS = 2.0
EPOCHS = 25


class Session:
    """One browser tab, as far as the server can tell."""

    def __init__(self, page: str, query: str) -> None:
        self._page, self._query = page, query
        url = f"ws://127.0.0.1:{PORT}/_stcore/stream"
        self._socket: ClientConnection = connect(
            url, origin=f"http://127.0.0.1:{PORT}", max_size=None, subprotocols=["streamlit"], legacy=True
        )

    def rerun(self) -> float:
        """Run the page once; return the seconds until its script has finished."""
        message = BackMsg()
        message.rerun_script.page_name = self._page
        message.rerun_script.query_string = self._query
        begun = time.perf_counter()
        self._socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg()
            answer.ParseFromString(self._socket.recv(timeout=60))
            # A fragment that runs by itself finishes with another status.
            if answer.WhichOneof("type") == "script_finished" and answer.script_finished == 0:
                return time.perf_counter() - begun

    def close(self) -> None:
        """Leave."""
        self._socket.close()


@contextmanager
def server(home: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "dlreg_core.cli", "serve", "--port", str(PORT)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "DLREG_HOME": str(home)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{PORT}/_stcore/health", timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        yield
    finally:
        process.terminate()
        process.wait(timeout=20)


def experiment(run_service: RunService, store: DatasetStore, replay: ResolvedPlan | None = None, **plan: Any) -> str:
    dataset = store.add(TABLE)
    features = tuple(name for name in dataset.column_names if name != TARGET)
    return run_service.submit(
        Experiment(
            name=dataset.name,
            dataset_id=dataset.id,
            dataset_name=dataset.name,
            recipe=Recipe(target=TARGET, features=features),
            plan=default_plan(**plan),
            replay=replay,
        )
    )


def ended(run_service: RunService, run_id: str) -> Any:
    task = run_service.folder(run_id).train_task()
    while task.done() is None:
        run_service.dispatcher.tick()
        time.sleep(0.1)
    return run_service.report(run_id)


def measured(page: str, query: str, count: int) -> list[float]:
    """Rerun a page `count` times with a breath in between, as a person would; the first ones only warm it."""
    session = Session(page, query)
    try:
        for _ in range(3):
            session.rerun()
        found = []
        for _ in range(count):
            found.append(session.rerun())
            time.sleep(0.1)
        return found
    finally:
        session.close()


def pages(run_service: RunService, store: DatasetStore, done: str, rounds: int) -> pd.DataFrame:
    """Time reruns with and without a training beside them, turn by turn."""
    times: dict[tuple[str, bool], list[float]] = {}
    for _ in range(rounds):
        for busy in (False, True):
            run_id = experiment(run_service, store, time_limit=600.0, preset="best") if busy else done
            if busy:
                task = run_service.folder(run_id).train_task()
                while not any(event.kind == "epoch" for event in task.events().events):
                    time.sleep(0.2)
            for page in ("leaderboard", "diagnostics", "data"):
                times.setdefault((page, busy), []).extend(measured(page, f"run={done}", 25))
            if busy:
                run_service.cancel(run_id)
    lines = []
    for page in ("leaderboard", "diagnostics", "data"):
        idle, busy_times = times[page, False], times[page, True]
        line: dict[str, Any] = {"page": page}
        for name, share in (("p50", 0.5), ("p95", 0.95)):
            one, other = (float(pd.Series(values).quantile(share)) for values in (idle, busy_times))
            line |= {f"{name} idle, ms": round(1e3 * one), f"{name} training, ms": round(1e3 * other)}
            line[f"{name} ratio"] = round(other / one, 2)
        lines.append(line)
    return pd.DataFrame(lines)


def fits(run_service: RunService, store: DatasetStore, done: str, rounds: int) -> pd.DataFrame:
    """Time the same training with and without a session that reruns a page every two seconds, turn by turn."""
    fit = PlannedFit(
        model="NN Torch",
        family="NN_TORCH",
        settings={"batch_size": 128, "learning_rate": 1e-3, "hidden_size": 256, "seed_value": 0},
        epochs=EPOCHS,
        seed=0,
        threads=1,
        device="cpu",
    )
    plan = ResolvedPlan(fits=(fit,), ensemble=False, explain_rows=5, explain_background=10, explain_permutations=0)
    times: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(rounds):
        for busy in (False, True):
            stop = threading.Event()
            thread = threading.Thread(target=reruns, args=(done, stop))
            if busy:
                thread.start()
            report = ended(run_service, experiment(run_service, store, plan, time_limit=600.0, models=("NN_TORCH",)))
            stop.set()
            if busy:
                thread.join()
            times[busy].append(report.result.row("NN Torch").fit_seconds)
    idle, with_browser = (statistics.median(times[busy]) for busy in (False, True))
    line = {"fit alone, s": round(idle, 2), "fit with a session, s": round(with_browser, 2)}
    return pd.DataFrame([line | {"ratio": round(with_browser / idle, 2)}])


def reruns(done: str, stop: threading.Event) -> None:
    session = Session("leaderboard", f"run={done}")
    while not stop.wait(RERUN_SECONDS):
        session.rerun()
    session.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--part", choices=["all", "pages", "fits"], default="all")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dlreg-contention-") as home:
        os.environ["DLREG_HOME"] = home
        settings = Settings()
        run_service, store = open_run_service(settings), DatasetStore(settings.home, settings.owner)
        with server(settings.home):
            done = experiment(run_service, store, time_limit=60.0, models=("FASTAI", "NN_TORCH"), preset="fast")
            ended(run_service, done)
            if options.part != "fits":
                print(pages(run_service, store, done, options.rounds).to_string(index=False), flush=True)
            if options.part != "pages":
                print(fits(run_service, store, done, options.rounds).to_string(index=False), flush=True)


if __name__ == "__main__":
    main()
