"""NN Torch with AutoGluon's own start and with this program's: error on rows that neither has seen."""

from __future__ import annotations

import tempfile
from contextlib import nullcontext
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from versus import SHARED, geometric, head, rmse

from dlreg_core.cleaning import fit_cleaner
from dlreg_core.ingest.datasets.dataset_store import DatasetStore
from dlreg_core.networks import default_plan, family, network
from dlreg_core.networks.nn_torch import lies_aside
from dlreg_core.pipeline.network_store import fold_folder
from dlreg_core.recipe.parse_recipe import split_from_text
from dlreg_core.specs import Experiment, PlannedFit, Recipe
from dlreg_core.splitting import prepared_of
from dlreg_core.training.execution.fit_records import FitCallbacks
from dlreg_core.training.execution.fold_fit import train_fold
from dlreg_core.training.execution.run_networks import NetworkRows, Networks
from dlreg_core.training.scheduler.fit_jobs import FoldJob

SEEDS = (0, 1)
TABLES = {
    "used_cars_cardekho.csv": ("selling_price", 12, ()),
    "bike_sharing_hour.csv": ("cnt", 10, ("casual", "registered", "instant")),
    "insurance.csv": ("charges", 60, ()),
    "uci/yacht/data.csv": ("target", 60, ()),
    "uci/concrete/data.csv": ("target", 60, ()),
    "california_housing.csv": ("median_house_value", 10, ()),
    "wine_white.csv": ("quality", 15, ()),
    "auto_mpg.csv": ("mpg", 60, ()),
    "uci/energy/data.csv": ("target", 60, ()),
    "uci/power/data.csv": ("target", 15, ()),
}
Test = tuple[pd.DataFrame, NDArray[np.float64]]


def table(name: str, folder: Path) -> tuple[NetworkRows, Test]:
    """Return the rows of a file, cleaned as a run cleans them."""
    target, _, dropped = TABLES[name]
    dataset = DatasetStore(folder, "local").add(SHARED / name, Path(name).name)
    features = tuple(column.name for column in dataset.columns if column.name not in {target, *dropped})
    recipe = Recipe(target=target, features=features, split=split_from_text("random", None, "holdout", 0))
    asked = {"name": name, "dataset_id": dataset.id, "dataset_name": name, "recipe": recipe, "plan": default_plan()}
    parts = prepared_of(folder, Experiment.model_validate(asked))
    cleaner = fit_cleaner(parts.taught, parts.types, recipe.cleaning, parts.day_first)
    held = cleaner.transform(parts.validation), parts.y_validation
    return NetworkRows(cleaner.transform(parts.train), parts.y_train, *held), (
        cleaner.transform(parts.test),
        parts.y_test,
    )


def made_up() -> dict[str, tuple[NetworkRows, Test]]:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(3_000, 4))
    told = values @ [1.0, 0.7, 0.3, 0.0] + 0.3 * rng.normal(size=3_000)
    frame = pd.DataFrame(values, columns=list("abcd"))
    targets = {
        "log-normal": np.exp(2 * told),
        "log-normal, heavier": np.exp(3.2 * told),
        "log-normal, downwards": -np.exp(2 * told),
        "seven in ten are 0": np.maximum(0, np.exp(1.2 * (told - 1)) - 1),
        "one value far off": np.where(np.arange(3_000) == 0, 1e4, told),
    }
    cut = [frame[a:b].reset_index(drop=True) for a, b in ((0, 2_000), (2_000, 2_500), (2_500, 3_000))]
    return {
        name: (NetworkRows(cut[0], y[:2_000], cut[1], y[2_000:2_500]), (cut[2], y[2_500:]))
        for name, y in targets.items()
    }


def errors(rows: NetworkRows, test: Test, epochs: int, *, own: bool) -> list[float]:
    """Return the errors on the test rows, in standard deviations of their target, for each seed."""
    found = []
    for seed in SEEDS:
        with tempfile.TemporaryDirectory() as folder:
            networks = Networks(Path(folder) / "networks", rows)
            settings = family("NN_TORCH").sample_settings(networks.rows, 0)
            fit = PlannedFit(
                model="n", family="NN_TORCH", settings=settings, epochs=epochs, seed=seed, threads=1, device="cpu"
            )
            plain = patch("dlreg_core.networks.nn_torch.well_started", nullcontext)
            with plain if own else nullcontext():
                train_fold(FoldJob(fit, 0, f"{folder}/n"), networks.prepared, FitCallbacks())
            model = network("NN_TORCH").model_class().load(str(fold_folder(Path(folder) / "n", 0)))
            found.append(rmse(test[1], model.predict(networks.shelf.prepared(test[0]))) / float(np.std(test[1])))
    return found


def main() -> None:
    print(head())
    print("| table | epochs | AutoGluon's start | ours | ratio |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        cases = [(name, *table(name, Path(folder)), TABLES[name][1]) for name in TABLES]
    cases += [(name, *parts, 15) for name, parts in made_up().items()]
    for name, rows, test, epochs in cases:
        if not lies_aside(rows.target):
            print(f"| {name} | {epochs} | left as it is | | |", flush=True)
            continue
        before, after = (errors(rows, test, epochs, own=own) for own in (True, False))
        both = [", ".join(f"{value:.3f}" for value in values) for values in (before, after)]
        ratio = geometric([a / b for a, b in zip(after, before, strict=True)])
        print(f"| {name} | {epochs} | {both[0]} | {both[1]} | {ratio:.3f} |", flush=True)


if __name__ == "__main__":
    main()
