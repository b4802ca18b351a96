"""Are the test rows like the training rows? Column by column, from the distributions of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import ks_2samp

from dlreg_core.cleaning import coerce_column
from dlreg_core.specs import ColumnType
from dlreg_core.splitting import PreparedTable

_MOST_ROWS = 10_000
_FEWEST_ROWS = 50
_CLEAR = 0.2
_CHANCE = 1e-6

_NUMBERS = (ColumnType.NUMBER, ColumnType.DATETIME)
_LEVELS = (ColumnType.CATEGORY, ColumnType.BOOLEAN)


@dataclass(frozen=True)
class ColumnShift:
    """A column that is otherwise in the test rows than in the training rows.

    Attributes
    ----------
    column : str
    share : float
        For numbers and dates the largest distance between the two cumulative distributions (Kolmogorov and Smirnov),
        for categories the share of the rows whose level would have to change.
    train, test : float or str
        The medians; for categories the level that changed most.
    new : float
        The share of test rows that lie outside of the training rows' range, or have a level that these don't.
    """

    column: str
    share: float
    train: float | str
    test: float | str
    new: float


def column_shifts(prepared: PreparedTable) -> tuple[ColumnShift, ...]:
    """Compare the test rows with all others.

    Parameters
    ----------
    prepared : PreparedTable
        The rows of a recipe; of more than 10,000 in either part so many random ones are taken. Of fewer than 50 nothing
        is said.

    Returns
    -------
    tuple of ColumnShift
        Columns that differ by 0.2 or more, and beyond doubt (p < 1e-6), those that differ most first.
    """
    train, test = _some(pd.concat([prepared.train, prepared.validation])), _some(prepared.test)
    if min(len(train), len(test)) < _FEWEST_ROWS:
        return ()
    found = []
    for name, kind in prepared.types.items():
        order = prepared.day_first.get(name)
        first, second = (coerce_column(part[name], kind, order).dropna() for part in (train, test))
        if min(len(first), len(second)) < _FEWEST_ROWS:
            continue
        if kind in _NUMBERS:
            shift = _of_numbers(name, first, second)
        else:
            shift = _of_levels(name, first, second) if kind in _LEVELS else None
        if shift is not None:
            found.append(shift)
    return tuple(sorted(found, key=lambda shift: -shift.share))


def _some(frame: pd.DataFrame) -> pd.DataFrame:
    return frame if len(frame) <= _MOST_ROWS else frame.sample(_MOST_ROWS, random_state=0)


def _of_numbers(name: str, first: pd.Series, second: pd.Series) -> ColumnShift | None:
    a, b = _floats(first), _floats(second)
    found = ks_2samp(a, b, method="asymp")
    if found.statistic < _CLEAR or found.pvalue > _CHANCE:
        return None
    new = float(np.mean((b < a.min()) | (b > a.max())))
    if pd.api.types.is_datetime64_any_dtype(first):
        middle = [f"{part.sort_values().iloc[len(part) // 2]:%Y-%m-%d}" for part in (first, second)]
        return ColumnShift(name, float(found.statistic), middle[0], middle[1], new)
    return ColumnShift(name, float(found.statistic), float(np.median(a)), float(np.median(b)), new)


def _floats(values: pd.Series) -> NDArray[np.float64]:
    if pd.api.types.is_datetime64_any_dtype(values):
        return values.to_numpy().astype("datetime64[s]").astype(np.float64)
    return values.to_numpy(dtype=np.float64)


def _of_levels(name: str, first: pd.Series, second: pd.Series) -> ColumnShift | None:
    shares = pd.DataFrame(
        {"train": first.value_counts(normalize=True), "test": second.value_counts(normalize=True)}
    ).fillna(0.0)
    moved = shares["test"] - shares["train"]
    share = float(moved.abs().sum() / 2)
    # What so many levels would differ by if both parts were drawn from one: the sum of the binomials' deviations.
    pooled = (shares["train"] + shares["test"]) / 2
    chance = float(np.sqrt(pooled * (1 - pooled) * (1 / len(first) + 1 / len(second))).sum() / 2)
    if share < _CLEAR or share < 3 * chance:
        return None
    new = float(shares.loc[shares["train"] == 0, "test"].sum())
    return ColumnShift(name, share, str(moved.idxmin()), str(moved.idxmax()), new)
