"""How far ahead rows are judged: each of them looked at from every number of steps before it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats
from dlreg_core.cleaning.lags.fitted_lags import RowsWithPast
from dlreg_core.cleaning.lags.lag_columns import Places, steps_ahead

_MOST_STEPS = 14
MOST_ROWS_OF_STEP = 1_000
"""Rows of a part that are looked at from each: more would hardly tell more, and take every model as many times."""


def judged_steps(horizon: int) -> tuple[int, ...]:
    """Return the steps ahead that are judged one by one: all of them, or 14 from the first to the last."""
    if horizon <= _MOST_STEPS:
        return tuple(range(1, horizon + 1))
    return tuple(sorted({round(step) for step in np.geomspace(1, horizon, _MOST_STEPS)}))


@dataclass(frozen=True)
class RowsAtHorizon:
    """Rows as they look from so many steps before them.

    Attributes
    ----------
    rows : pandas.DataFrame
        Raw rows.
    target : ndarray of float64, shape (rows,)
        Their targets.
    moments : ndarray of float64, shape (rows,)
        When they are.
    """

    rows: pd.DataFrame
    target: Floats
    moments: Floats


def rows_at_horizon(
    looked: RowsWithPast, frame: pd.DataFrame, target: Floats, numbers: Places, step: int
) -> RowsAtHorizon:
    """Return rows as they look from so many steps before.

    Parameters
    ----------
    looked : RowsWithPast
        All rows that are each other's past.
    frame : pandas.DataFrame
        Rows with the columns that are made, from wherever they were looked at.
    target : ndarray of float64, shape (rows,)
        Their targets.
    numbers : ndarray of int64, shape (rows,)
        Where each of them stands among all.
    step : int
        How many steps before; rows of which no value was known just then are left out.
    """
    past = looked.past
    places = np.unique(np.linspace(0, len(frame) - 1, min(len(frame), MOST_ROWS_OF_STEP)).astype(np.int64))
    columns = looked.columns(np.full(len(places), step, dtype=np.int64), numbers[places])
    ahead: Floats = columns[past.ahead_column or ""]
    there = (steps_ahead(ahead, past.history.horizon) == step) & (ahead <= past.furthest)
    made = {name: values[there] for name, values in columns.items() if name in frame.columns}
    chosen = places[there]
    return RowsAtHorizon(frame.iloc[chosen].assign(**made), target[chosen], looked.moments[numbers[chosen]])
