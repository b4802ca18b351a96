"""Five small tables of the deep-learning-regression benchmark, against each stock family alone and CatBoost.

usage: uv run python benchmarks/uci.py [--splits 2] [--seconds 120] [--sets concrete,energy] [--stock]

Each set is trained once for each of its published test splits, networks alone, in 120 s. Stock are the four families of
AutoGluon, each alone at its defaults with 100 s; what they predict is kept in ``reference/uci_stock.json``, with date
and machine, and is made anew with ``--stock``. Printed are the errors relative to the best of the four (by their mean
over the splits) and to CatBoost at its defaults, with 95 % intervals paired over the test rows, and the geometric mean
over the sets with each ratio clipped to 0.8–1.25. The published figures are means over 20 splits.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np
import pandas as pd
from versus import FAMILIES, REFERENCE, SHARED, catboost, geometric, head, ours, ratio, rmse, stock, words

SETS = ("concrete", "energy", "power", "wine", "yacht")
KEPT = REFERENCE / "uci_stock.json"
STOCK_SECONDS = 100
CLIP = (0.8, 1.25)


def parts(name: str, split: int) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """Return training and test rows of a published split, and the target."""
    table = pd.read_csv(SHARED / "uci" / name / "data.csv")
    rows = sorted(json.loads((SHARED / "uci" / name / "splits.json").read_text())["test_rows"][split])
    return table.drop(index=rows), table.iloc[rows], str(table.columns[-1])


def copies(train: pd.DataFrame, test: pd.DataFrame, target: str) -> np.ndarray:
    """Return which test rows have the inputs of a training row: whoever learns rows by heart knows their targets."""
    seen = set(train.drop(columns=target).itertuples(index=False, name=None))
    return np.array([row in seen for row in test.drop(columns=target).itertuples(index=False, name=None)])


def make_stock(sets: tuple[str, ...], splits: int) -> None:
    """Train the stock families, and keep what they predict."""
    kept: dict[str, Any] = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    for name in sets:
        for split in range(splits):
            train, test, target = parts(name, split)
            found = {}
            for family in FAMILIES:
                done = stock(train, test, target, hyperparameters={family: {}}, time_limit=STOCK_SECONDS)
                if done["predicted"] is None:
                    print(f"{name} {split} {family}: {done['error']}", flush=True)
                    continue
                found[family] = {
                    "seconds": round(done["seconds"], 1),
                    "predicted": np.round(done["predicted"], 6).tolist(),
                }
                print(
                    f"{name} {split} {family} {rmse(test[target], done['predicted']):.4f} {done['seconds']:.0f} s",
                    flush=True,
                )
            kept.setdefault(name, {})[str(split)] = {"measured": head(), **found}
            REFERENCE.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(kept) + "\n")


def main(sets: tuple[str, ...], splits: int, seconds: float) -> None:
    kept = json.loads(KEPT.read_text())
    published = json.loads((SHARED / "uci" / "published_rmse.json").read_text())
    print(f"{head()}; {seconds:g} s a split, {splits} splits; stock: {kept[sets[0]]['0']['measured']}")
    to_stock, to_trees = [], []
    for name in sets:
        runs, trees, new, mine, times = [], [], [], [], []
        repeated = 0
        errors = {
            family: np.mean(
                [
                    rmse(parts(name, s)[1][parts(name, s)[2]], kept[name][str(s)][family]["predicted"])
                    for s in range(splits)
                ]
            )
            for family in FAMILIES
            if all(family in kept[name][str(s)] for s in range(splits))
        }
        best = min(errors, key=lambda family: errors[family])
        for split in range(splits):
            train, test, target = parts(name, split)
            answer = ours(train, test, target, seconds)
            actual = test[target].to_numpy()
            runs.append((actual, answer["predicted"], kept[name][str(split)][best]["predicted"]))
            trees.append((actual, answer["predicted"], catboost(train, test, target)["predicted"]))
            known = copies(train, test, target)
            repeated += int(known.sum())
            new.append(tuple(np.asarray(values)[~known] for values in trees[-1]))
            mine.append(rmse(actual, answer["predicted"]))
            times.append(answer["wall"])
            each = ", ".join(f"{model} {rmse(actual, values):.4g}" for model, values in answer["every"].items())
            print(f"  {name} {split}: {mine[-1]:.4f} with {answer['best_model']}; {each}", flush=True)
        to_stock.append(ratio(runs))
        to_trees.append(ratio(trees))
        theirs = ", ".join(f"{family} {error:.4g}" for family, error in errors.items())
        print(f"{name}: RMSE {np.mean(mine):.4g}, wall {max(times):.0f} s at most; stock: {theirs}")
        print(f"  / stock {best}: {words(to_stock[-1])}; / CatBoost: {words(to_trees[-1])}")
        if repeated:
            print(f"  without {repeated} test rows that repeat a training row: / CatBoost {words(ratio(new))}")
        print(
            f"  published (20 splits): {', '.join(f'{who} {value}' for who, value in published[name].items())}",
            flush=True,
        )
    for title, found in (("the best stock family", to_stock), ("CatBoost", to_trees)):
        above = [name for name, (_, low, _) in zip(sets, found, strict=True) if low > 1.05]
        print(
            f"relative to {title}: geometric mean {geometric([r[0] for r in found], *CLIP):.3f}; "
            f"intervals wholly above 1.05: {', '.join(above) or 'none'}"
        )


if __name__ == "__main__":
    options = argparse.ArgumentParser()
    options.add_argument("--splits", type=int, default=2)
    options.add_argument("--seconds", type=float, default=120)
    options.add_argument("--sets", default=",".join(SETS))
    options.add_argument("--stock", action="store_true")
    chosen = options.parse_args()
    names = tuple(chosen.sets.split(","))
    if chosen.stock:
        make_stock(names, chosen.splits)
    else:
        main(names, chosen.splits, chosen.seconds)
