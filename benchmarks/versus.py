"""What the benchmarks of accuracy share: one run of this program, stock AutoGluon, CatBoost, and ratios of errors."""

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

import numpy as np
import pandas as pd

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
REFERENCE = Path(__file__).with_name("reference")
FAMILIES = ("FASTAI", "NN_TORCH", "TABM", "REALMLP")
_DRAWS = 2_000

# In a process of its own, as a person would write it, so that nothing of this program is loaded there.
_STOCK = """
import json, sys, time
import pandas as pd
from autogluon.tabular import TabularPredictor
train, test, target, folder, options = sys.argv[1:]
start = time.perf_counter()
predictor = TabularPredictor(label=target, problem_type="regression", eval_metric="rmse", path=folder, verbosity=0)
predictor.fit(pd.read_csv(train), **json.loads(options))
took = time.perf_counter() - start
print(json.dumps({"seconds": took, "predicted": predictor.predict(pd.read_csv(test), as_pandas=False).tolist()}))
"""


def head() -> str:
    """Return when and where this is measured."""
    return f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Python {platform.python_version()}"


def ours(train: pd.DataFrame, test: pd.DataFrame, target: str, seconds: float, seed: int = 0) -> dict[str, Any]:
    """Train with this program and return its answer, with the best model's predictions for the test rows."""
    from dlreg_core.runs import RunFolder, load_predictions

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train.to_csv(place / "train.csv", index=False)
        test.to_csv(place / "test.csv", index=False)
        command = [sys.executable, "-m", "dlreg_core.cli", "train", str(place / "train.csv"), "--target", target]
        command += ["--test-data", str(place / "test.csv"), "--time-limit", str(seconds), "--seed", str(seed), "--json"]
        start = time.perf_counter()
        done = subprocess.run(
            command, env={**os.environ, "DLREG_HOME": folder}, capture_output=True, text=True, check=False
        )
        wall = time.perf_counter() - start
        if done.returncode:
            raise SystemExit(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}")
        answer: dict[str, Any] = json.loads(done.stdout.strip().split("\n")[-1])
        stored = load_predictions(RunFolder(Path(answer["run_dir"])))
        # The rows in the order of the test file, which is the order in which they are kept.
        assert (np.diff(stored.rows) > 0).all()
        answer["predicted"] = stored.predicted[answer["best_model"]].tolist()
        answer["every"] = {name: values.tolist() for name, values in stored.predicted.items()}
        answer["wall"] = wall
    return answer


def stock(train: pd.DataFrame, test: pd.DataFrame, target: str, **options: Any) -> dict[str, Any]:
    """Train stock AutoGluon with `options` of its ``fit``, and return its predictions and the seconds it took."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        train.to_csv(place / "train.csv", index=False)
        test.to_csv(place / "test.csv", index=False)
        command = [sys.executable, "-c", _STOCK, str(place / "train.csv"), str(place / "test.csv"), target]
        command += [str(place / "p"), json.dumps(options)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"seconds": None, "predicted": None, "error": done.stderr.strip().splitlines()[-1:]}
    found: dict[str, Any] = json.loads(done.stdout.strip().split("\n")[-1])
    return found


def catboost(train: pd.DataFrame, test: pd.DataFrame, target: str, seed: int = 0) -> dict[str, Any]:
    """Fit CatBoost at its defaults, and return its predictions and the seconds it took."""
    from catboost import CatBoostRegressor

    features = train.columns.drop(target)
    categories = [name for name in features if not pd.api.types.is_numeric_dtype(train[name])]
    model = CatBoostRegressor(verbose=0, allow_writing_files=False, random_seed=seed, cat_features=categories)
    filled = {part: rows[features].fillna(dict.fromkeys(categories, "missing")) for part, rows in _parts(train, test)}
    start = time.perf_counter()
    model.fit(filled["train"], train[target])
    return {"seconds": time.perf_counter() - start, "predicted": model.predict(filled["test"]).tolist()}


def _parts(train: pd.DataFrame, test: pd.DataFrame) -> tuple[tuple[str, pd.DataFrame], ...]:
    return ("train", train), ("test", test)


def rmse(actual: Any, predicted: Any) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((np.asarray(actual) - np.asarray(predicted)) ** 2)))


def ratio(runs: list[tuple[Any, Any, Any]], seed: int = 0) -> tuple[float, float, float]:
    """Return the mean RMSE over runs relative to another's, with its 95 % interval, paired over test rows.

    Parameters
    ----------
    runs : list of (actual, predicted, predicted by the other)
        One for each division of the rows.
    seed : int
        Seed of the draws.
    """
    squares = [(np.square(np.asarray(a) - np.asarray(p)), np.square(np.asarray(a) - np.asarray(o))) for a, p, o in runs]
    whole = sum(np.sqrt(mine.mean()) for mine, _ in squares) / sum(np.sqrt(other.mean()) for _, other in squares)
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(_DRAWS):
        mine_sum = other_sum = 0.0
        for mine, other in squares:
            rows = rng.integers(0, len(mine), len(mine))
            mine_sum += np.sqrt(mine[rows].mean())
            other_sum += np.sqrt(other[rows].mean())
        drawn.append(mine_sum / other_sum)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(whole), float(low), float(high)


def geometric(ratios: list[float], low: float = 0.0, high: float = np.inf) -> float:
    """Return the geometric mean of ratios, each clipped."""
    return float(np.exp(np.mean(np.log(np.clip(ratios, low, high)))))


def words(found: tuple[float, float, float]) -> str:
    """Return a ratio with its interval."""
    return f"{found[0]:.3f} ({found[1]:.3f}–{found[2]:.3f})"
