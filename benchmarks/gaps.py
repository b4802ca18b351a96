"""Do 90 % intervals hold when a column is missing that no training row lacked? Prints a table for each data set.

``python benchmarks/gaps.py [FOLDER]``; FOLDER holds the tables, ../shared/data by default. Boosted trees and a ridge
regression stand for the models: what is measured is how intervals are widened, which all models share.
"""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from dlreg_core.cleaning import fit_cleaner
from dlreg_core.evaluation.conformal import calibrate
from dlreg_core.ingest.datasets.dataset_files import read_dataset
from dlreg_core.specs import Cleaning, ColumnType, Recipe, Split
from dlreg_core.splitting import prepare_table
from dlreg_core.training.missing_value_intervals import with_gaps, without_values

TABLES = {
    "california_housing.csv": "median_house_value",
    "insurance.csv": "charges",
    "used_cars_cardekho.csv": "selling_price",
    "wine_white.csv": "quality",
    "uci/concrete/data.csv": "target",
    "uci/power/data.csv": "target",
}
SEEDS = 3


class Few:
    """A pipeline of two plain models, with the cleaning of the program."""

    def __init__(self, cleaner: Any, models: dict[str, Any]) -> None:
        self.schema, self._cleaner, self._models = cleaner.schema_, cleaner, models

    def predict_all(self, rows: Any, names: tuple[str, ...]) -> dict[str, np.ndarray[Any, Any]]:
        """Return the predictions of some models."""
        cleaned = numbers(self._cleaner.transform(rows.reset_index(drop=True)))
        return {name: np.asarray(self._models[name].predict(cleaned), dtype=np.float64) for name in names}


def numbers(cleaned: Any) -> Any:
    """Leave categories out, but for the codes of their levels: it is gaps that are looked at, not the models."""
    return cleaned.select_dtypes("number")


def measured(path: Path, target: str, seed: int) -> list[tuple[str, str, float, float, float, float]]:
    """Return by model and column: coverage without the column, before and after widening, complete, and the factor."""
    dataset, frame = read_dataset(path)
    features = tuple(
        c.name for c in dataset.columns if c.name != target and c.type in (ColumnType.NUMBER, ColumnType.CATEGORY)
    )
    recipe = Recipe(target=target, features=features, split=Split(kind="random", seed=seed, choose_by="holdout"))
    table = prepare_table(dataset, frame, recipe)
    cleaner = fit_cleaner(table.taught, table.types, Cleaning(), table.day_first)
    learned = numbers(cleaner.transform(table.train.reset_index(drop=True)))
    models = {
        "trees": HistGradientBoostingRegressor(random_state=seed).fit(learned, table.y_train),
        "ridge": make_pipeline(StandardScaler(), RidgeCV(np.logspace(-3, 3, 7))).fit(learned, table.y_train),
    }
    pipeline: Any = Few(cleaner, models)
    names = tuple(models)
    held_out = pipeline.predict_all(table.validation, names)
    least = float(min(table.y_train.min(), table.y_validation.min()))
    intervals = {name: calibrate(table.y_validation, held_out[name], least=least) for name in names}
    wide = with_gaps(pipeline, intervals, held_out, table, first="trees", seconds=1e9, seed=seed)
    found = []
    whole = pipeline.predict_all(table.test, names)
    columns = [field.name for field in cleaner.schema_.fields if field.complete and field.type is ColumnType.NUMBER]
    pairs: list[tuple[str, ...]] = [(column,) for column in columns]
    strongest = sorted(columns, key=lambda c: -wide["trees"].gaps[c])[:2]
    pairs += [tuple(strongest)] if len(strongest) == 2 else []
    for lost in pairs:
        rows = table.test
        for column in lost:
            rows = without_values(rows, column)
        guesses = pipeline.predict_all(rows, names)
        missing = {column: np.ones(len(rows), dtype=np.bool_) for column in lost}
        for name in names:
            factors = wide[name].factors_of(missing, len(rows))
            shares = [
                _held(table.y_test, *intervals[name].bounds(whole[name])),
                _held(table.y_test, *intervals[name].bounds(guesses[name])),
                _held(table.y_test, *wide[name].bounds(guesses[name], factors)),
            ]
            found.append((name, " + ".join(lost), *shares, float(factors[0] / wide[name].factor)))
    return found


def _held(actual: Any, low: Any, high: Any) -> float:
    return float(np.mean((low <= actual) & (actual <= high)))


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2] / "shared" / "data"
    print("| table | model | column missing | complete | before | widened | times as wide |")
    print("|---|---|---|---|---|---|---|")
    spread = SimpleNamespace(before=[], after=[])
    for name, target in TABLES.items():
        every: dict[tuple[str, str], list[tuple[float, ...]]] = {}
        for seed in range(SEEDS):
            for model, lost, *figures in measured(folder / name, target, seed):
                every.setdefault((model, lost), []).append(tuple(figures))
        for (model, lost), figures in sorted(every.items()):
            if len(figures) < SEEDS:
                continue
            whole, before, after, times = np.mean(figures, axis=0)
            spread.before.append(before)
            spread.after.append(after)
            # Columns that hardly matter are counted, and not listed.
            if times >= 1.2:
                label = name.removesuffix(".csv").removesuffix("/data")
                print(
                    f"| {label} | {model} | {lost} | {whole:.3f} | {before:.3f} | {after:.3f} | {times:.2f} |",
                    flush=True,
                )
    for word, shares in (("before", spread.before), ("widened", spread.after)):
        low, middle, high = np.quantile(shares, [0, 0.5, 1])
        print(f"{word}: {low:.3f} to {high:.3f}, half of {len(shares)} below {middle:.3f}")


if __name__ == "__main__":
    main()
