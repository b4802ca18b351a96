"""The training task: prepare, train, judge, explain, all within the budget."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dlreg_core.explanation import ExplainSizes, sizes_for
from dlreg_core.prepare import Cleaner, PreparedTable, fit_cleaner, prepared_of
from dlreg_core.runs.files import write_spec
from dlreg_core.runs.folder import TaskFolder
from dlreg_core.runs.results import PartPredictions, save_explanation, save_predictions
from dlreg_core.settings import load_settings
from dlreg_core.specs import Experiment, LeaderboardRow, ResolvedPlan, Task, TrainResult
from dlreg_core.training.baselines import Baseline, fit_baselines
from dlreg_core.training.campaign import Budget, Campaign, Trained
from dlreg_core.training.catalogue import BASELINES, ENSEMBLE, family
from dlreg_core.training.judging import (
    Judged,
    best_by_validation,
    bulk_rows_per_second,
    compare_with_baselines,
    judge,
    predict_parts,
    rows_per_second,
    worse_than_mean_note,
)
from dlreg_core.training.networks import NetworkTrainer, core_count, device_note, versions
from dlreg_core.training.pipeline import Pipeline, PipelineModel, PipelineSpec, save_pipeline
from dlreg_core.worker.explain import explain_model

_PREDICTED_PER_SECOND = 20_000.0
"""Careful guess of the rows that a network predicts in a second, for the time that judging will take."""

_MOST_EXPLAINED = 500
"""Rows of the first explanation: more are there for the asking."""


@dataclass(frozen=True)
class Job:
    """What a training task works with from start to end."""

    folder: TaskFolder
    experiment: Experiment
    budget: Budget
    table: PreparedTable
    cleaner: Cleaner
    train: pd.DataFrame
    validation: pd.DataFrame

    @property
    def seed(self) -> int:
        """Seed of everything that is random."""
        return self.experiment.plan.seed


def train_run(folder: TaskFolder, _task: Task) -> None:
    """Train, judge and explain the networks of a run, and write ``result.json``.

    Parameters
    ----------
    folder : TaskFolder
        The training task; its run says what to do.
    """
    job = _prepare(folder)
    folder.emit("stage", name="Training the baselines")
    baselines = fit_baselines(job.train, job.table.y_train, job.validation, job.table.y_validation, seed=job.seed)
    gpu, device = device_note(job.experiment.plan.device)
    folder.emit("log", text=device)
    trainer, trained = _train(job, gpu=gpu)
    weights: dict[str, float] = {}
    if len(trained.fits) > 1:
        folder.emit("stage", name="Combining the networks")
        weights = trainer.fit_ensemble()
    trainer.finish()
    folder.emit("stage", name="Judging the models on the test rows")
    pipeline = _build_pipeline(job, trainer, trained, baselines, ensemble=bool(weights))
    judged = predict_parts(pipeline, job.table.validation, job.table.test)
    _save_predictions(job, judged)
    rows = _judge(job, pipeline, judged)
    best = best_by_validation(pipeline.models, job.table.y_validation, judged.validation)
    pipeline.settle(best, {row.model: row.half_width_90 for row in rows})
    rows = _with_costs(pipeline, rows, trained, baselines, weights, job)
    plan = _explain(job, pipeline, ResolvedPlan(fits=tuple(trained.fits), ensemble=bool(weights)))
    comparison = compare_with_baselines(
        best, pipeline.models, job.table.y_validation, job.table.y_test, judged, seed=job.seed
    )
    result = TrainResult(
        leaderboard=(*rows, *_absent(trained)),
        best_model=best,
        comparison=comparison,
        rows=job.table.counts,
        plan=plan,
        ensemble_weights=weights,
        seconds=job.budget.used(),
        device="gpu" if gpu else "cpu",
        device_note=device,
        target_mean=float(np.mean(job.table.y_train)),
        target_std=float(np.std(job.table.y_train)),
        versions=versions(),
    )
    write_spec(folder.path / "result.json", result)


def explaining_seconds(time_limit: float) -> float:
    """Return the seconds to keep for the first explanation."""
    return min(60.0, max(2.0, 0.06 * time_limit))


def _prepare(folder: TaskFolder) -> Job:
    folder.emit("stage", name="Preparing the rows")
    experiment = folder.run.experiment()
    table = prepared_of(folder.run.home, experiment)
    cleaner = fit_cleaner(table.train, table.types, experiment.recipe.cleaning, table.day_first)
    return Job(
        folder=folder,
        experiment=experiment,
        budget=Budget(began=folder.launched().timestamp(), seconds=experiment.plan.time_limit),
        table=table,
        cleaner=cleaner,
        train=cleaner.transform(table.train),
        validation=cleaner.transform(table.validation),
    )


def _train(job: Job, *, gpu: bool) -> tuple[NetworkTrainer, Trained]:
    plan = job.experiment.plan
    job.folder.emit("stage", name="Preparing the networks' input")
    trainer = NetworkTrainer(
        job.folder.path / "model" / "predictor",
        job.train,
        job.table.y_train,
        job.validation,
        job.table.y_validation,
        gpu=gpu,
    )
    reserve = _judging_seconds(job) + explaining_seconds(plan.time_limit)
    # Runs beside this one want cores too.
    cores = max(1, core_count() // load_settings().slots)
    campaign = Campaign(trainer, plan, lambda: job.budget.left() - reserve, cores, job.folder.emit)
    replay = job.experiment.replay
    return trainer, campaign.run() if replay is None else campaign.replay(replay)


def _judging_seconds(job: Job) -> float:
    """Return the seconds to keep for predicting validation and test rows and for measuring."""
    plan = job.experiment.plan
    predictions = (job.table.counts.validation + job.table.counts.test) * len(plan.models)
    return min(2.0 + predictions / _PREDICTED_PER_SECOND, 0.25 * plan.time_limit)


def _build_pipeline(
    job: Job, trainer: NetworkTrainer, trained: Trained, baselines: tuple[Baseline, ...], *, ensemble: bool
) -> Pipeline:
    """Write the pipeline with every model, and load it as everybody else will."""
    models = [
        PipelineModel(name=fit.model, family=fit.family, role="network", internal=fit.model) for fit in trained.fits
    ]
    if ensemble:
        models.append(PipelineModel(name=ENSEMBLE, family="ENSEMBLE", role="ensemble", internal=trainer.ensemble_name))
    models += [PipelineModel(name=BASELINES[b.key], family=b.key, role="baseline", internal=b.key) for b in baselines]
    path = job.folder.path / "model"
    recipe = job.experiment.recipe
    spec = PipelineSpec(
        target=recipe.target,
        unit=recipe.unit,
        cleaner=job.cleaner,
        best_model=models[0].name,
        models=tuple(models),
    )
    save_pipeline(path, spec, {b.key: b.model for b in baselines})
    pipeline = Pipeline(path)
    for model in models:
        pipeline.persist(model.name)
    return pipeline


def _judge(job: Job, pipeline: Pipeline, judged: Judged) -> tuple[LeaderboardRow, ...]:
    y_validation, y_test = job.table.y_validation, job.table.y_test
    rows = [judge(model, y_validation, y_test, judged, seed=job.seed) for model in pipeline.models]
    return tuple(sorted(rows, key=lambda row: (row.rmse_validation or 0.0, row.model)))


def _with_costs(
    pipeline: Pipeline,
    rows: tuple[LeaderboardRow, ...],
    trained: Trained,
    baselines: tuple[Baseline, ...],
    weights: dict[str, float],
    job: Job,
) -> tuple[LeaderboardRow, ...]:
    """Add what each model costs, and the note that belongs to it."""
    seconds = trained.seconds | {BASELINES[b.key]: b.fit_seconds for b in baselines}
    seconds[ENSEMBLE] = sum(trained.seconds[member] for member in weights)
    mean = next(row for row in rows if row.family == "MEAN")
    cut = {fit.model: fit.stop_after for fit in trained.fits if fit.stop_after is not None}
    found = []
    for row in rows:
        note = worse_than_mean_note(row, mean)
        if row.role == "ensemble":
            note = " + ".join(
                f"{weight:.0%} {member}" for member, weight in sorted(weights.items(), key=lambda w: -w[1])
            )
        elif not note and row.model in cut:
            note = f"The clock ended its training after epoch {cut[row.model]}."
        cost = {
            "fit_seconds": seconds[row.model],
            "predict_rows_per_second": rows_per_second(pipeline, row.model, job.table.test),
            "size_mb": pipeline.size_mb(row.model, tuple(weights)),
            "note": note,
        }
        found.append(row.model_copy(update=cost))
    return tuple(found)


def _absent(trained: Trained) -> tuple[LeaderboardRow, ...]:
    return tuple(
        LeaderboardRow(model=family(key).title, family=key, role="network", note=reason)
        for key, reason in trained.reasons.items()
    )


def _save_predictions(job: Job, judged: Judged) -> None:
    table = job.table
    validation = PartPredictions(table.rows_validation, table.y_validation, judged.validation)
    save_predictions(job.folder, "validation", validation)
    save_predictions(job.folder, "test", PartPredictions(table.rows_test, table.y_test, judged.test))


def _explain(job: Job, pipeline: Pipeline, plan: ResolvedPlan) -> ResolvedPlan:
    """Explain the best model in the time that is left, or just as the replayed run did."""
    job.folder.emit("stage", name=f"Explaining {pipeline.best_model}")
    replay = job.experiment.replay
    if replay is not None and replay.explain_rows:
        sizes = ExplainSizes(replay.explain_rows, replay.explain_background, replay.explain_permutations)
    else:
        speed = bulk_rows_per_second(pipeline, pipeline.best_model, job.table.test)
        seconds = max(1.0, min(job.budget.left() - 1.0, explaining_seconds(job.budget.seconds)))
        sizes = sizes_for(
            len(pipeline.schema.names), speed, seconds, at_most_rows=min(_MOST_EXPLAINED, len(job.table.test))
        )
    explanation = explain_model(pipeline, pipeline.best_model, job.table, sizes, seed=job.seed)
    save_explanation(job.folder, explanation)
    return plan.model_copy(
        update={
            "explained_model": pipeline.best_model,
            "explain_rows": sizes.rows,
            "explain_background": sizes.background,
            "explain_permutations": sizes.permutations,
        }
    )
