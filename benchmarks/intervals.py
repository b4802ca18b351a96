"""How wide 90 % prediction intervals are and what they hold, constant ones and those that `calibrate` gives.

usage: uv run python benchmarks/intervals.py [--seeds 20]

For each of five real tables and each seed, a fifth of the rows is the test. Boosted trees (scikit-learn's) and ridge
regression learn the target, or its logarithm, on the others in five folds; what they predict of rows held out
calibrates both kinds of intervals, and the mean of the five predicts the test. Constant: the prediction plus or minus
one number, as before. Width and interval score are those of the new intervals relative to constant ones.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dlreg_core.cleaning import TargetTransform, fit_target_transform
from dlreg_core.evaluation.conformal import calibrate, half_width, interval_scores
from dlreg_core.pipeline.prediction_interval import PredictionInterval

SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
FOLDS = 5
KINDS = {
    ("none", False): "constant",
    ("none", True): "by prediction",
    ("log", False): "log",
    ("log", True): "log, by prediction",
}
Floats = NDArray[np.float64]


def tables() -> Iterator[tuple[str, Floats, Floats]]:
    """Yield names, features and targets."""
    cars = pd.read_csv(SHARED / "used_cars_cardekho.csv").drop_duplicates().drop(columns="torque")
    for column in ("mileage", "engine", "max_power"):
        cars[column] = pd.to_numeric(cars[column].astype(str).str.extract(r"([\d.]+)")[0], errors="coerce")
    cars["name"] = cars["name"].str.split().str[0]
    bikes = pd.read_csv(SHARED / "bike_sharing_hour.csv").drop(columns=["instant", "dteday", "casual", "registered"])
    concrete = pd.read_csv(SHARED / "uci" / "concrete" / "data.csv")
    for name, table, target in (
        ("used cars", cars, "selling_price"),
        ("insurance", pd.read_csv(SHARED / "insurance.csv").drop_duplicates(), "charges"),
        ("bike rentals", bikes, "cnt"),
        ("California", pd.read_csv(SHARED / "california_housing.csv"), "median_house_value"),
        ("concrete", concrete, concrete.columns[-1]),
    ):
        features = pd.get_dummies(table.drop(columns=target)).astype(float)
        yield name, features.fillna(features.median()).to_numpy(), table[target].to_numpy(float)


def predictions(
    model: str, x: Floats, y: Floats, test: Floats, transform: TargetTransform, random: np.random.Generator
) -> tuple[Floats, Floats]:
    """Return what is predicted of each row by models that have not seen it, and their mean on the test."""
    learned, fold = transform.forward(y), random.permutation(len(y)) % FOLDS
    held_out, tested = np.empty(len(y)), np.zeros(len(test))
    for held in range(FOLDS):
        trees = HistGradientBoostingRegressor(max_iter=150, random_state=0)
        fitted = trees if model == "trees" else make_pipeline(StandardScaler(), Ridge())
        fitted.fit(x[fold != held], learned[fold != held])
        held_out[fold == held] = transform.inverse(fitted.predict(x[fold == held]))
        tested += transform.inverse(fitted.predict(test)) / FOLDS
    return held_out, tested


def judged(interval: PredictionInterval, actual: Floats, predicted: Floats) -> Floats:
    """Return the mean width, the interval score, the share below 0, and coverage of all and the outer thirds."""
    low, high = interval.bounds(predicted)
    inside = (low <= actual) & (actual <= high)
    thirds = np.array_split(inside[np.argsort(predicted, kind="stable")], 3)
    width, score = np.mean(high - low), interval_scores(actual, low, high).mean()
    return np.array([width, score, np.mean(low < 0), inside.mean(), thirds[0].mean(), thirds[2].mean()])


def compared(model: str, method: str, x: Floats, y: Floats, seeds: int) -> str:
    """Return a line of the table."""
    kinds: Counter[str] = Counter()
    before, after = np.zeros((seeds, 6)), np.zeros((seeds, 6))
    for seed in range(seeds):
        random = np.random.default_rng(seed)
        order = random.permutation(len(y))
        test, rest = order[: len(y) // 5], order[len(y) // 5 :]
        transform = fit_target_transform(y[rest], "log" if method == "log" else "none")
        held_out, tested = predictions(model, x[rest], y[rest], x[test], transform, random)
        interval = calibrate(y[rest], held_out, least=float(y[rest].min()), transform=transform)
        kinds[KINDS[interval.scale.method, bool(interval.knots)]] += 1
        before[seed] = judged(PredictionInterval(factor=half_width(y[rest] - held_out)), y[test], tested)
        after[seed] = judged(interval, y[test], tested)
    was, now = before.mean(axis=0), after.mean(axis=0)
    shares = [" / ".join(f"{share:.1%}".replace("%", "").strip() for share in part[3:]) for part in (was, now)]
    kind, times = kinds.most_common(1)[0]
    return (
        f"{shares[0]} | {shares[1]} | {now[0] / was[0]:.2f} | {now[1] / was[1]:.2f} | {was[2]:.0%} | "
        f"{kind} ({times} of {seeds})"
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    seeds = parser.parse_args().seeds
    print("| table | model, target | held before: all / lowest / highest third, % | held now | width | score |", end="")
    print(" below 0 before | chosen |\n|---|---|---|---|---|---|---|---|")
    for name, x, y in tables():
        for model in ("trees", "ridge"):
            for method in ("as it is", "log"):
                print(f"| {name} | {model}, {method} | {compared(model, method, x, y, seeds)} |", flush=True)


if __name__ == "__main__":
    main()
