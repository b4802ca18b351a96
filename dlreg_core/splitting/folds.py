"""Folds of a table: how many there are, and which row is in which."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.specs import Split
from dlreg_core.splitting.split import RowNumbers, keys_of, share_out

_FOLD_ROWS_A_SECOND = 20
_MOST_FOLD_ROWS = 100_000
_MANY_FOLDS, _FEW_FOLDS, _MANY_FOLDS_BELOW = 8, 5, 2_500
"""Folds of a small and of a middling table: the more there are, the more rows each network learns from."""


def fold_count(split: Split, rows: int, time_limit: float) -> int:
    """Return in how many folds the rows that aren't for the test are divided; 0 where some are held out instead.

    Parameters
    ----------
    split : Split
        What was asked for.
    rows : int
        Rows that aren't for the test.
    time_limit : float
        Seconds of the run: each network is trained once for every fold, which takes more time the more rows there are.
    """
    if split.kind == "time" or split.choose_by == "holdout":
        return 0
    if split.choose_by == "auto" and rows > min(_MOST_FOLD_ROWS, _FOLD_ROWS_A_SECOND * time_limit):
        return 0
    count = split.folds or (_MANY_FOLDS if rows <= _MANY_FOLDS_BELOW else _FEW_FOLDS)
    return max(2, min(count, rows // 2))


def fold_numbers(
    frame: pd.DataFrame, target: NDArray[np.float64], split: Split, folds: int, copies: RowNumbers | None = None
) -> RowNumbers:
    """Return the fold of each row, numbered from 0.

    The rows of a group stay together, and so do rows that repeat each other. Otherwise each fold has small and large
    targets in the same proportions: the rows are sorted by their target, and each run of as many neighbours as there
    are folds is dealt out at random.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows that aren't for the test.
    target : ndarray, shape (rows,)
        Their targets.
    split : Split
        How the table is divided.
    folds : int
        How many there shall be.
    copies : ndarray of int64, shape (rows,), optional
        Numbers of the rows by their content, in the order in which they first come; rows that repeat have the same.
    """
    # A stream of its own, so that the choice of the test rows doesn't move these.
    rng = np.random.default_rng([split.seed, 3])
    if split.kind == "group":
        groups = keys_of(frame, split).astype(str).to_numpy()
        names, sizes = np.unique(groups, return_counts=True)
        folds = min(folds, len(names))
        part_of = share_out(sizes, np.full(folds, 1 / folds), int(rng.integers(2**31)))
        return part_of[np.searchsorted(names, groups)]
    if copies is not None:
        # One of each is dealt out, and the others go where it goes: their targets are the same.
        target = target[np.unique(copies, return_index=True)[1]]
    dealt = np.concatenate([rng.permutation(folds) for _ in range(-(-len(target) // folds))])[: len(target)]
    found = np.empty(len(target), dtype=np.int64)
    found[np.argsort(target, kind="stable")] = dealt
    return found if copies is None else found[copies]
