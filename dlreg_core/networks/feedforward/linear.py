"""The linear path of feed-forward networks: a straight way from the inputs to the target, beside the layers.

What layers of units learn of a linear relation they learn slowly and in pieces. A path of its own (Cheng et al. 2016,
*Wide & deep learning for recommender systems*) has it at once: it is solved for by ridge regression, and the layers are
taught what it leaves. Where relations bend, that makes their task no easier: the path is there only where a line tells
as much as trees do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_INPUTS = 1_000
"""With more inputs, solving for the path would take longer than epochs do."""

_STRENGTHS = np.logspace(-4, 4, 9)
"""Ridge penalties that the validation rows choose from, relative to the mean eigenvalue of the inputs."""

_PIECE = 20_000
_ROWS_OF_TREES = 10_000
_TREES, _LEAVES, _FEWEST_IN_LEAF = 100, 15, 10

Array = NDArray[np.float64]
Single = NDArray[np.float32]


@dataclass(frozen=True)
class LinearPath:
    """A straight line from inputs to the standardised target.

    Attributes
    ----------
    weights : ndarray, shape (inputs,)
        Slope of each input.
    intercept : float
        Where all inputs are zero.
    """

    weights: Array
    intercept: float

    def predicted(self, straight: Single) -> Array:
        """Return its part of the prediction, shape (rows,)."""
        return np.asarray(straight @ self.weights + self.intercept, dtype=np.float64)


def linear_path(straight: Single, target: Array, held: Single, held_target: Array) -> LinearPath | None:
    """Solve for the linear path by ridge regression (Hoerl & Kennard 1970).

    Parameters
    ----------
    straight, target : ndarray, shapes (rows, inputs) and (rows,)
        Training rows; see `Encoded`.
    held, held_target : ndarray, shapes (validation rows, inputs) and (validation rows,)
        Validation rows, which choose the penalty.

    Returns
    -------
    LinearPath or None
        None where there are no inputs or more than `MOST_INPUTS`, or where a line tells no more than the mean does.
    """
    inputs = straight.shape[1]
    if not 0 < inputs <= MOST_INPUTS or not len(held):
        return None
    centre, middle = straight.mean(axis=0, dtype=np.float64), float(target.mean())
    gram, moment = np.zeros((inputs, inputs)), np.zeros(inputs)
    # Summed up in pieces: a copy of all rows in double precision would take twice their memory.
    for start in range(0, len(straight), _PIECE):
        rows = straight[start : start + _PIECE] - centre
        gram += rows.T @ rows
        moment += rows.T @ (target[start : start + _PIECE] - middle)
    # All penalties share one decomposition of the inputs.
    spread, axes = np.linalg.eigh(gram)
    spread, turned = np.maximum(spread, 0.0), axes.T @ moment
    penalties = _STRENGTHS * max(float(spread.mean()), np.finfo(np.float64).tiny)
    seen, left = (held - centre) @ axes, held_target - middle
    errors = [float(np.mean((left - seen @ (turned / (spread + penalty))) ** 2)) for penalty in penalties]
    best = int(np.argmin(errors))
    if errors[best] >= float(np.mean(left**2)):
        return None
    weights = axes @ (turned / (spread + penalties[best]))
    return LinearPath(weights, middle - float(centre @ weights))


def bends(
    path: LinearPath,
    straight: Single,
    codes: NDArray[np.int64],
    target: Array,
    held: Single,
    held_codes: NDArray[np.int64],
    held_target: Array,
) -> bool:
    """Tell whether quick boosted trees predict the validation rows better than the path does.

    Parameters
    ----------
    path : LinearPath
        The line.
    straight, codes, target : ndarray
        Training rows; the trees learn from 10,000 of them at most.
    held, held_codes, held_target : ndarray
        Validation rows.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    few = np.linspace(0, len(target) - 1, min(len(target), _ROWS_OF_TREES)).astype(np.int64)
    trees = HistGradientBoostingRegressor(
        max_iter=_TREES, max_leaf_nodes=_LEAVES, min_samples_leaf=_FEWEST_IN_LEAF, early_stopping=False, random_state=0
    )
    # Beside other trainings, threads that wait for each other take many times as long as one.
    with threadpool_limits(1):
        trees.fit(np.hstack([straight[few], codes[few]]), target[few])
        told = trees.predict(np.hstack([held, held_codes]))
    return bool(np.mean((held_target - told) ** 2) < np.mean((held_target - path.predicted(held)) ** 2))
