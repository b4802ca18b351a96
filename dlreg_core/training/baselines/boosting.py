"""Gradient-boosted trees: what a network has to beat to be worth its cost.

They are CatBoost's (Prokhorenkova et al. 2018, *CatBoost: unbiased boosting with categorical features*) at their
defaults: nothing is tuned, so that nobody can tune them too little or too much. Only where there is no time for one fit
with all the trees there are fewer, and then nothing is said to be better than them.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder

from dlreg_core.training.planning.cost_model import BOOSTED_ITERATIONS, STRETCH

FEWEST_ITERATIONS = 30
"""Fewer trees are no reference for anything."""

_LOG = logging.getLogger(__name__)
_PILOT_ITERATIONS = 10
_PILOT_SHARE = 0.25
_NEVER_SEEN, _MISSING = -1, -2
_SOURCE = re.compile(r"^'?\S+\.(cpp|h|pyx):\d+: ")

Made = TypeVar("Made")


def boosted_trees(features: pd.DataFrame, iterations: int, *, seed: int, threads: int) -> Pipeline:
    """Return boosted trees that are yet to be fitted on rows with the columns of `features`.

    Numbers and their gaps are left as they are, and categories are marked as such: CatBoost has its own way with both.
    The pipeline is made of scikit-learn's and CatBoost's classes alone, so that a model file needs no others.

    Parameters
    ----------
    features : pandas.DataFrame
        Cleaned rows; of texts, their figures are numbers already.
    iterations : int
        How many trees to grow. CatBoost takes the learning rate from them and from the number of rows.
    seed : int
        Seed of everything that is random.
    threads : int
        Processor threads; the trees are the same whatever their number.
    """
    # Imported here: it isn't needed to know that there are boosted trees, or to say why there are none.
    from catboost import CatBoostRegressor

    numbers = list(features.select_dtypes("number").columns)
    levels = list(features.select_dtypes("category").columns)
    codes = OrdinalEncoder(
        handle_unknown="use_encoded_value",
        unknown_value=_NEVER_SEEN,
        encoded_missing_value=_MISSING,
        dtype=np.int64,
    )
    columns = ColumnTransformer([("numbers", "passthrough", numbers), ("levels", codes, levels)])
    columns.set_output(transform="pandas")
    model = CatBoostRegressor(
        iterations=iterations,
        random_seed=seed,
        thread_count=threads,
        cat_features=list(range(len(numbers), len(numbers) + len(levels))),
        # It would write its progress into the working directory.
        allow_writing_files=False,
        logging_level="Silent",
    )
    return make_pipeline(columns, model)


def affordable_iterations(
    features: pd.DataFrame, target: NDArray[np.float64], seconds: float, *, seed: int, threads: int
) -> int:
    """Return how many trees fit into a number of seconds, measured by growing a few.

    All of them do if they take half as long again at most: what is judged by them is worth more.

    Parameters
    ----------
    features, target
        The rows that will be fitted.
    seconds : float
        Seconds for the fit together with this measurement.
    seed, threads : int
        As in `boosted_trees`.

    Returns
    -------
    int
        From `FEWEST_ITERATIONS` to CatBoost's default.
    """
    clock = _Clock(seconds * _PILOT_SHARE)
    model = boosted_trees(features, _PILOT_ITERATIONS, seed=seed, threads=threads)
    model.fit(features, target, catboostregressor__callbacks=[clock])
    # The first tree comes with reading and binning the values; the others take about as long as each other, unless
    # something else has kept the machine from one of them.
    first, count = clock.times[0], len(clock.times)
    tree = max(1e-6, float(np.median(np.diff(clock.times))) if count > 1 else first)
    used = time.perf_counter() - clock.start + max(0.0, first - tree)
    if used + BOOSTED_ITERATIONS * tree <= STRETCH * seconds:
        return BOOSTED_ITERATIONS
    return int(min(BOOSTED_ITERATIONS, max(FEWEST_ITERATIONS, (seconds - used) / tree)))


def made_or_reason(what: str, make: Callable[[], Made]) -> tuple[Made | None, str]:
    """Return what `make` makes, or None and the reason for a person where it can't be made.

    A simple model is there to be compared with: whatever goes wrong with one, the networks go on without it.
    """
    try:
        return make(), ""
    except Exception as exc:  # noqa: BLE001 - see above; it stands in the log
        _LOG.warning("%s could not be fitted", what, exc_info=True)
        return None, _reason(what, exc)


def _reason(what: str, error: Exception) -> str:
    # CatBoost's messages begin with the place in its own sources.
    text = _SOURCE.sub("", str(error).strip().partition("\n")[0]).strip("'. ")
    return f"{what} could not be fitted: {text or type(error).__name__}."


class _Clock:
    """Notes when each tree was done, in seconds since it was made, and ends what takes too long."""

    def __init__(self, seconds: float) -> None:
        self.start = time.perf_counter()
        self.seconds = seconds
        self.times: list[float] = []

    def after_iteration(self, info: object) -> bool:
        """Return whether to go on; CatBoost calls this after each tree."""
        del info
        self.times.append(time.perf_counter() - self.start)
        return self.times[-1] < self.seconds
