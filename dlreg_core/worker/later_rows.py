"""What test rows say about rows that are later than those of training, or unlike them."""

from __future__ import annotations

import pandas as pd

from dlreg_core.cleaning import coerce_column
from dlreg_core.evaluation import over_time, unseen
from dlreg_core.specs import ErrorsOverTime, UnseenValues
from dlreg_core.training.evaluate_models import Judged
from dlreg_core.worker.training_job import TrainingJob


def errors_over_time(job: TrainingJob, model: str, judged: Judged) -> ErrorsOverTime | None:
    """Return a model's errors by period, where the rows are divided by time."""
    table, column = job.table, job.experiment.recipe.split.column
    if table.moments_test is None or column is None:
        return None
    predicted = judged.test[model]
    bounds = judged.intervals[model].bounds(predicted)
    return over_time(table.moments_test, table.y_test, predicted, column=column, model=model, bounds=bounds)


def only_tested(job: TrainingJob, model: str, judged: Judged) -> tuple[UnseenValues, ...]:
    """Return what the test rows have and no model has learned from, with a model's error there."""
    table, column = job.table, job.experiment.recipe.split.column
    learned, asked = (
        pd.DataFrame({n: coerce_column(part[n], kind, table.day_first.get(n)) for n, kind in table.types.items()})
        for part in (pd.concat([table.train, table.validation]), table.test)
    )
    without = () if column is None else (column,)
    return unseen(learned, asked, table.types, table.y_test, judged.test[model], without=without)
