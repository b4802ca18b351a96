"""Judging every model on the rows that chose nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.cleaning import AS_IT_IS
from dlreg_core.evaluation import bootstrap_rmse, calibrate, compare, regression_metrics
from dlreg_core.pipeline import IntervalsAhead, PipelineModel, PredictionInterval
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.specs import CONSTANTS, Comparison, Interval, LeaderboardRow
from dlreg_core.splitting import PreparedTable
from dlreg_core.training.horizon_evaluation import intervals_ahead

Predictions = Mapping[str, NDArray[np.float64]]
_SPEED_ROWS = 1_000
_SPEED_REPEATS, _SPEED_SECONDS = 3, 0.15
_BULK_ROWS = 64_000
_BULK_SECONDS = 0.3


@dataclass(frozen=True)
class Judged:
    """Predictions of all models for the validation and test rows in the target's unit, and their 90 % intervals."""

    validation: Predictions
    test: Predictions
    intervals: Mapping[str, PredictionInterval]
    ahead: Mapping[str, IntervalsAhead] = field(default_factory=dict)
    """The same by how many steps ahead a row is, and for each test row how many."""
    steps: NDArray[np.float64] | None = None

    def ends(self, model: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the ends of a model's interval for each test row."""
        if model in self.ahead and self.steps is not None:
            return self.ahead[model].bounds(self.test[model], self.steps)
        return self.intervals[model].bounds(self.test[model])


def predict_models(pipeline: Pipeline, held_out: Predictions, table: PreparedTable) -> Judged:
    """Predict the raw test rows with every model, beside what each predicted of the rows held out and its intervals."""
    least = float(min(table.y_train.min(), table.y_choosing.min()))
    intervals = {
        model.name: calibrate(
            *_known(table.y_choosing, held_out[model.name]),
            least=least,
            transform=table.transform if model.learns_transformed else AS_IT_IS,
        )
        for model in pipeline.models
    }
    return Judged(
        held_out,
        pipeline.predict_all(table.test, tuple(intervals)),
        intervals,
        intervals_ahead(pipeline, table, intervals),
        pipeline.spec.cleaner.steps_ahead(table.test),
    )


def judge(
    model: PipelineModel,
    y_validation: NDArray[np.float64],
    y_test: NDArray[np.float64],
    judged: Judged,
    *,
    seed: int,
) -> LeaderboardRow:
    """Return the figures of one model; fit time, speed, size and note are for the caller to add."""
    validation, test = judged.validation[model.name], judged.test[model.name]
    metrics = regression_metrics(y_test, test)
    interval = judged.intervals[model.name]
    low, high = judged.ends(model.name)
    widths, varies = (high - low) / 2, interval.varies or model.name in judged.ahead
    return LeaderboardRow(
        model=model.name,
        family=model.family,
        role=model.role,
        rmse=metrics.rmse,
        mae=metrics.mae,
        mse=metrics.mse,
        r2=metrics.r2,
        median_ae=metrics.median_ae,
        rmse_validation=regression_metrics(*_known(y_validation, validation)).rmse,
        rows_validation=int(np.count_nonzero(predicted_by_all([validation]))),
        rmse_interval=bootstrap_rmse(y_test, test, seed=seed),
        half_width_90=float(np.median(widths)) if varies else interval.factor,
        half_widths_90=_middle(widths) if varies else None,
        coverage_90=float(np.mean((low <= y_test) & (y_test <= high))),
    )


def predicted_by_all(predictions: Iterable[NDArray[np.float64]]) -> NDArray[np.bool_]:
    """Return which rows every model has predicted: boosted trees may have had no time for all folds."""
    return np.asarray(np.all([np.isfinite(values) for values in predictions], axis=0))


def _known(
    actual: NDArray[np.float64], predicted: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows that a model has predicted."""
    known = predicted_by_all([predicted])
    return actual[known], predicted[known]


def _middle(widths: NDArray[np.float64]) -> Interval:
    low, high = np.quantile(widths, [0.05, 0.95])
    return Interval(low=float(low), high=float(high), level=0.9)


def compare_with_baselines(
    best: str,
    models: tuple[PipelineModel, ...],
    y_validation: NDArray[np.float64],
    y_test: NDArray[np.float64],
    judged: Judged,
    *,
    seed: int,
) -> Comparison:
    """Compare the best model with the baseline that validation prefers, on the test rows.

    Of the constants the median has the smallest MAE there can be, and the mean the smallest RMSE: where the median is
    preferred, the RMSE is compared with that of the mean.
    """
    baseline = _by_validation(models, y_validation, judged)[0]
    found = compare(y_test, judged.test[best], judged.test[baseline.name], name=baseline.name, seed=seed)
    mean = next((model.name for model in models if model.family == "MEAN"), None)
    if baseline.family != "MEDIAN" or mean is None:
        return found
    other = compare(y_test, judged.test[best], judged.test[mean], name=mean, seed=seed)
    rmse = {"rmse_improvement": other.rmse_improvement, "rmse_interval": other.rmse_interval}
    return found.model_copy(update=rmse)


def compare_with_each(
    best: str,
    models: tuple[PipelineModel, ...],
    y_validation: NDArray[np.float64],
    y_test: NDArray[np.float64],
    judged: Judged,
    *,
    seed: int,
) -> tuple[Comparison, ...]:
    """Compare the best model with every baseline that learns, the one that validation prefers first."""
    ranked = _by_validation(models, y_validation, judged)
    names = [model.name for model in ranked if model.family not in CONSTANTS]
    return tuple(compare(y_test, judged.test[best], judged.test[name], name=name, seed=seed) for name in names)


def _by_validation(
    models: tuple[PipelineModel, ...], y_validation: NDArray[np.float64], judged: Judged
) -> list[PipelineModel]:
    """Return the baselines, the one with the smallest mean absolute error on the validation rows first.

    Without the mean: by that error the median is the constant to beat. All are compared on the rows that each of them
    has predicted.
    """
    baselines = [model for model in models if model.role == "baseline" and model.family != "MEAN"]
    known = predicted_by_all(judged.validation[model.name] for model in baselines)
    errors = {m.name: float(np.mean(np.abs(y_validation - judged.validation[m.name])[known])) for m in baselines}
    return sorted(baselines, key=lambda model: errors[model.name])


def rows_per_second(pipeline: Pipeline, model: str, rows: pd.DataFrame) -> float:
    """Measure how fast a model predicts, on up to 1,000 rows and with the model in memory.

    What takes milliseconds is measured three times and the quickest counts, since anything else on the machine can make
    one of them several times slower.
    """
    sample = rows.iloc[:_SPEED_ROWS]
    took: list[float] = []
    while not took or (len(took) < _SPEED_REPEATS and sum(took) < _SPEED_SECONDS):
        start = time.perf_counter()
        pipeline.predict(sample, model)
        took.append(max(1e-9, time.perf_counter() - start))
    return len(sample) / min(took)


def bulk_rows_per_second(pipeline: Pipeline, model: str, rows: pd.DataFrame) -> float:
    """Measure how fast a model predicts many rows at once, as explaining needs it; takes about a second.

    Small batches cost mostly their fixed part, so the batch grows until that no longer counts.
    """
    many = _SPEED_ROWS
    while True:
        repeated = pd.concat([rows] * (1 + many // len(rows)), ignore_index=True).iloc[:many]
        start = time.perf_counter()
        pipeline.predict(repeated, model)
        took = max(1e-9, time.perf_counter() - start)
        if took >= _BULK_SECONDS or many >= _BULK_ROWS:
            return many / took
        many *= 4


def worse_than_mean_note(row: LeaderboardRow, mean: LeaderboardRow | None) -> str:
    """Say so where a model is no better than always predicting the mean."""
    if mean is None or row.role == "baseline" or row.rmse is None or mean.rmse is None or row.rmse < mean.rmse:
        return ""
    return "No better than always predicting the mean: the columns don't tell it anything, or it trained too short."
