"""Would near twins on both sides flatter the models? The same quick model, with and without them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.checks.probe_model import quick_errors
from dlreg_core.specs import Dataset, Interval, Recipe, Split
from dlreg_core.splitting import PreparedTable, near_copies, prepare_table

MOST_ROWS = 10_000
_DRAWS = 500
_TINY = float(np.finfo(float).tiny)
_CLEAR = 1.05
"""By so much the honest error must be larger, beyond doubt, before the random split is called flattering."""


@dataclass(frozen=True)
class TwinsHonesty:
    """What a quick model gets on a random split, and on one with near twins on one side.

    Attributes
    ----------
    random_error, honest_error : float
        Mean absolute error on the test rows of each, in target units.
    times : float
        How many times larger the honest error is.
    interval : Interval
        Its 95 % bootstrap interval over rows and their twins.
    rows : int
        Rows that were looked at.
    """

    random_error: float
    honest_error: float
    times: float
    interval: Interval
    rows: int

    @property
    def flatters(self) -> bool:
        """True where a random split makes the models look clearly better than they will be."""
        return self.interval.low > 1 and self.times >= _CLEAR


def twins_honesty(dataset: Dataset, table: pd.DataFrame, recipe: Recipe) -> TwinsHonesty:
    """Compare a random split with one that keeps near twins on one side.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows; of more than 10,000, so many random ones are looked at.
    recipe : Recipe
        Target, features and repairs; its split gives the shares and the seed.

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
    found = []
    for keep in (False, True):
        split = Split(seed=seed, keep_twins=keep, **shares)
        # Of rows that are drawn at random, and of a split by chance, earlier rows say nothing.
        prepared = prepare_table(dataset, table, recipe.model_copy(update={"split": split, "history": None}))
        alike = near_copies(prepared.test, prepared.types, prepared.day_first)
        found.append((_errors(prepared, recipe), alike))
    (random, _), (honest, twins) = found
    return TwinsHonesty(
        random_error=float(random.mean()),
        honest_error=float(honest.mean()),
        times=float(honest.mean() / max(float(random.mean()), _TINY)),
        interval=_interval(honest, random, twins),
        rows=len(table),
    )


def _errors(prepared: PreparedTable, recipe: Recipe) -> NDArray[np.float64]:
    train = pd.concat([prepared.train, prepared.validation])
    y_train = np.concatenate([prepared.y_train, prepared.y_validation])
    return quick_errors(train, y_train, prepared.test, prepared.y_test, prepared.types, recipe.cleaning)


def _interval(honest: NDArray[np.float64], random: NDArray[np.float64], twins: NDArray[np.int64] | None) -> Interval:
    """Return the interval of the ratio of the means; twins are alike, so that they are drawn together."""
    rng = np.random.default_rng(0)
    names = np.arange(len(honest)) if twins is None else twins
    sums, sizes = np.bincount(names, honest), np.bincount(names)
    drawn = []
    for _ in range(_DRAWS):
        chosen = rng.integers(0, len(sums), len(sums))
        other = random[rng.integers(0, len(random), len(random))].mean()
        drawn.append(sums[chosen].sum() / max(1, sizes[chosen].sum()) / max(other, _TINY))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Interval(low=float(low), high=float(high))
