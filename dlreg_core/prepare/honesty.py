"""Would a random split flatter the models? The same quick model, judged on a random and on an honest split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.prepare.near import near_copies
from dlreg_core.prepare.quick_model import quick_errors
from dlreg_core.prepare.tables import PreparedTable, prepare_table
from dlreg_core.specs import Dataset, Interval, Recipe, Split

HonestKind = Literal["time", "group", "twins"]
MOST_ROWS = 10_000
_DRAWS = 500
_TINY = float(np.finfo(float).tiny)
_CLEAR = 1.05
"""By so much the honest error must be larger, beyond doubt, before the random split is called flattering."""


@dataclass(frozen=True)
class SplitHonesty:
    """What a quick model gets on a random split and on an honest one.

    Attributes
    ----------
    kind : {"time", "group", "twins"}
        By time, by group, or with near twins on one side.
    column : str
        What the honest split goes by; empty for twins.
    random_error, honest_error : float
        Mean absolute error on the test rows of each, in target units.
    times : float
        How many times larger the honest error is.
    interval : Interval
        Its 95 % bootstrap interval over the test rows; of groups or twins, over those.
    rows : int
        Rows that were looked at.
    """

    kind: HonestKind
    column: str
    random_error: float
    honest_error: float
    times: float
    interval: Interval
    rows: int

    @property
    def flatters(self) -> bool:
        """True where a random split makes the models look clearly better than they will be."""
        return self.interval.low > 1 and self.times >= _CLEAR


def split_honesty(
    dataset: Dataset, table: pd.DataFrame, recipe: Recipe, kind: HonestKind, column: str = ""
) -> SplitHonesty:
    """Compare a random split with one by time or group, or with one that keeps near twins on one side.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows; of more than 10,000, so many random ones are looked at.
    recipe : Recipe
        Target, features and repairs; its split gives the shares and the seed.
    kind : {"time", "group", "twins"}
        The honest split.
    column : str
        What it goes by; nothing for twins.

    Raises
    ------
    RecipeError
        If one of the splits isn't possible.
    """
    if len(table) > MOST_ROWS:
        table = table.sample(MOST_ROWS, random_state=recipe.split.seed).sort_index()
    shares = {"train": recipe.split.train, "validation": recipe.split.validation, "test": recipe.split.test}
    if recipe.split.kind == "own":
        shares = {}
    seed = recipe.split.seed
    fair = Split(seed=seed, keep_twins=True, **shares) if kind == "twins" else Split(kind=kind, column=column, **shares)
    found = []
    for split in (Split(seed=seed, **shares), fair):
        # Of rows that are drawn at random, and of a split by chance, earlier rows say nothing.
        prepared = prepare_table(dataset, table, recipe.model_copy(update={"split": split, "history": None}))
        found.append((_errors(prepared, recipe), _alike(table, prepared, kind, column)))
    (random, _), (honest, groups) = found
    return SplitHonesty(
        kind=kind,
        column=column,
        random_error=float(random.mean()),
        honest_error=float(honest.mean()),
        times=float(honest.mean() / max(float(random.mean()), _TINY)),
        interval=_interval(honest, random, groups),
        rows=len(table),
    )


def _errors(prepared: PreparedTable, recipe: Recipe) -> NDArray[np.float64]:
    train = pd.concat([prepared.train, prepared.validation])
    y_train = np.concatenate([prepared.y_train, prepared.y_validation])
    return quick_errors(train, y_train, prepared.test, prepared.y_test, prepared.types, recipe.cleaning)


def _alike(table: pd.DataFrame, prepared: PreparedTable, kind: HonestKind, column: str) -> NDArray[np.int64] | None:
    """Return a number for each test row, the same for those that belong together; None where each stands for itself."""
    if kind == "twins":
        return near_copies(prepared.test, prepared.types, prepared.day_first)
    if kind == "time":
        return None
    codes, _ = pd.factorize(table[column].iloc[prepared.rows_test])
    return codes.astype(np.int64)


def _interval(honest: NDArray[np.float64], random: NDArray[np.float64], groups: NDArray[np.int64] | None) -> Interval:
    """Return the interval of the ratio of the means; rows of a group are alike, so that whole groups are drawn."""
    rng = np.random.default_rng(0)
    names = np.arange(len(honest)) if groups is None else groups
    sums, sizes = np.bincount(names, honest), np.bincount(names)
    drawn = []
    for _ in range(_DRAWS):
        chosen = rng.integers(0, len(sums), len(sums))
        other = random[rng.integers(0, len(random), len(random))].mean()
        drawn.append(sums[chosen].sum() / max(1, sizes[chosen].sum()) / max(other, _TINY))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(low=float(low), high=float(high))
