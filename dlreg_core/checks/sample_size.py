"""Would more rows help? The error of a quick model as it learns from growing shares of the training rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.checks.probe_model import quick_errors
from dlreg_core.specs import Cleaning, Interval
from dlreg_core.splitting import PreparedTable

SHARES = (0.125, 0.25, 0.5, 1.0)
_MOST_TRAIN, _MOST_TEST = 10_000, 3_000
_FEWEST = 20
_DRAWS = 500
_REPEATS = 3
_HELPS = 0.03
"""Part of the error that doubling the rows must take away, beyond doubt, before more rows are said to help."""


@dataclass(frozen=True)
class RowNeeds:
    """The error of a quick model by the number of rows that it learned from.

    Attributes
    ----------
    rows : tuple of int
        Training rows, growing.
    errors : tuple of float
        Mean absolute error on the test rows after each, in target units.
    by_doubling : float
        The part of the error that twice as many rows are expected to take away (0.05: 5 %); negative where more rows
        made it worse.
    interval : Interval
        Its 95 % bootstrap interval, over the test rows and over the draws of the smaller shares.
    """

    rows: tuple[int, ...]
    errors: tuple[float, ...]
    by_doubling: float
    interval: Interval

    @property
    def helps(self) -> bool:
        """True where more rows of the same kind can be expected to make predictions clearly better."""
        return self.interval.low > 0 and self.by_doubling >= _HELPS


def row_needs(prepared: PreparedTable, cleaning: Cleaning, seed: int = 0) -> RowNeeds | None:
    """Learn from growing shares of the rows.

    Parameters
    ----------
    prepared : PreparedTable
        The rows of a recipe; of more than 10,000 training rows or 3,000 test rows, so many random ones are taken.
    cleaning : Cleaning
        Its repairs.
    seed : int
        Which rows are taken.

    Returns
    -------
    RowNeeds or None
        None where an eighth of the training rows would be fewer than 20.

    Notes
    -----
    Learning curves of this kind fall as a power of the rows over wide ranges (Hestness et al. 2017, "Deep Learning
    Scaling is Predictable, Empirically"): the expectation is a straight line through the logarithms of the last three
    errors. Each of the smaller shares is drawn three times.
    """
    rng = np.random.default_rng([seed, 4])
    train = pd.concat([prepared.train, prepared.validation])
    y_train = np.concatenate([prepared.y_train, prepared.y_validation])
    order = rng.permutation(len(train))[:_MOST_TRAIN]
    judged = np.sort(rng.permutation(len(prepared.test))[:_MOST_TEST])
    if len(order) * SHARES[0] < _FEWEST or not len(judged):
        return None
    test, y_test = prepared.test.iloc[judged], prepared.y_test[judged]
    errors, counts = [], []
    for share in SHARES:
        counts.append(round(share * len(order)))
        drawn = [np.sort(rng.permutation(order)[: counts[-1]]) for _ in range(_REPEATS if share < 1 else 1)]
        each = [quick_errors(train.iloc[rows], y_train[rows], test, y_test, prepared.types, cleaning) for rows in drawn]
        errors.append(np.array(each))
    means = np.array([each.mean() for each in errors])
    return RowNeeds(
        rows=tuple(counts),
        errors=tuple(means.tolist()),
        by_doubling=_expected(counts, means),
        interval=_interval(counts, errors, seed),
    )


def _interval(rows: list[int], errors: list[NDArray[np.float64]], seed: int) -> Interval:
    rng = np.random.default_rng([seed, 5])
    found = []
    for _ in range(_DRAWS):
        judged = rng.integers(0, errors[0].shape[1], errors[0].shape[1])
        means = [each[rng.integers(0, len(each), len(each))][:, judged].mean() for each in errors]
        found.append(_expected(rows, np.array(means)))
    low, high = np.quantile(found, [0.025, 0.975])
    return Interval(low=float(low), high=float(high))


def _expected(rows: list[int], errors: NDArray[np.float64]) -> float:
    last = np.maximum(errors[-3:], np.finfo(float).tiny)
    slope = np.polyfit(np.log(rows[-3:]), np.log(last), 1)[0]
    return float(1 - 2.0**slope)
