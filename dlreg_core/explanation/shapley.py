"""Shapley values of raw columns, in the unit of the target.

The value of a coalition is the mean prediction when its columns come from the row and all others from background rows
(the interventional value function of Lundberg & Lee 2017). Up to nine columns all coalitions are enumerated, which is
exact for the given background; above, the values are averaged over antithetic pairs of permutations, each with its
reverse (Mitchell et al. 2022, Sampling Permutations for Shapley Value Estimation). Whole raw columns are exchanged,
before any cleaning, so that a category or a date is one feature.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.explanation.sizing import ExplainSizes
from dlreg_core.runs.results import Explanation
from dlreg_core.specs import ExplainResult

if TYPE_CHECKING:
    import shap

Predict = Callable[[pd.DataFrame], NDArray[np.float64]]
_CHUNK_ROWS = 50_000


def explain(
    predict: Predict,
    data: pd.DataFrame,
    background: pd.DataFrame,
    sizes: ExplainSizes,
    *,
    model: str,
    active: tuple[str, ...],
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Explanation:
    """Explain predictions.

    Parameters
    ----------
    predict : callable
        From raw rows to predictions, shape (rows,).
    data, background : pandas.DataFrame
        Raw rows to explain, with their row numbers as index, and raw rows that stand for "not known".
    sizes : ExplainSizes
        ``permutations`` decides between exact and sampled; the rows must already have been chosen.
    model : str
        Name of the model, for the record.
    active : tuple of str
        Columns that the model uses; the others get zero without a prediction being spent on them.
    seed : int
        Seed of the permutations.
    progress : callable, optional
        Called with the share done.

    Returns
    -------
    Explanation
    """
    start = time.perf_counter()
    columns = [c for c in data.columns if c in active]
    design = _design(len(data), len(columns), sizes.permutations, seed)
    worth = _worths(predict, data, background, columns, design, progress)
    if sizes.permutations == 0:
        phi = _exact(worth.reshape(len(data), -1), len(columns))
        error = np.zeros_like(phi)
    else:
        phi, error = _sampled(worth, design)
    values = pd.DataFrame(0.0, index=range(len(data)), columns=list(data.columns))
    values[columns] = phi
    result = ExplainResult(
        model=model,
        rows=len(data),
        background=len(background),
        permutations=sizes.permutations,
        evaluations=len(design.masks) * len(background),
        base_value=float(worth[~design.masks.any(axis=1)].mean()),
        seconds=time.perf_counter() - start,
        relative_error=_relative_error(phi, error),
    )
    rows = data.index.to_numpy(dtype=np.int64)
    return Explanation(values, data.reset_index(drop=True), worth[design.masks.all(axis=1)], rows, result)


@dataclass(frozen=True)
class _Design:
    """The coalitions to evaluate, each once for a row.

    ``masks`` (coalitions, features) is True where a column comes from the row ``of_row``; ``orders`` (rows, 2 * pairs,
    features) holds the permutations and ``chains`` (rows, 2 * pairs, features + 1) where in ``masks`` the coalitions on
    their way stand. Both are empty where all coalitions are enumerated.
    """

    masks: NDArray[np.bool_]
    of_row: NDArray[np.int64]
    orders: NDArray[np.int64]
    chains: NDArray[np.int64]


def _design(rows: int, features: int, permutations: int, seed: int) -> _Design:
    none = np.empty((rows, 0, 0), dtype=np.int64)
    if permutations == 0:
        every = (np.arange(2**features)[:, None] >> np.arange(features)) & 1 == 1
        return _Design(np.tile(every, (rows, 1)), np.repeat(np.arange(rows), len(every)), none, none)
    rng = np.random.default_rng(seed)
    masks, of_row, orders, chains, first = [], [], [], [], 0
    for row in range(rows):
        mine = _antithetic(rng, features, permutations)
        unique, places = np.unique(np.concatenate([_chain(order) for order in mine]), axis=0, return_inverse=True)
        masks.append(unique)
        of_row.append(np.full(len(unique), row))
        orders.append(np.array(mine))
        chains.append(first + places.reshape(len(mine), features + 1))
        first += len(unique)
    return _Design(np.concatenate(masks), np.concatenate(of_row), np.array(orders), np.array(chains))


def _antithetic(rng: np.random.Generator, features: int, pairs: int) -> list[NDArray[np.int64]]:
    """Return `pairs` random orders, each followed by its reverse."""
    orders = []
    for _ in range(pairs):
        order = rng.permutation(features)
        orders += [order, order[::-1]]
    return orders


def _chain(order: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return the coalitions on the way from nothing to everything, shape (features + 1, features)."""
    rank = np.argsort(order)
    return np.arange(len(order) + 1)[:, None] > rank[None, :]


def _worths(
    predict: Predict,
    data: pd.DataFrame,
    background: pd.DataFrame,
    columns: list[str],
    design: _Design,
    progress: Callable[[float], None] | None,
) -> NDArray[np.float64]:
    """Return the mean prediction of each coalition over the background, in large batches."""
    pool = pd.concat([data, background], ignore_index=True)
    size = len(background)
    step = max(1, _CHUNK_ROWS // size)
    worth = np.empty(len(design.masks))
    for first in range(0, len(design.masks), step):
        part = slice(first, min(first + step, len(design.masks)))
        count = part.stop - part.start
        from_row = np.repeat(design.of_row[part], size)
        from_background = len(data) + np.tile(np.arange(size), count)
        taken = dict.fromkeys(data.columns, from_background)
        for place, column in enumerate(columns):
            taken[column] = np.where(np.repeat(design.masks[part, place], size), from_row, from_background)
        mixed = pd.DataFrame({c: pool[c].array.take(index) for c, index in taken.items()})
        worth[part] = predict(mixed).reshape(count, size).mean(axis=1)
        if progress is not None:
            progress(part.stop / len(design.masks))
    return worth


def _exact(worth: NDArray[np.float64], features: int) -> NDArray[np.float64]:
    """Return Shapley values from the worth of all coalitions, shape (rows, 2 ** features)."""
    codes = np.arange(2**features)
    sizes = np.array([bin(code).count("1") for code in codes])
    phi = np.empty((len(worth), features))
    for feature in range(features):
        without = codes[(codes >> feature) & 1 == 0]
        weights = np.array([1 / (features * comb(features - 1, int(s))) for s in sizes[without]])
        phi[:, feature] = (worth[:, without | (1 << feature)] - worth[:, without]) @ weights
    return phi


def _sampled(worth: NDArray[np.float64], design: _Design) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Shapley values and their standard errors from the permutations, each of shape (rows, features)."""
    gains = np.diff(worth[design.chains], axis=2)
    by_feature = np.empty_like(gains)
    np.put_along_axis(by_feature, design.orders, gains, axis=2)
    # An order and its reverse are one observation.
    rows, count, features = by_feature.shape
    pairs = by_feature.reshape(rows, count // 2, 2, features).mean(axis=2)
    spread = pairs.std(axis=1, ddof=1) if count > 2 else np.full((rows, features), np.nan)
    return pairs.mean(axis=1), spread / np.sqrt(count // 2)


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
