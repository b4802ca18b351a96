"""Seconds of an epoch and peak memory, against rows and columns.

usage: uv run python benchmarks/scaling.py [--rows 1000,10000,100000,300000] [--columns 10,100,1000] [--families TABM]

Each figure is from a process of its own that trains a few epochs on one thread: the median time between epochs, and how
much the process grew beyond what it held before. Rows are varied with 10 columns, columns with 10,000 rows. The last
column is the growth against the smallest case relative to that of rows or columns: 1 is linear, less is better.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from typing import Any

import numpy as np
import pandas as pd
from versus import head

EPOCHS = 3
FEW_ROWS_OF_COLUMNS = 10_000
FEW_COLUMNS = 10


def measure(
    key: str, rows: int, columns: int, *, size: int = 0, gpu: bool = False, threads: int = 1
) -> dict[str, float]:
    """Train a network of a family on made-up rows in this process."""
    from autogluon.common.features.feature_metadata import FeatureMetadata

    from dlreg_core.networks import family
    from dlreg_core.specs import PlannedFit
    from dlreg_core.training.execution.fit_records import FitCallbacks, PreparedRows
    from dlreg_core.training.execution.fold_fit import train_fold
    from dlreg_core.training.execution.preload import quiet
    from dlreg_core.training.scheduler.fit_jobs import FoldJob

    quiet()
    rng = np.random.default_rng(0)
    values = rng.normal(size=(rows, columns)).astype(np.float32)
    frame = pd.DataFrame(values, columns=[f"c{i}" for i in range(columns)])
    fold = np.where(np.arange(rows) % 10 == 0, 0, -1)
    target = values[:, 0] * 2.0 + np.sin(values[:, 1]) + rng.normal(0, 0.1, rows)
    prepared = PreparedRows(frame, target, fold, FeatureMetadata.from_df(frame))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with tempfile.TemporaryDirectory() as folder:
        settings = family(key).sample_settings(prepared.learned_from, 0, size, gpu=gpu, columns=columns)
        device = "gpu" if gpu else "cpu"
        fit = PlannedFit(
            model="x", family=key, settings=settings, epochs=EPOCHS, seed=0, threads=threads, device=device
        )
        outcome = train_fold(FoldJob(fit, 0, folder), prepared, FitCallbacks()).outcome
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"epoch": outcome.epoch_seconds or 0.0, "mb": grown / 1024}


def in_process(key: str, rows: int, columns: int, **how: Any) -> dict[str, float]:
    """Measure in a process of its own; see `measure`."""
    command = [sys.executable, __file__, "--one", json.dumps({"key": key, "rows": rows, "columns": columns, **how})]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{key} with {rows} rows: {done.stderr.strip()[-1000:]}")
    found: dict[str, float] = json.loads(done.stdout.strip().split("\n")[-1])
    return found


def main(families: list[str], rows: list[int], columns: list[int]) -> None:
    print(head())
    print(f"{'family':<12} {'rows':>8} {'columns':>8} {'s/epoch':>9} {'MB more':>8}  growth of time and memory")
    for key in families:
        for cases in ([(n, FEW_COLUMNS) for n in rows], [(FEW_ROWS_OF_COLUMNS, n) for n in columns]):
            first = None
            for count, width in cases:
                found = in_process(key, count, width)
                first = first or (count * width, found)
                times = count * width / first[0]
                growth = [found[what] / max(1e-9, first[1][what]) / times for what in ("epoch", "mb")]
                print(
                    f"{key:<12} {count:>8} {width:>8} {found['epoch']:>9.3f} {found['mb']:>8.0f}  "
                    f"{growth[0]:.2f} {growth[1]:.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--rows", default="1000,10000,100000,300000")
    options.add_argument("--columns", default="10,100,1000")
    options.add_argument("--families", default="FEEDFORWARD,FASTAI,NN_TORCH,TABM,REALMLP")
    options.add_argument("--one")
    chosen = options.parse_args()
    if chosen.one:
        print(json.dumps(measure(**json.loads(chosen.one))))
    else:
        main(
            chosen.families.split(","),
            [int(n) for n in chosen.rows.split(",")],
            [int(n) for n in chosen.columns.split(",")],
        )
