"""Shapley values of raw columns, in the unit of the target, with what they may be off by.

The value of a coalition is the mean prediction when its columns come from the row and all others from background rows
(the interventional value function of Lundberg & Lee 2017). The background stands for all rows: which of them it holds
is mostly what the values are off by. So each antithetic pair of permutations, an order and its reverse (Mitchell et al.
2022, Sampling Permutations for Shapley Value Estimation), meets background rows of its own, as a rule a single one: for
as many predictions that is the most exact, and the spread of the pairs holds both kinds of luck. Of very few columns
all coalitions are enumerated. Whole raw columns are exchanged, before any cleaning, so that a category or a date is one
feature.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.explanation.explanation_cost import ExplainSizes
from dlreg_core.runs import Explanation
from dlreg_core.specs import ExplainResult

if TYPE_CHECKING:
    import shap

Predict = Callable[[pd.DataFrame], NDArray[np.float64]]
_CHUNK_ROWS = 50_000
_BLOCK = 1_000_000
"""Predictions that are held in memory at once."""


def explain(  # noqa: PLR0913 - what an explanation depends on
    predict: Predict,
    data: pd.DataFrame,
    background: pd.DataFrame,
    sizes: ExplainSizes,
    *,
    model: str,
    active: tuple[str, ...],
    seed: int = 0,
    population: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Explanation:
    """Explain predictions.

    Parameters
    ----------
    predict : callable
        From raw rows to predictions, shape (rows,).
    data, background : pandas.DataFrame
        Raw rows to explain, with their row numbers as index, and raw rows that stand for "not known", in the order of
        their targets.
    sizes : ExplainSizes
        ``permutations`` decides between exact and sampled; the rows must already have been chosen.
    model : str
        Name of the model, for the record.
    active : tuple of str
        Columns that the model uses; the others get zero without a prediction being spent on them.
    seed : int
        Seed of the permutations.
    population : int
        Of how many rows the background was drawn; 0 for very many.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    Explanation
    """
    start = time.perf_counter()
    asked = _Asked(predict, data, background, [c for c in data.columns if c in active])
    pairs = _pairs(len(background), sizes.permutations)
    parts = []
    step = max(1, _BLOCK // max(1, asked.evaluations(pairs)))
    for first in range(0, len(data), step):
        rows = np.arange(first, min(first + step, len(data)))
        orders = _orders(rows, pairs, len(asked.columns), seed)
        parts.append(_exact(asked, rows) if orders is None else _sampled(asked, rows, orders))
        if progress is not None:
            progress((rows[-1] + 1) / len(data))
    phi, error = (np.concatenate(found) for found in zip(*parts, strict=True))
    used = len(background) if pairs is None else pairs[0] * pairs[1] if pairs[2] == 1 else len(background)
    if pairs is None:
        # Of all the rows that it stands for there is nothing more to be known.
        error = error * np.sqrt(max(0.0, 1 - len(background) / population)) if population else error
    values = pd.DataFrame(0.0, index=range(len(data)), columns=list(data.columns))
    values[asked.columns] = phi
    base = asked.of_background[:used]
    result = ExplainResult(
        model=model,
        rows=len(data),
        background=used,
        permutations=sizes.permutations,
        evaluations=asked.asked,
        base_value=float(base.mean()),
        seconds=time.perf_counter() - start,
        relative_error=_relative_error(phi, error),
    )
    numbers = data.index.to_numpy(dtype=np.int64)
    return Explanation(values, data.reset_index(drop=True), asked.of_rows, numbers, result)


class _Asked:
    """The predictions that an explanation asks for.

    ``of_rows`` are those of the rows themselves, ``of_background`` those of the background rows; `asked` counts all.
    """

    def __init__(self, predict: Predict, data: pd.DataFrame, background: pd.DataFrame, columns: list[str]) -> None:
        self._predict = predict
        self._pool = pd.concat([data, background], ignore_index=True)
        self._first = len(data)
        self.columns = columns
        self.background = len(background)
        self.asked = 0
        known = self.mixed(np.arange(len(self._pool)), np.zeros(len(self._pool), dtype=np.int64), None)
        self.of_rows, self.of_background = known[: self._first], known[self._first :]

    def evaluations(self, pairs: _Pairs | None) -> int:
        """Return the predictions for one row, besides its own."""
        count = len(self.columns)
        return self.background * 2**count if pairs is None else pairs[0] * pairs[1] * pairs[2] * 2 * max(1, count - 1)

    def mixed(
        self, rows: NDArray[np.int64], background: NDArray[np.int64], taken: Callable[[int], NDArray[np.bool_]] | None
    ) -> NDArray[np.float64]:
        """Return the predictions for rows of which some columns are those of background rows.

        Parameters
        ----------
        rows, background : ndarray of int64
            Places of the rows, and of the background rows.
        taken : callable, optional
            For the place of a column: where it comes from the row. All do where it is None.
        """
        self.asked += len(rows)
        found = self._pool.iloc[rows]
        if taken is not None:
            other = self._first + background
            places = {column: np.where(taken(place), rows, other) for place, column in enumerate(self.columns)}
            found = pd.DataFrame({c: self._pool[c].array.take(places.get(c, other)) for c in self._pool.columns})
        return np.asarray(self._predict(found.reset_index(drop=True)), dtype=np.float64)


_Pairs = tuple[int, int, int]
"""Pairs of permutations that have background rows of their own, how many rows each, and how many pairs share these."""


def _pairs(background: int, permutations: int) -> _Pairs | None:
    """Share the background rows out to the pairs of permutations; None where all coalitions are enumerated."""
    if permutations == 0:
        return None
    own = min(permutations, background)
    return own, background // own, max(1, permutations // background)


def _orders(rows: NDArray[np.int64], pairs: _Pairs | None, features: int, seed: int) -> NDArray[np.int64] | None:
    """Return random orders, shape (rows, pairs, pairs that share, features); a row's are the same in any block."""
    if pairs is None:
        return None
    each = [np.random.default_rng([seed, int(row)]).random((pairs[0], pairs[2], features)) for row in rows]
    return np.argsort(np.array(each), axis=-1)


