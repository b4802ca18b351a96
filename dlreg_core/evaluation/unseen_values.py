"""What only the test rows have: a level, or a range of values, of which no model can have learned anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from dlreg_core.array_types import Floats
from dlreg_core.evaluation.arrays import pair
from dlreg_core.evaluation.error_segments import FEW_NUMBERS
from dlreg_core.specs import ColumnType, UnseenValues

_LEAST_SHARE = 0.05
_MOST_LEVELS = 5
_DRAWS = 19
_MOST_ROWS = 20_000
_LEVELLED = (ColumnType.CATEGORY, ColumnType.BOOLEAN)

Mask = NDArray[np.bool_]


def unseen(
    train: pd.DataFrame,
    test: pd.DataFrame,
    types: Mapping[str, ColumnType],
    actual: ArrayLike,
    predicted: ArrayLike,
    *,
    without: tuple[str, ...] = (),
) -> tuple[UnseenValues, ...]:
    """Return what the test rows have and the training rows don't.

    Parameters
    ----------
    train, test : pandas.DataFrame
        Raw rows, in their types.
    types : mapping of str to ColumnType
        The columns to look at; categories, yes or no, and numbers are.
    actual, predicted : array_like of shape (test rows,)
        In units of the target.
    without : tuple of str
        Columns that are new in the test rows by the way of splitting.

    Returns
    -------
    tuple of UnseenValues
        Those with most rows first: levels, or values beyond all of training, of 5 % of the test rows at least, and of
        more rows than in any of 19 random divisions a column (a permutation test at 5 %, Bonferroni).
    """
    truth, guess = pair(actual, predicted)
    error = np.abs(truth - guess)
    looked = [n for n, kind in types.items() if n not in without and kind in (*_LEVELLED, ColumnType.NUMBER)]
    draws = min(400, (_DRAWS + 1) * max(1, len(looked)) - 1)
    found = []
    for name in looked:
        levelled = types[name] in _LEVELLED or _few_whole(pd.concat([train[name], test[name]]))
        seen = _new_levels if levelled else _beyond
        new = seen(train[name], test[name])
        share = float(new.mean()) if len(new) else 0.0
        if share < _LEAST_SHARE or not _beyond_chance(seen, train[name], test[name], share, draws):
            continue
        found.append(_told(name, test[name][new], error, new, levelled=levelled))
    return tuple(sorted(found, key=lambda one: -one.rows))


def _few_whole(values: pd.Series) -> bool:
    if not pd.api.types.is_numeric_dtype(values):
        return False
    levels = values.dropna().unique()
    return len(levels) <= 2 * FEW_NUMBERS and all(float(level).is_integer() for level in levels)


def _new_levels(train: pd.Series, test: pd.Series) -> Mask:
    known: Mask = (~test.isin(train.dropna().unique()) & test.notna()).to_numpy()
    return known


def _beyond(train: pd.Series, test: pd.Series) -> Mask:
    values, learned = test.to_numpy(dtype=np.float64), train.to_numpy(dtype=np.float64)
    if not np.isfinite(learned).any():
        return np.zeros(len(values), dtype=np.bool_)
    beyond: Mask = (values > np.nanmax(learned)) | (values < np.nanmin(learned))
    return beyond


def _beyond_chance(
    seen: Callable[[pd.Series, pd.Series], Mask], train: pd.Series, test: pd.Series, share: float, draws: int
) -> bool:
    """Tell whether a random division never leaves so many rows with something new."""
    rng = np.random.default_rng(14)
    both = pd.concat([train, test], ignore_index=True)
    if len(both) > _MOST_ROWS:
        both = both.sample(_MOST_ROWS, random_state=0).reset_index(drop=True)
    size = max(1, round(len(both) * len(test) / (len(train) + len(test))))
    for _ in range(draws):
        order = rng.permutation(len(both))
        if seen(both.iloc[order[size:]], both.iloc[order[:size]]).mean() >= share:
            return False
    return True


def _told(name: str, values: pd.Series, error: Floats, new: Mask, *, levelled: bool) -> UnseenValues:
    figures = {
        "column": name,
        "rows": int(new.sum()),
        "of_rows": len(new),
        "mae": float(error[new].mean()),
        "mae_others": float(error[~new].mean()) if not new.all() else None,
    }
    if levelled:
        counts = values.value_counts()
        names = [f"{level:g}" if isinstance(level, float) else str(level) for level in counts.index]
        return UnseenValues(
            levels=tuple(names[:_MOST_LEVELS]), more_levels=max(0, len(names) - _MOST_LEVELS), **figures
        )
    return UnseenValues(low=float(values.min()), high=float(values.max()), **figures)
