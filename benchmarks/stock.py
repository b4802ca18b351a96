"""Against plain AutoGluon with the same four families and the same time limit, on four tables.

usage: uv run python benchmarks/stock.py [--seconds 60,120] [--seeds 3] [--sets california,concrete] [--quality]

A seed divides the rows at random, 85 % to train on and 15 % to judge by, for both alike. Printed are the RMSE relative
to AutoGluon's, with 95 % intervals paired over the test rows of all seeds. With ``--quality`` AutoGluon gets its
``best_quality`` with these families and 240 s, against 120 s of this program.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from versus import FAMILIES, SHARED, geometric, head, ours, ratio, rmse, stock, words

_KNOWN_LATER = ("dep_time", "dep_delay", "arr_time", "air_time", "year")
QUALITY_SECONDS = 240


def table(name: str) -> tuple[pd.DataFrame, str]:
    """Return a table and its target."""
    if name == "california":
        return pd.read_csv(SHARED / "california_housing.csv"), "median_house_value"
    if name == "flights":
        flights = pd.read_csv(SHARED / "nycflights13_flights.csv").dropna(subset=["arr_delay"])
        flights = flights.drop(columns=[c for c in _KNOWN_LATER if c in flights.columns])
        return flights.sample(20_000, random_state=0).reset_index(drop=True), "arr_delay"
    found = pd.read_csv(SHARED / "uci" / name / "data.csv")
    return found, str(found.columns[-1])


def divided(name: str, seed: int) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return training and test rows of a seed, and the target."""
    rows, target = table(name)
    test = np.random.default_rng(seed).permutation(len(rows))[: round(0.15 * len(rows))]
    return rows.drop(index=rows.index[test]), rows.iloc[np.sort(test)], target


def main(sets: list[str], limits: list[float], seeds: int, *, quality: bool) -> None:
    print(head())
    for seconds in limits:
        found = []
        for name in sets:
            runs = []
            for seed in range(seeds):
                train, test, target = divided(name, seed)
                same = {"hyperparameters": {family: {} for family in FAMILIES}}
                if quality:
                    plain = stock(train, test, target, **same, presets="best_quality", time_limit=QUALITY_SECONDS)
                else:
                    plain = stock(train, test, target, **same, time_limit=seconds)
                if plain["predicted"] is None:
                    print(f"  {name} seed {seed}: AutoGluon gave no model: {plain['error']}", flush=True)
                    continue
                answer = ours(train, test, target, seconds, seed)
                actual = test[target].to_numpy()
                runs.append((actual, answer["predicted"], plain["predicted"]))
                print(
                    f"  {name} seed {seed}: {rmse(actual, answer['predicted']):.5g} in {answer['wall']:.0f} s "
                    f"({answer['best_model']}), AutoGluon {rmse(actual, plain['predicted']):.5g} "
                    f"in {plain['seconds']:.0f} s",
                    flush=True,
                )
            found.append(ratio(runs))
            print(f"{name}, {seconds:g} s: {words(found[-1])}", flush=True)
        above = [name for name, (_, low, _) in zip(sets, found, strict=True) if low > 1.02]
        print(
            f"{seconds:g} s: geometric mean {geometric([r[0] for r in found]):.3f}; "
            f"intervals wholly above 1.02: {', '.join(above) or 'none'}"
        )


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", default="60,120")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--sets", default="california,concrete,power,flights")
    options.add_argument("--quality", action="store_true")
    chosen = options.parse_args()
    main(
        chosen.sets.split(","),
        [120.0] if chosen.quality else [float(s) for s in chosen.seconds.split(",")],
        chosen.seeds,
        quality=chosen.quality,
    )
