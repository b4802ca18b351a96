"""Budgets kept, how soon a run begins, and how fast one ends that is told to: tables of wall times.

    python benchmarks/budget.py                      all of it: about 35 minutes
    python benchmarks/budget.py --part first         from the click to the first network, on the samples
    python benchmarks/budget.py --part budgets       budget against wall time, and how much of it was used
    python benchmarks/budget.py --part finish        "finish now, keep the best", for each family while it trains
    python benchmarks/budget.py --part cancel        "cancel", for each family while it trains

    python benchmarks/budget.py --busy 3             with so many processes beside it that keep a core busy each

A budget is kept when a run takes at most 1.10 times its budget and 15 s, from the moment its libraries are loaded until
its report is there; how long loading took stands beside it. Every run has at least one network. With a process that
stands by, training begins within 2 s of the click, and the first network of the concrete sample is there within 10 s.
Finishing may take 10 s, or one epoch where that is longer. Cancelling may take 5 s.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.ingest.datasets.sample_tables import SAMPLES, sample_path
from dlreg_core.jobs import RunService, open_run_service
from dlreg_core.jobs.devices import cpu_cores
from dlreg_core.jobs.local_processes import marks_of
from dlreg_core.networks import FAMILIES, default_plan
from dlreg_core.runs import TaskFolder
from dlreg_core.runs.task_files import MARK
from dlreg_core.settings import Settings
from dlreg_core.specs import Dataset, Event, Experiment, Recipe, now

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SMALL = ("california_housing.csv", "median_house_value")
LARGE = ("nycflights13_flights.csv", "arr_delay")
LONG = 400.0


def experiment_on(dataset: Dataset, target: str, **plan: Any) -> Experiment:
    features = tuple(name for name in dataset.column_names if name != target)
    recipe = Recipe(target=target, features=features)
    return Experiment(
        name=dataset.name, dataset_id=dataset.id, dataset_name=dataset.name, recipe=recipe, plan=default_plan(**plan)
    )


def until(condition: Any, run_service: RunService, limit: float) -> float:
    """Look after the queue until `condition` holds; return how long that took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > limit:
            raise TimeoutError("it never became true")
        run_service.dispatcher.tick()
        time.sleep(0.05)
    return time.monotonic() - begun


def budgets(run_service: RunService, small: Dataset, large: Dataset | None, seconds: list[float]) -> pd.DataFrame:
    """Run each budget on the small table, and two of them on the large one."""
    lines = []
    jobs = [(small, SMALL[1], limit) for limit in seconds]
    jobs += [(large, LARGE[1], limit) for limit in seconds if limit in (60.0, 300.0) and large is not None]
    for dataset, target, limit in jobs:
        begun = time.monotonic()
        run_id = run_service.submit(experiment_on(dataset, target, time_limit=limit))
        task = run_service.folder(run_id).train_task()
        until(lambda task=task: task.done() is not None, run_service, 4 * limit + 120)
        report = run_service.report(run_id)
        ready = task.ready()
        loading = ready.loading if ready is not None else 0.0
        wall = time.monotonic() - begun - loading
        result = report.result
        best = result.row(result.best_model) if result else None
        lines.append(
            {
                "rows": dataset.rows,
                "budget_s": limit,
                "loading_s": round(loading, 1),
                "wall_s": round(wall, 1),
                "allowed_s": round(1.1 * limit + 15, 1),
                "used": round(wall / limit, 2),
                "networks": sum(row.role == "network" and row.trained for row in result.leaderboard) if result else 0,
                "r2": round(best.r2, 3) if best and best.r2 is not None else None,
                "kept": wall <= 1.1 * limit + 15,
                "state": report.state.value,
            }
        )
        print(pd.DataFrame(lines[-1:]).to_string(index=False), flush=True)
    return pd.DataFrame(lines)


BEGINS: dict[str, Callable[[Event], bool]] = {
    # The trees that networks are compared with get the machine first.
    "reference_s": lambda event: event.data.get("name") == "Preparing the networks' input",
    "training_s": lambda event: event.kind == "plan",
    "network_s": lambda event: event.kind == "model_finished",
}
"""What is noted of a run's beginning, and the event that shows it."""


def first(run_service: RunService, store: DatasetStore, limit: float, busy: int) -> pd.DataFrame:
    """Start a run on each sample, by a process that stands by and without one, and note when what was there."""
    lines = []
    for sample in SAMPLES:
        dataset = store.add(sample_path(sample), sample.file)
        for standing in (True, False):
            loaded, memory = stand_by(run_service) if standing else (0.0, 0.0)
            clicked = now()
            run_id = run_service.submit(experiment_on(dataset, sample.target, time_limit=limit))
            task = run_service.folder(run_id).train_task()
            until(lambda task=task: task.done() is not None, run_service, 20 * limit + 600)
            events = task.events().events
            moments = {
                name: next((round((e.time - clicked).total_seconds(), 1) for e in events if begins(e)), None)
                for name, begins in BEGINS.items()
            }
            result = run_service.report(run_id).result
            lines.append(
                {
                    "sample": sample.key,
                    "busy": busy,
                    "stood_by": standing,
                    "loaded_in_s": round(loaded, 1),
                    "memory_mb": round(memory),
                    **moments,
                    "networks": len(result.plan.fits) if result else 0,
                }
            )
            print(pd.DataFrame(lines[-1:]).to_string(index=False), flush=True)
    return pd.DataFrame(lines)


