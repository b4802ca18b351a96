"""Budgets kept, and how fast a run ends that is told to: tables of wall times.

    python benchmarks/budget.py                      all of it: about 25 minutes
    python benchmarks/budget.py --part budgets       budget against wall time, and how much of it was used
    python benchmarks/budget.py --part finish        "finish now, keep the best", for each family while it trains
    python benchmarks/budget.py --part cancel        "cancel", for each family while it trains

A budget is kept when a run takes at most 1.10 times its budget and 15 s, from the moment it is submitted until its
report is there. Finishing may take 10 s, or one epoch where that is longer. Cancelling may take 5 s.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

from dlreg_core.ingest import DatasetStore
from dlreg_core.jobs import Desk, open_desk
from dlreg_core.runs import TaskFolder
from dlreg_core.runs.task import MARK
from dlreg_core.settings import Settings
from dlreg_core.specs import Dataset, Experiment, Recipe, TrainPlan
from dlreg_core.training.catalogue import FAMILIES, family

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
SMALL = ("california_housing.csv", "median_house_value")
LARGE = ("nycflights13_flights.csv", "arr_delay")
LONG = 400.0


def experiment_on(dataset: Dataset, target: str, **plan: Any) -> Experiment:
    features = tuple(name for name in dataset.column_names if name != target)
    recipe = Recipe(target=target, features=features)
    return Experiment(
        name=dataset.name, dataset_id=dataset.id, dataset_name=dataset.name, recipe=recipe, plan=TrainPlan(**plan)
    )


def until(condition: Any, desk: Desk, limit: float) -> float:
    """Look after the queue until `condition` holds; return how long that took."""
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > limit:
            raise TimeoutError("it never became true")
        desk.dispatcher.tick()
        time.sleep(0.05)
    return time.monotonic() - begun


def budgets(desk: Desk, small: Dataset, large: Dataset, seconds: list[float]) -> pd.DataFrame:
    """Run each budget on the small table, and two of them on the large one."""
    lines = []
    jobs = [(small, SMALL[1], limit) for limit in seconds]
    jobs += [(large, LARGE[1], limit) for limit in seconds if limit in (60.0, 300.0)]
    for dataset, target, limit in jobs:
        begun = time.monotonic()
        run_id = desk.submit(experiment_on(dataset, target, time_limit=limit))
        task = desk.folder(run_id).train_task()
        until(lambda task=task: task.done() is not None, desk, 4 * limit + 120)
        report = desk.report(run_id)
        wall = time.monotonic() - begun
        result = report.result
        best = result.row(result.best_model) if result else None
        lines.append(
            {
                "rows": dataset.rows,
                "budget_s": limit,
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


def finishing(desk: Desk, small: Dataset, after: float) -> pd.DataFrame:
    """Tell a run to finish while each family trains, `after` seconds after its start at the earliest."""
    lines = []
    for chosen in FAMILIES:
        run_id = desk.submit(experiment_on(small, SMALL[1], time_limit=LONG, models=(chosen.key,), preset="best"))
        task = desk.folder(run_id).train_task()
        until(lambda task=task: in_training(task, after), desk, LONG)
        training, epoch = current(task)
        begun = time.monotonic()
        desk.finish(run_id)
        until(lambda task=task: task.done() is not None, desk, 120)
        took = time.monotonic() - begun
        result = desk.report(run_id).result
        lines.append(
            {
                "training": training,
                "asked_after_s": round((time.monotonic() - begun) + after - took, 1),
                "epoch_s": round(epoch, 2),
                "took_s": round(took, 1),
                "allowed_s": max(10.0, round(epoch, 1)),
                "state": desk.report(run_id).state.value,
                "stopped_early": bool(result and result.stopped_early),
                "networks": len(result.plan.fits) if result else 0,
                "r2": round(result.row(result.best_model).r2 or 0.0, 3) if result else None,
            }
        )
        print(pd.DataFrame(lines[-1:]).to_string(index=False), flush=True)
    return pd.DataFrame(lines)


def cancelling(desk: Desk, small: Dataset) -> pd.DataFrame:
    """Cancel a run while each family trains, and another one waits for its place."""
    lines = []
    for chosen in FAMILIES:
        run_id = desk.submit(experiment_on(small, SMALL[1], time_limit=LONG, models=(chosen.key,)))
        task = desk.folder(run_id).train_task()
        until(lambda task=task: in_training(task, 0.0), desk, LONG)
        begun = time.monotonic()
        desk.cancel(run_id)
        took = time.monotonic() - begun
        left = processes_of(task)
        free = not any(queued.slot for queued in desk.queue())
        lines.append(
            {
                "training": family(chosen.key).title,
                "took_s": round(took, 2),
                "allowed_s": 5.0,
                "processes_left": left,
                "slot_free": free,
                "state": desk.report(run_id).state.value,
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
    count = 0
    for process in psutil.process_iter():
        try:
            mine = process.environ().get(MARK) == str(task.path)
            count += mine and process.status() != psutil.STATUS_ZOMBIE
        except (psutil.Error, OSError):
            continue
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", choices=["all", "budgets", "finish", "cancel"], default="all")
    parser.add_argument("--seconds", default="30,60,120,300", help="budgets to try")
    parser.add_argument("--after", type=float, default=60.0, help="seconds after which a run is told to finish")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="dlreg-budget-") as home:
        os.environ["DLREG_HOME"] = home
        settings = Settings()
        desk, store = open_desk(settings), DatasetStore(settings.home, settings.owner)
        small = store.add(DATA / SMALL[0])
        tables: dict[str, pd.DataFrame] = {}
        if options.part in ("all", "budgets"):
            seconds = [float(part) for part in options.seconds.split(",")]
            tables["Budgets"] = budgets(desk, small, store.add(DATA / LARGE[0]), seconds)
        if options.part in ("all", "finish"):
            tables["Finish now, keep the best"] = finishing(desk, small, options.after)
        if options.part in ("all", "cancel"):
            tables["Cancel"] = cancelling(desk, small)
    for title, table in tables.items():
        print(f"\n{title}\n{table.to_string(index=False)}")


if __name__ == "__main__":
    main()