def _sampled(
    asked: _Asked, rows: NDArray[np.int64], orders: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Shapley values and their standard errors from antithetic pairs, each of shape (rows, features)."""
    count, own, shared, features = orders.shape
    each = asked.background // own
    both = np.stack([orders, orders[..., ::-1]], axis=3)
    rank = np.argsort(both, axis=-1)
    # Rows, pairs, pairs that share, order or reverse, columns on the way, background rows of the pair.
    shape = (count, own, shared, 2, max(0, features - 1), each)
    worth = np.empty((*shape[:4], features + 1, each))
    # The rows of a pair are spread over the background, whose order is that of the target.
    backgrounds = np.arange(own)[:, None] + own * np.arange(each)
    worth[..., 0, :] = asked.of_background[backgrounds][None, :, None, None, :]
    worth[..., features, :] = asked.of_rows[rows][:, None, None, None, None]
    inner = np.empty(math.prod(shape))
    for first in range(0, len(inner), _CHUNK_ROWS):
        flat = np.arange(first, min(first + _CHUNK_ROWS, len(inner)))
        row, pair, other, turn, step, place = np.unravel_index(flat, shape)

        def taken(column: int, at: tuple[NDArray[np.int64], ...] = (row, pair, other, turn, step)) -> NDArray[np.bool_]:
            return np.asarray(rank[(*at[:4], column)] <= at[4])

        inner[flat] = asked.mixed(rows[row], backgrounds[pair, place], taken)
    worth[..., 1:features, :] = inner.reshape(shape)
    gains = np.diff(worth, axis=4).mean(axis=5)
    by_feature = np.empty_like(gains)
    np.put_along_axis(by_feature, both, gains, axis=4)
    # An order, its reverse and all that meet the same background rows are one observation.
    found = by_feature.mean(axis=(2, 3))
    return found.mean(axis=1), _standard_error(found)


def _exact(asked: _Asked, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Shapley values and their standard errors from all coalitions, each of shape (rows, features)."""
    features = len(asked.columns)
    shape = (len(rows), 2**features, asked.background)
    worth = np.empty(math.prod(shape))
    for first in range(0, len(worth), _CHUNK_ROWS):
        flat = np.arange(first, min(first + _CHUNK_ROWS, len(worth)))
        row, code, place = np.unravel_index(flat, shape)

        def taken(column: int, codes: NDArray[np.int64] = code) -> NDArray[np.bool_]:
            return np.asarray((codes >> column) & 1 == 1)

        worth[flat] = asked.mixed(rows[row], place, taken)
    # One value a background row: their mean is that of the whole background.
    found = np.einsum("fc,rcb->rbf", _weights(features), worth.reshape(shape))
    return found.mean(axis=1), _standard_error(found)


def _weights(features: int) -> NDArray[np.float64]:
    """Return by what the worth of each coalition counts in each feature's value, shape (features, coalitions)."""
    codes = np.arange(2**features)
    sizes = np.array([bin(code).count("1") for code in codes])
    weights = np.zeros((features, len(codes)))
    for feature in range(features):
        without = codes[(codes >> feature) & 1 == 0]
        share = np.array([1 / (features * comb(features - 1, int(size))) for size in sizes[without]])
        weights[feature, without] = -share
        weights[feature, without | (1 << feature)] = share
    return weights


def _standard_error(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the standard error of the mean of observations, shape (rows, observations, features), for each feature.

    Background rows are drawn evenly over the target and stand in its order, so that a trend along it is no luck: what
    counts is how far neighbours differ (Wolter 2007, Introduction to Variance Estimation, section 8.2).
    """
    count = found.shape[1]
    if count < 2:
        return np.full((len(found), found.shape[2]), np.nan)
    apart = np.diff(found, axis=1)
    return np.asarray(np.sqrt((apart**2).sum(axis=1) / (2 * (count - 1)) / count))


def _relative_error(phi: NDArray[np.float64], error: NDArray[np.float64]) -> float | None:
    """Return the typical standard error of the strongest feature's values relative to their mean size."""
    if phi.size == 0:
        return 0.0
    sizes = np.abs(phi).mean(axis=0)
    top = int(sizes.argmax())
    typical = float(np.sqrt((error[:, top] ** 2).mean()))
    if np.isnan(typical):
        return None
    return typical / float(sizes[top]) if sizes[top] > 0 else 0.0


def to_shap(explanation: Explanation) -> shap.Explanation:
    """Return the explanation as the shap library's own object, for its plots and tools."""
    import shap

    return shap.Explanation(
        values=explanation.values.to_numpy(),
        base_values=explanation.result.base_value,
        data=explanation.data.to_numpy(),
        feature_names=[str(c) for c in explanation.values.columns],
    )
