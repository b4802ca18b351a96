"""The explanation task: SHAP values of one model of a finished run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from dlreg_core.errors import ConflictError
from dlreg_core.explanation import ExplainSizes, sizes_for
from dlreg_core.explanation.shapley import explain
from dlreg_core.pipeline.fitted_pipeline import Pipeline
from dlreg_core.runs import Explanation, TaskFolder, save_explanation
from dlreg_core.specs import Task
from dlreg_core.splitting import PreparedTable, background_rows, prepared_of
from dlreg_core.training.evaluate_models import bulk_rows_per_second


def explain_run(folder: TaskFolder, task: Task) -> None:
    """Explain a model of a run on the number of test rows that the task asks for.

    Parameters
    ----------
    folder, task : TaskFolder, Task
        The explanation task and what it asks for.

    Raises
    ------
    ConflictError
        If the run has no models.
    """
    request = task.explain
    if request is None or folder.run.result() is None:
        raise ConflictError(f"Run {folder.run.id} has no models to explain.", "Train it first.")
    folder.emit("stage", name=f"Loading {request.model}")
    experiment = folder.run.experiment()
    table = prepared_of(folder.run.home, experiment)
    pipeline = Pipeline(folder.run.model_path())
    pipeline.persist(request.model)
    speed = bulk_rows_per_second(pipeline, request.model, table.test)
    rows = min(request.rows, len(table.test))
    sizes = sizes_for(len(pipeline.schema.names), speed, request.time_limit, at_most_rows=rows, at_least_rows=rows)
    folder.emit("stage", name=f"Explaining {request.model}")

    def report(share: float) -> None:
        folder.emit("progress", share=share)

    save_explanation(
        folder, explain_model(pipeline, request.model, table, sizes, seed=experiment.plan.seed, progress=report)
    )


def explain_model(
    pipeline: Pipeline,
    model: str,
    table: PreparedTable,
    sizes: ExplainSizes,
    *,
    seed: int,
    progress: Callable[[float], None] | None = None,
) -> Explanation:
    """Explain a model on random test rows, with random training rows as background.

    Parameters
    ----------
    pipeline : Pipeline
        The fitted pipeline.
    model : str
        Name of the model.
    table : PreparedTable
        The rows it was trained and judged on.
    sizes : ExplainSizes
        How many rows, how much background, how many permutations.
    seed : int
        Seed of the choices.
    progress : callable, optional
        Called with the share done.
    """
    rng = np.random.default_rng(seed)
    chosen = np.sort(rng.permutation(len(table.test))[: sizes.rows])
    return explain(
        lambda frame: pipeline.predict(frame, model),
        table.test.iloc[chosen].set_axis(table.rows_test[chosen], axis=0),
        background_rows(table, sizes.background, seed),
        sizes,
        model=model,
        active=pipeline.schema.names,
        seed=seed,
        population=len(table.train),
        progress=progress,
    )
