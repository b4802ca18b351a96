"""What it costs when a column is missing that no training row lacked: measured on the rows that calibrate."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.evaluation import gap_factor
from dlreg_core.pipeline import PredictionInterval
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.splitting import PreparedTable

MOST_ROWS = 500
"""Rows that are predicted without each column: 90 % of so many is known to 1.3 points."""

_FEWEST_ROWS = 10


def gap_seconds(time_limit: float) -> float:
    """Return the seconds that measuring may take."""
    return min(60.0, max(2.0, 0.05 * time_limit))


def with_gaps(
    pipeline: Pipeline,
    intervals: Mapping[str, PredictionInterval],
    held_out: Mapping[str, NDArray[np.float64]],
    table: PreparedTable,
    *,
    first: str,
    seconds: float,
    seed: int,
) -> dict[str, PredictionInterval]:
    """Return intervals that know how much wider they must be where a column is missing.

    Parameters
    ----------
    pipeline : Pipeline
        The models, in memory.
    intervals : mapping of str to PredictionInterval
        The intervals of complete rows, by model.
    held_out : mapping of str to ndarray
        What each model predicted of the rows that calibrate, without having learned from them.
    table : PreparedTable
        The rows.
    first : str
        The model that comes first, since it is the one that most will use.
    seconds : float
        How long this may take. Columns that it doesn't suffice for have no figure, which is told when it matters.
    seed : int
        Which rows are drawn where there are many.

    Notes
    -----
    A row is predicted with and without the column, and the difference is added to what was predicted of it while it was
    held out. With a holdout that is the prediction without the column itself. With folds, the models that are asked
    have learned from the row; their difference is still taken, since it is no error, and an error is only ever that of
    the prediction held out. No row has a say in which column is missing, so that the order statistic of these scores
    promises for such rows what that of the others does for complete ones.
    """
    began = time.monotonic()
    rows, truth = (table.validation, table.y_validation) if table.folds is None else (table.train, table.y_train)
    if len(rows) < _FEWEST_ROWS:
        return dict(intervals)
    places = _drawn(len(rows), seed)
    sample, actual = rows.iloc[places], truth[places]
    found: dict[str, dict[str, float]] = {name: {} for name in intervals}
    for names in ((first,), tuple(name for name in intervals if name != first)):
        base = pipeline.predict_all(sample, names)
        for column in complete_columns(pipeline):
            if time.monotonic() - began > seconds:
                break
            without = pipeline.predict_all(without_values(sample, column), names)
            for name in names:
                moved = held_out[name][places] + without[name] - base[name]
                # Boosted trees may have had no time for all folds.
                known = np.isfinite(held_out[name][places])
                # What can't be predicted at all without the column needs no interval.
                if np.count_nonzero(known) >= _FEWEST_ROWS and np.isfinite(moved[known]).all():
                    found[name][column] = gap_factor(intervals[name], actual[known], moved[known])
    return {name: interval.model_copy(update={"gaps": found[name]}) for name, interval in intervals.items()}


def complete_columns(pipeline: Pipeline) -> tuple[str, ...]:
    """Return the columns that no training row lacked."""
    return tuple(field.name for field in pipeline.schema.fields if field.complete)


def without_values(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return raw rows without any value of a column."""
    return rows.assign(**{column: pd.Series([None] * len(rows), index=rows.index, dtype=object)})


def _drawn(rows: int, seed: int) -> NDArray[np.int64]:
    if rows <= MOST_ROWS:
        return np.arange(rows)
    return np.sort(np.random.default_rng([seed, 2]).choice(rows, MOST_ROWS, replace=False))
