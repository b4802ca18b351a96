"""Judging models from each number of steps ahead, where earlier values of the target are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from dlreg_core.array_types import Floats
from dlreg_core.cleaning import AS_IT_IS, RowsAtHorizon
from dlreg_core.evaluation import calibrate, regression_metrics
from dlreg_core.pipeline import IntervalsAhead, PredictionInterval
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.specs import HorizonCoverage, StepFigures
from dlreg_core.splitting import PreparedTable

_FEWEST_ROWS = 40
"""With fewer rows at a step, those at the steps beside it calibrate its interval too."""

_FEWEST_MOMENTS, _FEWEST_MOMENTS_TOGETHER = 40, 2
"""Fewer moments tell nothing of how long errors follow each other, and of whether those of one moment go together."""

_FEWEST_JUDGED = 2
_LEVEL, _HIGHEST = 0.9, 0.995


def intervals_ahead(
    pipeline: Pipeline, table: PreparedTable, otherwise: Mapping[str, PredictionInterval]
) -> dict[str, IntervalsAhead]:
    """Return each model's prediction intervals by how many steps ahead a row is.

    Every validation row is predicted from each number of steps before it: what is off there calibrates the intervals of
    that step, as split conformal prediction does for all rows alike.

    Parameters
    ----------
    pipeline : Pipeline
        The fitted models.
    table : PreparedTable
        With validation rows of its own.
    otherwise : mapping of str to PredictionInterval
        Intervals by model, for a step that no validation row can be seen from.
    """
    if not table.steps:
        return {}
    seen = [table.at_step("validation", step) for step in table.steps]
    names = tuple(model.name for model in pipeline.models)
    predicted = [pipeline.predict_all(one.rows, names) for one in seen]
    least = float(min(table.y_train.min(), table.y_choosing.min()))
    found = {}
    for model in pipeline.models:
        transform = table.transform if model.learns_transformed else AS_IT_IS
        each = []
        for place, step in enumerate(table.steps):
            near = _near(seen, place)
            truth = np.concatenate([seen[other].target for other in near])
            guess = np.concatenate([predicted[other][model.name] for other in near])
            moments = np.concatenate([seen[other].moments for other in near])
            if not len(truth):
                each.append(otherwise[model.name])
                continue
            level = level_for(independent_rows(moments, np.abs(truth - guess), step), len(truth))
            each.append(calibrate(truth, guess, least=least, transform=transform, level=level))
        found[model.name] = IntervalsAhead(steps=table.steps, intervals=tuple(each))
    return found


def _near(seen: Sequence[RowsAtHorizon], place: int) -> range:
    """Return the places of those steps that calibrate the interval of one: its own, and others where rows are few."""
    for reach in range(len(seen)):
        near = range(max(0, place - reach), min(len(seen), place + reach + 1))
        if sum(len(seen[other].target) for other in near) >= _FEWEST_ROWS:
            return near
    return range(len(seen))


def independent_rows(moments: Floats, errors: Floats, step: int) -> float:
    """Return how many rows that have nothing in common would tell as much about how large errors are.

    Rows of one moment may be off together, and moments that follow each other as well: it is the variance of one row's
    size of error over that of their mean, of which both are part.

    Parameters
    ----------
    moments, errors : ndarray of float64, shape (rows,)
        When rows are, and how far off they are.
    step : int
        How many steps ahead.

    Returns
    -------
    float
        From 1 to the number of rows.

    Notes
    -----
    The errors of a moment are summed: sums of rows that go together vary more than those of others, so that the rows of
    five series count as five where the series go their own ways, and as one where they don't. The variance of the sums
    is multiplied by their autocorrelation time, summed as long as pairs of neighbours are positive (Geyer 1992,
    "Practical Markov chain Monte Carlo", Statistical Science 7). Fewer than 40 moments don't show it; then it is taken
    for `step`, since what is off so many steps ahead shares all but one of its causes with what is off at the next.
    """
    _, places = np.unique(moments, return_inverse=True)
    centred = errors - errors.mean()
    sums = np.bincount(places, centred).astype(np.float64)
    if len(sums) < _FEWEST_MOMENTS_TOGETHER:
        return 1.0
    # As in any variance, one is lost to the mean: it counts where moments are few.
    together = float(sums @ sums) * len(sums) / (len(sums) - 1)
    time = _autocorrelation_time(sums) if len(sums) >= _FEWEST_MOMENTS else float(step)
    rows = float(len(errors))
    if together == 0:
        return max(1.0, len(sums) / time)
    return float(np.clip(rows * float(centred @ centred) / (together * time), 1.0, rows))


def _autocorrelation_time(sums: Floats) -> float:
    """Return how many of them, one after another, tell as much as one: 1 where none depends on those before it."""
    variance = float(sums @ sums)
    time = -1.0
    for lag in range(0, len(sums) // 2, 2):
        pair = sum(float(sums[: len(sums) - at] @ sums[at:]) for at in (lag, lag + 1))
        if variance == 0 or pair <= 0:
            break
        time += 2 * pair / variance
    return max(1.0, time)


def level_for(independent: float, rows: int) -> float:
    """Return the share of the calibration rows that an interval must hold so that it holds 90 % of new ones on average.

    Parameters
    ----------
    independent : float
        How many independent rows tell as much as the calibration rows.
    rows : int
        How many calibration rows there are.

    Notes
    -----
    Let D be what the share of calibration rows within an end differs by from that of all rows, both by the latter. The
    end that holds a share p of the calibration rows holds u of all, with u + D(u) = p, which is p - D(p) + D(p) D'(p)
    nearly. Its mean is p + Var(D)'(p) / 2, and with Var(D) = p (1 - p) / n it is p - (p - 1/2) / n. Of independent rows
    that is what the ceil((n + 1) p)-th of n makes up for, and `calibrate` takes it; what is missing is the difference
    between as many rows as there are and those that they are worth.
    """
    return min(_HIGHEST, _LEVEL + (_LEVEL - 0.5) * max(0.0, 1 / independent - 1 / rows))


def judged_ahead(
    pipeline: Pipeline, table: PreparedTable, intervals: Mapping[str, IntervalsAhead]
) -> HorizonCoverage | None:
    """Return how far off each model is at each number of steps ahead; None where earlier targets aren't used."""
    past = table.past
    if past is None or past.ahead_column is None or past.clock is None:
        return None
    size, unit = past.clock.unit
    found: dict[str, list[StepFigures]] = {name: [] for name in intervals}
    for step in table.steps:
        seen = table.at_step("test", step)
        rows, target = seen.rows, seen.target
        if len(target) < _FEWEST_JUDGED:
            continue
        for name, values in pipeline.predict_all(rows, tuple(intervals)).items():
            low, high = intervals[name].bounds(values, np.full(len(values), float(step)))
            metrics = regression_metrics(target, values)
            figures = StepFigures(
                step=step,
                rows=len(target),
                mae=metrics.mae,
                rmse=metrics.rmse,
                half_width_90=float(np.median(high - low)) / 2,
                coverage_90=float(np.mean((low <= target) & (target <= high))),
            )
            found[name].append(figures)
    steps = {name: tuple(figures) for name, figures in found.items() if figures}
    return HorizonCoverage(horizon=past.history.horizon, size=size, unit=unit, steps=steps)
