"""Against plain AutoGluon with the same four families and the same time limit, on four tables.

usage: uv run python benchmarks/stock.py [--seconds 60,120] [--seeds 3] [--quality-seeds 1]
                                         [--sets california,concrete] [--stock]

A seed divides the rows at random, 85 % to train on and 15 % to judge by, for both alike. Printed are the RMSE relative
to AutoGluon's, with 95 % intervals paired over the test rows of all seeds. This program's runs of 120 s are also held
against AutoGluon's ``best_quality`` with these families and 240 s, on the first ``--quality-seeds`` seeds.

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
# Twice the time of this program.
QUALITY_SECONDS = 240
QUALITY_AGAINST = 120


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


def plain(name: str, seed: int, seconds: float, *, quality: bool = False) -> dict[str, Any]:
    """Return what AutoGluon predicts for the test rows of a seed: what is kept, or else newly computed and kept."""
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    key = f"{name}, seed {seed}, {'best_quality, ' if quality else ''}{seconds:g} s"
    if key not in kept:
        train, test, target = divided(name, seed)
        options: dict[str, Any] = {"hyperparameters": {family: {} for family in FAMILIES}, "time_limit": seconds}
        if quality:
            options["presets"] = "best_quality"
        found = stock(train, test, target, **options)
        if found["predicted"] is None and quality:
            # Its look for leakage by stacking can use up the time, and then the real training fails.
            found = stock(train, test, target, **options, dynamic_stacking=False)
        if found["predicted"] is not None:
            found["predicted"] = [float(f"{value:.7g}") for value in found["predicted"]]
            print(f"  {key}: AutoGluon {rmse(test[target], found['predicted']):.5g}", flush=True)
        kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
        kept[key] = {"measured": head(), **found}
        REFERENCE.mkdir(exist_ok=True)
        KEPT.write_text(json.dumps(kept) + "\n")
    answer: dict[str, Any] = kept[key]
    return answer


def make_stock(sets: list[str], limits: list[float], seeds: int, quality_seeds: int) -> None:
    """Compute what isn't kept yet."""
    for seed in range(seeds):
        for name in sets:
            for seconds in limits:
                plain(name, seed, seconds)
            if seed < quality_seeds and QUALITY_AGAINST in limits:
                plain(name, seed, QUALITY_SECONDS, quality=True)


def main(sets: list[str], limits: list[float], seeds: int, quality_seeds: int) -> None:
    print(head())
    for seconds in limits:
        against: dict[str, list[tuple[float, float, float]]] = {}
        for name in sets:
            pairs: dict[str, list[tuple[Any, Any, Any]]] = {}
            for seed in range(seeds):
                others = {f"AutoGluon, {seconds:g} s": plain(name, seed, seconds)}
                if seed < quality_seeds and seconds == QUALITY_AGAINST:
                    others[f"best_quality, {QUALITY_SECONDS} s"] = plain(name, seed, QUALITY_SECONDS, quality=True)
                train, test, target = divided(name, seed)
                actual = test[target].to_numpy()
                answer = ours(train, test, target, seconds, seed)
                said = f"  {name} seed {seed}: {rmse(actual, answer['predicted']):.5g} in {answer['wall']:.0f} s"
                print(f"{said} ({answer['best_model']})", flush=True)
                for other, found in others.items():
                    if found["predicted"] is None:
                        print(f"    {other}: no model: {found['error']}", flush=True)
                        continue
                    pairs.setdefault(other, []).append((actual, answer["predicted"], found["predicted"]))
                    print(
                        f"    {other}: {rmse(actual, found['predicted']):.5g} in {found['seconds']:.0f} s "
                        f"({found['measured'][:16]})",
                        flush=True,
                    )
            for other, runs in pairs.items():
                against.setdefault(other, []).append(ratio(runs))
                print(f"{name}, {seconds:g} s / {other}: {words(against[other][-1])}", flush=True)
        for other, ratios in against.items():
            above = sum(low > 1.02 for _, low, _ in ratios)
            mean = geometric([r[0] for r in ratios])
            print(
                f"{seconds:g} s / {other}: geometric mean {mean:.3f} of {len(ratios)} sets, "
                f"intervals wholly above 1.02: {above or 'none'}",
                flush=True,
            )


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", default="60,120")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--quality-seeds", type=int, default=1)
    options.add_argument("--sets", default="california,concrete,power,flights")
    options.add_argument("--stock", action="store_true")
    chosen = options.parse_args()
    work = make_stock if chosen.stock else main
    limits = [float(s) for s in chosen.seconds.split(",")]
    work(chosen.sets.split(","), limits, chosen.seeds, chosen.quality_seeds)
