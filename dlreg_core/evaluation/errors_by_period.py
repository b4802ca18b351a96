"""Errors over time: whether predictions of test rows that are later are off more, or to one side."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from dlreg_core.array_types import Floats
from dlreg_core.evaluation.arrays import pair
from dlreg_core.specs import ErrorsOverTime, Period

_MOST_PERIODS = 8
_FEWEST_ROWS = 20
_LEVEL = 0.95


def over_time(
    moments: pd.Series,
    actual: ArrayLike,
    predicted: ArrayLike,
    *,
    column: str,
    model: str,
    bounds: tuple[Floats, Floats] | None = None,
) -> ErrorsOverTime | None:
    """Compare the errors of test rows period by period.

    Parameters
    ----------
    moments : pandas.Series
        When each row is: dates or numbers.
    actual, predicted : array_like of shape (n,)
        In units of the target.
    column, model : str
        What orders the rows, and which model predicted them.
    bounds : pair of ndarray, optional
        The ends of each row's 90 % prediction interval.

    Returns
    -------
    ErrorsOverTime or None
        Up to eight periods of about as many rows, 20 at least; None where there would be fewer than two.

    Notes
    -----
    ``bias_reach`` is half of Student's interval of a period's bias; those of all periods hold together at 95 %
    (Bonferroni), so that of predictions that are right on average a period is called too low or too high in one of
    twenty tables.
    """
    truth, guess = pair(actual, predicted)
    order = np.argsort(moments.to_numpy(), kind="stable")
    ends = _ends(moments.iloc[order], min(_MOST_PERIODS, len(truth) // _FEWEST_ROWS))
    if len(ends) < 2:
        return None
    periods, start = [], 0
    for end in ends:
        rows = order[start:end]
        residual = truth[rows] - guess[rows]
        inside = None
        if bounds is not None:
            inside = float(np.mean((truth[rows] >= bounds[0][rows]) & (truth[rows] <= bounds[1][rows])))
        error = float(residual.std(ddof=1)) / np.sqrt(len(rows))
        periods.append(
            Period(
                first=_told(moments.iloc[order[start]]),
                last=_told(moments.iloc[order[end - 1]]),
                rows=len(rows),
                mae=float(np.abs(residual).mean()),
                bias=float(residual.mean()),
                bias_reach=float(student.ppf(1 - (1 - _LEVEL) / 2 / len(ends), len(rows) - 1)) * error,
                coverage_90=inside,
            )
        )
        start = end
    return ErrorsOverTime(column=column, model=model, periods=tuple(periods))


def _ends(moments: pd.Series, count: int) -> list[int]:
    """Return where periods end; rows of one moment stay together, and none has too few rows."""
    values = moments.to_numpy()
    starts = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))
    found: list[int] = []
    for wanted in np.linspace(0, len(values), max(1, count) + 1)[1:-1]:
        cut = int(starts[np.argmin(np.abs(starts - wanted))])
        if cut - (found[-1] if found else 0) >= _FEWEST_ROWS and len(values) - cut >= _FEWEST_ROWS:
            found.append(cut)
    return [*found, len(values)]


def _told(moment: object) -> float | str:
    return moment.isoformat() if isinstance(moment, pd.Timestamp) else float(str(moment))
