"""The bootstrap of means, fast enough for hundreds of thousands of rows."""

from __future__ import annotations

import numpy as np

from dlreg_core.evaluation.arrays import FloatArray

MOST_GROUPS = 10_000
_DRAWS_AT_ONCE = 2_000_000


def resampled_means(columns: FloatArray, *, samples: int, seed: int) -> FloatArray:
    """Draw rows with replacement and return the mean of each column, again and again.

    The columns of one draw come from the same rows, so that their means can be compared as pairs.

    Parameters
    ----------
    columns : ndarray of shape (n, k)
        A line a row of the sample.
    samples : int
        How many times to draw.
    seed : int
        Seed of the draws.

    Returns
    -------
    ndarray of shape (samples, k)

    Notes
    -----
    The nonparametric bootstrap of Efron & Tibshirani (1993), *An Introduction to the Bootstrap*. Above `MOST_GROUPS`
    rows it draws groups of rows that chance put together (random groups: Wolter 2007, *Introduction to Variance
    Estimation*, ch. 2). The mean of such a draw has the same variance and skewness in expectation, at a cost that no
    longer grows with the rows; 10,000 groups know the width of an interval to about 1 %.
    """
    if samples < 1:
        raise ValueError("the bootstrap needs at least one sample")
    rng = np.random.default_rng(seed)
    sums, sizes = _grouped(columns, rng)
    groups = len(sizes)
    means = np.empty((samples, columns.shape[1]))
    step = max(1, _DRAWS_AT_ONCE // groups)
    for start in range(0, samples, step):
        drawn = rng.integers(0, groups, size=(min(step, samples - start), groups))
        rows = sizes[drawn].sum(axis=1)
        for k in range(columns.shape[1]):
            means[start : start + step, k] = sums[:, k][drawn].sum(axis=1) / rows
    return means


def _grouped(columns: FloatArray, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Return the sums and the sizes of the groups that are drawn: single rows where there are few."""
    rows = len(columns)
    if rows <= MOST_GROUPS:
        return columns, np.ones(rows)
    # Neighbouring rows may be alike (a table sorted by time): groups by chance keep them apart.
    shuffled = columns[rng.permutation(rows)]
    starts = np.linspace(0, rows, MOST_GROUPS, endpoint=False).astype(np.intp)
    return np.add.reduceat(shuffled, starts, axis=0), np.diff(np.append(starts, rows)).astype(np.float64)