def stand_by(run_service: RunService) -> tuple[float, float]:
    """Wait until a process stands by; return how long loading took it, and its memory."""
    begun = time.monotonic()
    while (standing := run_service.stand_by()) is None or not standing.ready:
        if time.monotonic() - begun > 600:
            raise TimeoutError("nothing stands by")
        # The place of the run before is free once somebody has looked.
        run_service.dispatcher.tick()
        time.sleep(0.05)
    return time.monotonic() - begun, standing.memory_mb


@contextmanager
def kept_busy(count: int) -> Iterator[None]:
    """Keep some cores busy with something else."""
    beside = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in beside:
            process.kill()
            process.wait()


def finishing(run_service: RunService, small: Dataset, after: float) -> pd.DataFrame:
    """Tell a run to finish while each family trains, `after` seconds after its start at the earliest."""
    lines = []
    for chosen in FAMILIES:
        run_id = run_service.submit(
            experiment_on(small, SMALL[1], time_limit=LONG, models=(chosen.key,), preset="best")
        )
        task = run_service.folder(run_id).train_task()
        until(lambda task=task: in_training(task, after), run_service, LONG)
        training, epoch = current(task)
        begun = time.monotonic()
        run_service.finish(run_id)
        until(lambda task=task: task.done() is not None, run_service, 120)
        took = time.monotonic() - begun
        result = run_service.report(run_id).result
        lines.append(
            {
                "training": training,
                "asked_after_s": round((time.monotonic() - begun) + after - took, 1),
                "epoch_s": round(epoch, 2),
                "took_s": round(took, 1),
                "allowed_s": max(10.0, round(epoch, 1)),
                "state": run_service.report(run_id).state.value,
                "stopped_early": bool(result and result.stopped_early),
                "networks": len(result.plan.fits) if result else 0,
                "r2": round(result.row(result.best_model).r2 or 0.0, 3) if result else None,
            }
        )
        print(pd.DataFrame(lines[-1:]).to_string(index=False), flush=True)
    return pd.DataFrame(lines)


def cancelling(run_service: RunService, small: Dataset) -> pd.DataFrame:
    """Cancel a run while each family trains, and another one waits for its place."""
    lines = []
    for chosen in FAMILIES:
        run_id = run_service.submit(experiment_on(small, SMALL[1], time_limit=LONG, models=(chosen.key,)))
        task = run_service.folder(run_id).train_task()
        until(lambda task=task: in_training(task, 0.0), run_service, LONG)
        begun = time.monotonic()
        run_service.cancel(run_id)
        took = time.monotonic() - begun
        left = processes_of(task)
        free = not any(queued.slot for queued in run_service.queue())
        lines.append(
            {
                "training": chosen.title,
                "took_s": round(took, 2),
                "allowed_s": 5.0,
                "processes_left": left,
                "slot_free": free,
                "state": run_service.report(run_id).state.value,
            }
        )
        print(pd.DataFrame(lines[-1:]).to_string(index=False), flush=True)
    return pd.DataFrame(lines)


def in_training(task: TaskFolder, after: float) -> bool:
    """Tell whether a network is in the midst of its training, and the run that old."""
    if task.done() is not None:
        raise RuntimeError("the run ended before it could be told to")
    events = task.events().events
    starts = [i for i, event in enumerate(events) if event.kind == "model_started"]
    if not starts or time.time() - task.launched().timestamp() < after:
        return False
    since = events[starts[-1] :]
    return sum(event.kind == "epoch" for event in since) >= 2 and all(e.kind != "model_finished" for e in since)


def current(task: TaskFolder) -> tuple[str, float]:
    """Return the network that trains, and how long its epochs take."""
    events = [event for event in task.events().events if event.kind == "epoch"]
    name = events[-1].data["model"]
    own = [event for event in events if event.data["model"] == name]
    passed = (own[-1].time - own[0].time).total_seconds()
    return name, passed / max(1, own[-1].data["epoch"] - own[0].data["epoch"])


def processes_of(task: TaskFolder) -> int:
    """Return how many processes of a task live."""
    count, marks = 0, marks_of(task)
    for process in psutil.process_iter():
        try:
            mine = process.environ().get(MARK) in marks
            count += mine and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            continue
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["all", "first", "budgets", "finish", "cancel"], default="all")
    parser.add_argument("--seconds", default="30,60,120,300", help="budgets to try")
    parser.add_argument("--after", type=float, default=60.0, help="seconds after which a run is told to finish")
    parser.add_argument("--busy", type=int, default=0, help="processes beside it that keep a core busy each")
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of the runs of part first")
    parser.add_argument("--small", action="store_true", help="budgets on the small table only")
    options = parser.parse_args()
    print(f"{cpu_cores()} cores, load {os.getloadavg()[0]:.1f} before it began", flush=True)
    with kept_busy(options.busy), tempfile.TemporaryDirectory(prefix="dlreg-budget-") as home:
        os.environ["DLREG_HOME"] = home
        settings = Settings()
        run_service, store = open_run_service(settings), DatasetStore(settings.home, settings.owner)
        small = store.add(DATA / SMALL[0]) if options.part != "first" else None
        tables: dict[str, pd.DataFrame] = {}
        if options.part in ("all", "first"):
            tables["From the click to the first network"] = first(run_service, store, options.limit, options.busy)
        if options.part in ("all", "budgets"):
            seconds = [float(part) for part in options.seconds.split(",")]
            large = None if options.small else store.add(DATA / LARGE[0])
            tables["Budgets"] = budgets(run_service, small, large, seconds)
        if options.part in ("all", "finish"):
            tables["Finish now, keep the best"] = finishing(run_service, small, options.after)
        if options.part in ("all", "cancel"):
            tables["Cancel"] = cancelling(run_service, small)
    for title, table in tables.items():
        print(f"\n{title}\n{table.to_string(index=False)}")


if __name__ == "__main__":
    main()
