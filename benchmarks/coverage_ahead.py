"""What is told of each day ahead, and what is met: columns of earlier target values, 1 to 14 days ahead.

    python benchmarks/coverage_ahead.py                      about 10 minutes on two cores
    python benchmarks/coverage_ahead.py --only AR --seeds 1  one run

Four kinds of series: an autoregressive one; one with a week and a slow part; five shops of different sizes (a panel,
each shop a series of its own); and five rows a day without a series of their own, of which none may look at another.
Each is learned for 14 days ahead as a person would do it: a table, a recipe, a run; the date only says when. The days
after the table are then predicted from many days: a file with what was known until then, and the next 14 days without a
target, as raw rows.
Told is what the run's result says of its best network on its test rows, met is what these files get.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.jobs import open_run_service
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.settings import Settings
from dlreg_core.specs import Experiment, History, PastColumn, Recipe, Split, TrainPlan

HORIZON = 14
BEFORE = 40
"""Days before each origin that the file holds, with their targets."""
EVERY = 3
"""Days from one origin to the next."""


def autoregressive(days: int, random: np.random.Generator, share: float = 0.9, noise: float = 10.0) -> np.ndarray:
    """Return an AR(1) series around 0."""
    values, shocks = np.zeros(days + 100), random.normal(0, noise, days + 100)
    for day in range(1, days + 100):
        values[day] = share * values[day - 1] + shocks[day]
    return values[100:]


def _dates(days: int) -> pd.Series:
    return pd.Series(pd.date_range("2012-01-01", periods=days).strftime("%Y-%m-%d"))


def ar(days: int, random: np.random.Generator) -> pd.DataFrame:
    weekday = np.arange(days) % 7
    return pd.DataFrame({"day": _dates(days), "weekday": weekday, "y": 100 + autoregressive(days, random)})


def seasonal(days: int, random: np.random.Generator) -> pd.DataFrame:
    weekday = np.arange(days) % 7
    y = 200 + np.array([0, 5, 10, 12, 20, 60, 45])[weekday] + autoregressive(days, random, 0.95, 5.0)
    return pd.DataFrame({"day": _dates(days), "weekday": weekday, "y": y})


def panel(days: int, random: np.random.Generator) -> pd.DataFrame:
    shops = []
    for number, size in enumerate((60, 100, 150, 250, 400)):
        price = random.uniform(1, 5, days).round(2)
        values = size + size / 100 * (autoregressive(days, random, 0.8, 8.0) - 5 * price)
        shops.append(pd.DataFrame({"day": _dates(days), "shop": f"shop {number}", "price": price, "y": values}))
    return pd.concat(shops).sort_values(["day", "shop"]).reset_index(drop=True)


def five_a_day(days: int, random: np.random.Generator) -> pd.DataFrame:
    daily = np.repeat(autoregressive(days, random), 5)
    price = random.uniform(1, 5, 5 * days).round(2)
    y = 150 + daily - 8 * price + random.normal(0, 3, 5 * days)
    return pd.DataFrame({"day": np.repeat(_dates(days).to_numpy(), 5), "price": price, "y": y})


KINDS: dict[str, tuple[Callable[..., pd.DataFrame], str | None, tuple[int, ...], int]] = {
    "AR": (ar, None, (1, 2), 3000),
    "seasonal": (seasonal, None, (1, 7), 3000),
    "panel": (panel, "shop", (1,), 1200),
    "five rows a day": (five_a_day, None, (1,), 2000),
}


def learned(
    home: Path, table: pd.DataFrame, group: str | None, lags: tuple[int, ...], seconds: float, seed: int
) -> str:
    """Train on a table, and return the identifier of the run."""
    run_service = open_run_service(Settings(home=home))
    dataset = DatasetStore(home).add(table.to_csv(index=False).encode(), "series.csv")
    columns = [PastColumn(kind="lag", column="y", rows=rows) for rows in lags]
    columns.append(PastColumn(kind="mean", column="y", rows=7))
    recipe = Recipe(
        target="y",
        features=tuple(name for name in dataset.column_names if name not in ("y", "day")),
        history=History(order="day", group=group, columns=tuple(columns), horizon=HORIZON),
        split=Split(kind="time", column="day"),
    )
    plan = TrainPlan(models=("FEEDFORWARD", "FASTAI"), preset="fast", time_limit=seconds, seed=seed)
    run_id = run_service.submit(
        Experiment(name="ahead", dataset_id=dataset.id, dataset_name=dataset.name, recipe=recipe, plan=plan)
    )
    task = run_service.folder(run_id).train_task()
    end = time.monotonic() + 4 * seconds + 120
    while task.done() is None and time.monotonic() < end:
        run_service.dispatcher.tick()
        time.sleep(0.05)
    return run_id


def met(pipeline: Pipeline, model: str, table: pd.DataFrame, first: int) -> pd.DataFrame:
    """Predict the 14 days after each origin, and return the errors."""
    dates = pd.Index(table["day"].unique())
    found = []
    for origin in range(first, len(dates) - HORIZON, EVERY):
        rows = table[table["day"].isin(dates[origin - BEFORE : origin + HORIZON])]
        ahead = dates.get_indexer(rows["day"]) - origin + 1
        file = rows.assign(y=rows["y"].where(ahead < 1))
        predicted = pipeline.predicted(file, model).to_numpy()
        asked = ahead >= 1
        low, high, truth = predicted[asked, 1], predicted[asked, 2], rows["y"].to_numpy()[asked]
        error = np.abs(truth - predicted[asked, 0])
        inside = (low <= truth) & (truth <= high)
        found.append(pd.DataFrame({"step": ahead[asked], "error": error, "inside": inside}))
    return pd.concat(found).groupby("step").mean()


def measured(kind: str, seed: int, seconds: float) -> pd.DataFrame:
    """Return what is told and met of each day ahead."""
    make, group, lags, days = KINDS[kind]
    table = make(days + days // 3, np.random.default_rng(seed))
    dates = table["day"].unique()
    known = table[table["day"] < dates[days]]
    with tempfile.TemporaryDirectory() as home:
        run_id = learned(Path(home), known, group, lags, seconds, seed)
        run = open_run_service(Settings(home=Path(home))).folder(run_id)
        result = run.result()
        if result is None or result.ahead is None:
            raise SystemExit(f"The run failed: {run.train_task().done()}")
        told = pd.DataFrame([one.model_dump() for one in result.ahead.steps[result.best_model]]).set_index("step")
        got = met(Pipeline(run.model_path()), result.best_model, table, days)
        judged = result.row(result.best_model)
        print(
            f"# {kind}, seed {seed}: {result.best_model}, {judged.mae:.2f} on average, {judged.coverage_90:.1%} inside"
        )
    return pd.DataFrame(
        {"told": told["mae"], "met": got["error"], "held told": told["coverage_90"], "held": got["inside"]}
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", choices=list(KINDS))
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30.0)
    chosen = parser.parse_args()
    lines = []
    for kind in [chosen.only] if chosen.only else KINDS:
        runs = [measured(kind, seed, chosen.seconds) for seed in range(chosen.seeds)]
        mean = sum(runs) / len(runs)
        lines += [
            f"| {kind} | {step} | {row['told']:.2f} | {row['met']:.2f} | {row['held told']:.1%} | {row['held']:.1%} |"
            for step, row in mean.iterrows()
        ]
    print("\n| series | days ahead | off by, told | met | 90 % intervals hold, told | met |\n|---|---|---|---|---|---|")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
