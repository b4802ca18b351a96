"""A model that is fitted in a second, for questions about the table: whether its split is honest, or rows are few."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.cleaning import fit_cleaner
from dlreg_core.specs import Cleaning, ColumnType

_ITERATIONS = 100
_MOST_LEVELS = 200
"""Categories with more levels are given as numbers: the trees take no more than 255."""


def quick_errors(
    train: pd.DataFrame,
    y_train: NDArray[np.float64],
    test: pd.DataFrame,
    y_test: NDArray[np.float64],
    types: Mapping[str, ColumnType],
    cleaning: Cleaning,
) -> NDArray[np.float64]:
    """Return the absolute errors on test rows of boosted trees that were fitted on training rows.

    Parameters
    ----------
    train, test : pandas.DataFrame
        Raw rows, the features only.
    y_train, y_test : ndarray of float64
        Their targets.
    types : mapping of str to ColumnType
        The type of every column.
    cleaning : Cleaning
        The repairs; they are fitted on the training rows, as in a run.

    Returns
    -------
    ndarray of float64, shape (test rows,)

    Notes
    -----
    scikit-learn's ``HistGradientBoostingRegressor`` on the squared error, 100 trees: quick on any number of
    columns, and it follows bent relations, which is what tells an honest split from a flattering one.
    """
    from sklearn.ensemble import HistGradientBoostingRegressor
    from threadpoolctl import threadpool_limits

    cleaner = fit_cleaner(train, types, cleaning)
    rows, judged = (_numbers(cleaner.transform(part)) for part in (train, test))
    levels = _levels(rows)
    model = HistGradientBoostingRegressor(
        max_iter=_ITERATIONS,
        categorical_features=[c in levels for c in rows.columns],
        early_stopping=False,
        random_state=0,
    )
    # Several threads wait for each other for seconds where others work too, and so few rows need but one.
    with threadpool_limits(1):
        model.fit(_coded(rows, rows), y_train)
        found: NDArray[np.float64] = np.abs(model.predict(_coded(judged, rows)) - y_test)
    return found


def _numbers(frame: pd.DataFrame) -> pd.DataFrame:
    """Leave out texts, and give categories with very many levels as numbers."""
    return frame[[c for c in frame.columns if frame[c].dtype != object]]


def _levels(frame: pd.DataFrame) -> list[str]:
    categories = [c for c in frame.columns if isinstance(frame[c].dtype, pd.CategoricalDtype)]
    return [c for c in categories if frame[c].nunique() <= _MOST_LEVELS]


def _coded(frame: pd.DataFrame, train: pd.DataFrame) -> NDArray[np.float64]:
    """Return rows as numbers; a level that training never saw is missing."""
    columns = []
    for name in train.columns:
        if isinstance(train[name].dtype, pd.CategoricalDtype):
            # The most frequent level first, so that the order says something where it is taken for a number.
            known = train[name].value_counts().index
            codes = pd.Categorical(frame[name].astype(object), categories=known.astype(object)).codes.astype(np.float64)
            columns.append(np.where(codes < 0, np.nan, codes))
        else:
            columns.append(frame[name].to_numpy(dtype=np.float64))
    return np.column_stack(columns) if columns else np.zeros((len(frame), 1))
