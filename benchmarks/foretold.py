"""What is foretold of a run, and what comes of it: which networks the time suffices for.

    python benchmarks/foretold.py                    about 50 minutes
    python benchmarks/foretold.py --seconds 60       other budgets

Each run is foretold just before it starts, as the Train page does it. Some start on an idle machine and some beside
processes that have kept every core busy for a minute; in a home without an earlier run, after one on an idle machine,
and after one on a busy machine. Wrong is a family that was foretold to be skipped and whose training began, and the
reverse; one that was given up because others were far better had its time. Of a family for which the time is nearly
enough nothing is foretold: how many those are is told as open, and whether as many networks were trained as the range
that the page shows says.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from budget import DATA, experiment_on, kept_busy, until

from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs import open_run_service
from dlreg_core.scoring.client import Scorer
from dlreg_core.settings import Settings
from dlreg_core.specs import Dataset, Experiment

ASSETS = Path(__file__).resolve().parents[1] / "assets" / "samples"
TABLES = (
    (ASSETS / "concrete_strength.csv", "compressive_strength_mpa"),
    (DATA / "insurance.csv", "charges"),
    (DATA / "california_housing.csv", "median_house_value"),
)
BUSY, BUSY_SINCE = 3, 60
"""Processes beside a run, and the seconds since they began."""


def main() -> None:
    """Foretell and train, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", default="30,60", help="budgets to try")
    parser.add_argument("--tables", default="concrete_strength,insurance,california_housing", help="tables to try")
    parser.add_argument("--earlier", default="none,idle,busy", help="what the home has seen before")
    parser.add_argument("--now", default="idle,busy", help="what the machine does during the run")
    options = parser.parse_args()
    lines: list[dict[str, Any]] = []
    chosen = [(path, target) for path, target in TABLES if path.stem in options.tables.split(",")]
    for path, target in chosen:
        for earlier in options.earlier.split(","):
            with tempfile.TemporaryDirectory(prefix="dlreg-foretold-") as home:
                os.environ["DLREG_HOME"] = home
                settings = Settings()
                dataset = DatasetStore(settings.home, settings.owner).add(path, path.name)
                if earlier != "none":
                    ran(settings, experiment_on(dataset, target, time_limit=60.0), busy=earlier == "busy")
                for seconds in map(float, options.seconds.split(",")):
                    for now in options.now.split(","):
                        line = compared(settings, dataset, target, seconds, busy=now == "busy")
                        lines.append({"table": path.stem, "earlier": earlier, "now": now, **line})
                        print(pd.DataFrame(lines[-1:]).to_string(index=False, header=len(lines) == 1), flush=True)
    table = pd.DataFrame(lines)
    print(table.to_string(index=False))
    print(table.groupby(["earlier", "now"])[["wrong", "open", "of", "counted"]].sum().to_string())
    print(table.groupby("budget_s")[["wrong", "open", "of", "counted"]].sum().to_string())


def compared(settings: Settings, dataset: Dataset, target: str, seconds: float, *, busy: bool) -> dict[str, Any]:
    """Foretell a run, carry it out, and return both; what it measured is forgotten again."""
    experiment = experiment_on(dataset, target, time_limit=seconds)
    with kept_busy(BUSY if busy else 0):
        time.sleep(BUSY_SINCE if busy else 0)
        scorer = Scorer()
        try:
            outlook = scorer.preflight(settings.home, experiment)
        finally:
            scorer.close()
        trained, folder = ran(settings, experiment, busy=False)
    for path in folder.glob("tasks/*/speeds.json"):
        path.unlink()
    wrong = {model.family for model in outlook.models if not model.close and model.fits != (model.family in trained)}
    fewest, most = outlook.counts
    return {
        "budget_s": seconds,
        "foretold": f"{fewest}-{most}",
        "trained": len(trained),
        "counted": fewest <= len(trained) <= most,
        "wrong": len(wrong),
        "open": sum(model.close for model in outlook.models),
        "of": len(outlook.models),
        "which": " ".join(sorted(f"-{key}" if key in trained else f"+{key}" for key in wrong)),
        "all_with_s": outlook.seconds_for_all,
    }


def ran(settings: Settings, experiment: Experiment, *, busy: bool) -> tuple[set[str], Path]:
    """Carry out a run; return the families whose training began, and the run's folder."""
    run_service = open_run_service(settings)
    with kept_busy(BUSY if busy else 0):
        run_id = run_service.submit(experiment)
        task = run_service.folder(run_id).train_task()
        until(lambda: task.done() is not None, run_service, 20 * experiment.plan.time_limit + 600)
    begun = [event.data["family"] for event in task.events().events if event.kind == "model_started"]
    return set(begun), task.run.path


if __name__ == "__main__":
    main()
