"""The main job: one run within its budget, and the same run repeated without a clock.

usage: uv run python benchmarks/main_job.py [TABLE TARGET SECONDS]

Prints the leaderboard, the wall time of the whole command, and the largest relative difference between its scores and
those of ``--replay``.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
SCORES = ("rmse", "mae", "mse", "r2", "median_ae", "rmse_validation")


def train(home: str, *arguments: str) -> tuple[dict[str, Any], float]:
    """Run ``dlreg train … --json`` in a home of its own; return its answer and the seconds it took."""
    start = time.perf_counter()
    command = [sys.executable, "-m", "dlreg_core.cli", "train", *arguments, "--json"]
    done = subprocess.run(command, env={**os.environ, "DLREG_HOME": home}, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.strip().split("\n")[-1]), time.perf_counter() - start


def difference(one: dict[str, Any], other: dict[str, Any]) -> float:
    """Return the largest relative difference between the scores of two answers; infinite where models differ."""
    theirs = {row["model"]: row for row in other["leaderboard"] if row["rmse"] is not None}
    mine = {row["model"]: row for row in one["leaderboard"] if row["rmse"] is not None}
    if theirs.keys() != mine.keys():
        return float("inf")
    pairs = [(mine[model][score], theirs[model][score]) for model in mine for score in SCORES]
    return max(abs(a - b) / max(abs(a), 1e-12) for a, b in pairs)


def main(table: str, target: str, seconds: str) -> None:
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{Path(table).name} → {target}, {seconds} s")
    with tempfile.TemporaryDirectory() as home:
        answer, wall = train(home, table, "--target", target, "--time-limit", seconds)
        for row in answer["leaderboard"]:
            figures = (
                "" if row["rmse"] is None else f"{row['rmse']:>12.5g} {row['r2']:>8.4f} {row['fit_seconds']:>7.1f} s"
            )
            print(f"{row['model']:<18} {row['role']:<9} {figures}  {row['note']}")
        print(f"state {answer['state']}, best {answer['best_model']}, run {answer['seconds']:.1f} s, wall {wall:.1f} s")
        again, wall = train(home, table, "--target", target, "--replay", answer["run_id"])
        print(f"replay: largest relative difference {difference(answer, again):.1e}, wall {wall:.1f} s")


if __name__ == "__main__":
    chosen = sys.argv[1:] or [str(SHARED / "california_housing.csv"), "median_house_value", "120"]
    main(*chosen)
