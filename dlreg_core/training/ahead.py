"""Judging models from each number of steps ahead, where earlier values of the target are used."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from dlreg_core.evaluation.ahead import IntervalsAhead
from dlreg_core.evaluation.conformal import calibrate
from dlreg_core.evaluation.intervals import PredictionInterval
from dlreg_core.evaluation.metrics import regression_metrics
from dlreg_core.prepare import PreparedTable
from dlreg_core.prepare.target_transform import AS_IT_IS
from dlreg_core.specs import Ahead, StepFigures
from dlreg_core.training.pipeline import Pipeline, PipelineModel

Floats = NDArray[np.float64]
_FEWEST_ROWS = 40
"""With fewer rows at a step, those at the steps beside it calibrate its interval too."""

_FEWEST_JUDGED = 2


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
    predicted = [pipeline.predict_all(rows, names) for rows, _ in seen]
    least = float(min(table.y_train.min(), table.y_choosing.min()))
    found = {}
    for model in pipeline.models:
        pairs = [(target, values[model.name]) for (_, target), values in zip(seen, predicted, strict=True)]
        each = [_calibrated(pairs, place, model, table, least) for place in range(len(pairs))]
        each = [interval if interval is not None else otherwise[model.name] for interval in each]
        found[model.name] = IntervalsAhead(steps=table.steps, intervals=tuple(each))
    return found


def _calibrated(
    pairs: list[tuple[Floats, Floats]], place: int, model: PipelineModel, table: PreparedTable, least: float
) -> PredictionInterval | None:
    """Return the interval of one step, from its rows or, where they are few, from those of the steps around it."""
    for reach in range(len(pairs)):
        near = pairs[max(0, place - reach) : place + reach + 1]
        truth, guess = (np.concatenate([pair[which] for pair in near]) for which in (0, 1))
        if len(truth) >= _FEWEST_ROWS or reach == len(pairs) - 1:
            break
    if not len(truth):
        return None
    transform = table.transform if model.learns_transformed else AS_IT_IS
    return calibrate(truth, guess, least=least, transform=transform)


def judged_ahead(pipeline: Pipeline, table: PreparedTable, intervals: Mapping[str, IntervalsAhead]) -> Ahead | None:
    """Return how far off each model is at each number of steps ahead; None where earlier targets aren't used."""
    past = table.past
    if past is None or past.ahead_column is None or past.clock is None:
        return None
    size, unit = past.clock.unit
    found: dict[str, list[StepFigures]] = {name: [] for name in intervals}
    for step in table.steps:
        rows, target = table.at_step("test", step)
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
    return Ahead(horizon=past.history.horizon, size=size, unit=unit, steps=steps)
