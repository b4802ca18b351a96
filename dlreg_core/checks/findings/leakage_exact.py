"""Sums and differences of columns that equal a target in (nearly) every row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dlreg_core.array_types import Floats
from dlreg_core.checks.findings.explained_variance import FEWEST_ROWS

_RIGHT = 0.99
"""A sum is exact where it is right in this share of the rows: files have typing errors."""
_RIGHT_PROBES = 0.95
_PROBES = 64
_FIRST_PROBES = 8
_MOST_CHECKED = 200

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ExactSum:
    """Columns that add up to the target.

    Attributes
    ----------
    names : tuple of str
        The columns.
    signs : tuple of int
        1 for what is added, -1 for what is taken away.
    right : float
        The share of the rows in which the sum is right.
    """

    names: tuple[str, ...]
    signs: tuple[int, ...]
    right: float


def exact_sums(names: Sequence[str], x: Floats, y: Floats, slack: float, size: int) -> list[ExactSum]:
    """Find sums and differences that are a target.

    Parameters
    ----------
    names : sequence of str
        The columns, as many as `x` has.
    x : ndarray of float64, shape (rows, columns)
        Their values; NaN where they are missing.
    y : ndarray of float64, shape (rows,)
        The target, never missing.
    slack : float
        By how much a sum may miss it.
    size : int
        How many columns to add up: two or three.

    Returns
    -------
    list of ExactSum
        Those that are right in 99 % of the rows where all is known; what is right most often comes first.
    """
    if len(names) < size:
        return []
    probes = _probes(y)
    # A sum with a missing value speaks neither for nor against: only numbers that miss the target do.
    terms = np.concatenate([x, -x], axis=1)
    found = []
    for places in _candidates(terms[probes], y[probes], slack, size)[:_MOST_CHECKED]:
        total = terms[:, places].sum(axis=1)
        known = np.isfinite(total)
        if known.sum() < FEWEST_ROWS:
            continue
        right = float(np.mean(np.abs(total[known] - y[known]) <= slack))
        if right >= _RIGHT:
            columns = tuple(names[place % x.shape[1]] for place in places)
            found.append(ExactSum(columns, tuple(1 if place < x.shape[1] else -1 for place in places), right))
    return sorted(found, key=lambda one: -one.right)


def _probes(y: Floats) -> NDArray[np.int64]:
    """Choose rows in which every value of the target is as likely: where it is mostly 0, any sum of zeros is right."""
    _, places, counts = np.unique(y, return_inverse=True, return_counts=True)
    weights = 1 / counts[places]
    rng = np.random.default_rng(0)
    return rng.choice(len(y), min(_PROBES, len(y)), replace=False, p=weights / weights.sum()).astype(np.int64)


def _candidates(terms: Floats, y: Floats, slack: float, size: int) -> list[list[int]]:
    """Return the sums that no more than a few probes speak against."""
    columns = terms.shape[1] // 2
    found: list[list[int]] = []
    for first in range(terms.shape[1]):
        # Each set of columns comes up in one order only.
        later = np.array(
            [place for place in range(terms.shape[1]) if place % columns > first % columns], dtype=np.int64
        )
        rest = y - terms[:, first]
        others = later[:, None] if size == 2 else _pairs(terms, rest, later, slack)
        gaps = rest[:, None] - terms[:, others].sum(axis=2)
        # A probe may lie in a row with a typing error.
        right = np.mean(_near(gaps, slack), axis=0) >= _RIGHT_PROBES
        found += [[first, *chosen] for chosen in others[right].tolist()]
    return found


def _pairs(terms: Floats, rest: Floats, later: NDArray[np.int64], slack: float) -> NDArray[np.int64]:
    """Return the pairs of terms that add up to the rest in the first probes."""
    few = terms[:_FIRST_PROBES][:, later]
    gaps = (rest[:_FIRST_PROBES, None] - few)[:, :, None] - few[:, None, :]
    second, third = np.nonzero(np.all(_near(gaps, slack), axis=0))
    columns = terms.shape[1] // 2
    ordered = later[second] % columns < later[third] % columns
    return np.column_stack([later[second[ordered]], later[third[ordered]]])


def _near(gaps: Floats, slack: float) -> Flags:
    # Written so that a gap that isn't known passes.
    return ~(np.abs(gaps) > slack)
