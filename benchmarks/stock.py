"""Against plain AutoGluon with the same four families and the same time limit, on four tables.

usage: uv run python benchmarks/stock.py [--seconds 60,120] [--seeds 3] [--sets california,concrete] [--quality]
                                         [--stock]

A seed divides the rows at random, 85 % to train on and 15 % to judge by, for both alike. Printed are the RMSE relative
to AutoGluon's, with 95 % intervals paired over the test rows of all seeds. With ``--quality`` AutoGluon gets its
``best_quality`` with these families and 240 s, against 120 s of this program.

What AutoGluon predicts is kept in ``reference/stock_runs.json``, with date and machine, and isn't computed again;
``--stock`` computes what is missing there, and nothing else.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import pandas as pd
from versus import FAMILIES, REFERENCE, SHARED, geometric, head, ours, ratio, rmse, stock, words

KEPT = REFERENCE / "stock_runs.json"

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


def plain(name: str, seed: int, seconds: float, *, quality: bool) -> dict[str, Any]:
    """Return what AutoGluon predicts for the test rows of a seed: what is kept, or else newly computed and kept."""
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    key = f"{name}, seed {seed}, {'best_quality, ' if quality else ''}{seconds:g} s"
    if key not in kept:
        train, test, target = divided(name, seed)
        options: dict[str, Any] = {"presets": "best_quality"} if quality else {}
        found = stock(
            train, test, target, hyperparameters={family: {} for family in FAMILIES}, time_limit=seconds, **options
        )
        if found["predicted"] is not None:
            found["predicted"] = [float(f"{value:.7g}") for value in found["predicted"]]
            print(f"  {key}: AutoGluon {rmse(test[target], found['predicted']):.5g}", flush=True)
        kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
        kept[key] = {"measured": head(), **found}
        REFERENCE.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(kept) + "\n")
    answer: dict[str, Any] = kept[key]
    return answer


def make_stock(sets: list[str], limits: list[float], seeds: int, *, quality: bool) -> None:
    """Compute what isn't kept yet."""
    for seconds in [QUALITY_SECONDS] if quality else limits:
        for seed in range(seeds):
            for name in sets:
                plain(name, seed, seconds, quality=quality)


def main(sets: list[str], limits: list[float], seeds: int, *, quality: bool) -> None:
    print(head())
    for seconds in limits:
        found = []
        for name in sets:
            runs = []
            for seed in range(seeds):
                train, test, target = divided(name, seed)
                other = plain(name, seed, QUALITY_SECONDS if quality else seconds, quality=quality)
                if other["predicted"] is None:
                    print(f"  {name} seed {seed}: AutoGluon gave no model: {other['error']}", flush=True)
                    continue
                answer = ours(train, test, target, seconds, seed)
                actual = test[target].to_numpy()
                runs.append((actual, answer["predicted"], other["predicted"]))
                print(
                    f"  {name} seed {seed}: {rmse(actual, answer['predicted']):.5g} in {answer['wall']:.0f} s "
                    f"({answer['best_model']}), AutoGluon {rmse(actual, other['predicted']):.5g} "
                    f"in {other['seconds']:.0f} s ({other['measured'][:16]})",
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
    options.add_argument("--stock", action="store_true")
    chosen = options.parse_args()
    work = make_stock if chosen.stock else main
    work(
        chosen.sets.split(","),
        [120.0] if chosen.quality else [float(s) for s in chosen.seconds.split(",")],
        chosen.seeds,
        quality=chosen.quality,
    )
