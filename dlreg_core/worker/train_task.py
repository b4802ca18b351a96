"""The training task: prepare, train, judge, explain, all within the budget."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event as Signal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dlreg_core.explanation import ExplainSizes, sizes_for
from dlreg_core.jobs import listed_gpus
from dlreg_core.networks import (
    BASELINES,
    ENSEMBLE,
)
from dlreg_core.pipeline import PipelineModel, PipelineSpec
from dlreg_core.pipeline.fitted_pipeline import NETWORKS, Pipeline, save_pipeline
from dlreg_core.runs import Outlook, PartPredictions, TaskFolder, save_explanation, save_predictions, write_spec
from dlreg_core.specs import (
    Checkpoint,
    LeaderboardRow,
    PlannedFit,
    ResolvedPlan,
    Task,
    TrainResult,
)
from dlreg_core.training import ensemble_weights, mixed, rmse, worth_combining
from dlreg_core.training.baselines.simple_models import (
    Baseline,
    boosted_folds,
    boosted_iterations,
    shortage_note,
    strength,
)
from dlreg_core.training.evaluate_models import (
    Judged,
    bulk_rows_per_second,
    compare_with_baselines,
    compare_with_each,
    judge,
    predict_models,
    predicted_by_all,
    rows_per_second,
    worse_than_mean_note,
)
from dlreg_core.training.execution import TrainingPool, processes_for
from dlreg_core.training.execution.run_hooks import RunHooks, Trained
from dlreg_core.training.execution.run_networks import (
    Networks,
    core_count,
    device_note,
    gpu_free_mb,
    gpu_name,
    used_note,
    versions,
)
from dlreg_core.training.execution.training_loop import TrainingLoop
from dlreg_core.training.horizon_evaluation import judged_ahead
from dlreg_core.training.missing_value_intervals import gap_seconds, with_gaps
from dlreg_core.training.planning import STRETCH, boosted_seconds
from dlreg_core.worker.baselines_task import baselines_of
from dlreg_core.worker.checkpoints import CheckpointWriter, earlier_seconds, refuse_other_versions, run_notes
from dlreg_core.worker.explain_task import explain_model
from dlreg_core.worker.later_rows import errors_over_time, only_tested
from dlreg_core.worker.model_notes import absent, cut_note
from dlreg_core.worker.network_libraries import load_libraries, pretrained_contexts
from dlreg_core.worker.training_job import TrainingJob, check_room, prepare_job

_PREDICTED_PER_SECOND = 20_000.0
"""Careful guess of the rows that a network predicts in a second, for the time that judging will take."""

_JUDGED_SECONDS = 0.15
"""What measuring one model's speed and the intervals of its error take."""

_MOST_EXPLAINED = 500
"""Rows of the first explanation: more are there for the asking."""


def train_run(folder: TaskFolder, task: Task) -> None:
    """Train, judge and explain the networks of a run, and write ``result.json``.

    Parameters
    ----------
    folder, task : TaskFolder, Task
        The training task, or one that goes on from an earlier one; its run says what to do.
    """
    job = prepare_job(folder, task)
    gpu, device = device_note(job.experiment.plan.device, listed_gpus())
    folder.emit("log", text=device)
    outlook = check_room(job, gpu=gpu)
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix="beside") as beside:
        # Beside the networks, but for the reference itself: that gets the machine before they do.
        grown = Signal()
        waiting = beside.submit(baselines_of, job, grown)
        beside.submit(load_libraries, job.experiment.plan.models, waiting)
        contexts = beside.submit(pretrained_contexts, job, gpu=gpu)
        networks, trained = _train(job, outlook, contexts, grown, gpu=gpu)
        baselines = waiting.result()
    folder.emit("stage", name="Combining the networks")
    weights, chosen_from = _ensemble(job, networks)
    folder.emit("stage", name="Judging the models on the test rows")
    folder.emit("forecast", seconds=max(0.0, min(job.budget.left(), 2 * explaining_seconds(job.budget.seconds))))
    pipeline = _build_pipeline(job, trained, baselines, weights)
    held_out = _held_out(job, networks, baselines, weights)
    judged = predict_models(pipeline, held_out, job.table)
    _save_predictions(job, judged)
    rows = _judge(job, pipeline, judged)
    best = _best(networks, weights, held_out, seed=job.seed)
    allowed = min(gap_seconds(job.budget.seconds), job.budget.left() - explaining_seconds(job.budget.seconds))
    gaps = with_gaps(
        pipeline, judged.intervals, held_out, job.table, first=best, seconds=max(0.0, allowed), seed=job.seed
    )
    pipeline.settle(best, gaps, judged.ahead)
    rows = _with_costs(pipeline, rows, trained, baselines, weights, job)
    plan = _explain(job, pipeline, _resolved(trained, weights, chosen_from, baselines))
    made, card = _made_here(job, trained), (gpu_name() or "") if gpu else ""
    compared = (best, pipeline.models, job.table.y_choosing, job.table.y_test, judged)
    result = TrainResult(
        leaderboard=(*rows, *absent(trained, baselines)),
        best_model=best,
        comparison=compare_with_baselines(*compared, seed=job.seed) if trained.fits else None,
        comparisons=compare_with_each(*compared, seed=job.seed) if trained.fits else (),
        rows=job.table.counts,
        over_time=errors_over_time(job, best, judged),
        unseen=only_tested(job, best, judged),
        plan=plan,
        ensemble_weights=weights,
        seconds=job.budget.used() + earlier_seconds(folder),
        stopped_early=trained.stopped,
        device="gpu" if any(fit.device == "gpu" for fit in made) else "cpu",
        device_note=used_note(made, card) if made and card else device,
        cores=core_count(),
        gpu=card,
        target_mean=float(np.mean(job.table.y_train)),
        target_std=float(np.std(job.table.y_train)),
        target_transform=job.table.transform.method,
        target_rescaled=job.table.transform.rescales,
        versions=versions(),
        ahead=judged_ahead(pipeline, job.table, judged.ahead),
        notes=run_notes(trained, job.budget.seconds),
    )
    write_spec(folder.path / "result.json", result)


def explaining_seconds(time_limit: float) -> float:
    """Return the seconds to keep for the first explanation."""
    return min(60.0, max(2.0, 0.04 * time_limit))


def _train(
    job: TrainingJob, outlook: Outlook, contexts: Future[dict[str, dict[str, Any]]], grown: Signal, *, gpu: bool
) -> tuple[Networks, Trained]:
    plan, source = job.experiment.plan, job.source
    job.folder.emit("stage", name="Preparing the networks' input")
    earlier = source.checkpoint() if source is not None else Checkpoint()
    refuse_other_versions(earlier)
    networks = Networks(
        job.folder.path / "model" / NETWORKS,
        job.rows,
        source=source.path / "model" / NETWORKS if source is not None and earlier.fits else None,
        taken=[done.fit.model for done in earlier.fits],
    )
    keep = CheckpointWriter(job.folder, networks, "gpu" if gpu else "cpu", job.cores)
    if earlier.fits:
        keep(earlier)
    explaining = explaining_seconds(job.budget.seconds)

    def afterwards() -> float:
        # With the one that is trained next.
        return _judging_seconds(job, len(networks.names) + 1) + explaining

    hooks = RunHooks(
        time_left=lambda: job.budget.left() - afterwards(),
        emit=job.folder.emit,
        enough=job.enough,
        keep=keep,
        afterwards=afterwards,
        contexts=lambda: contexts.result() if contexts.done() else {},
    )
    count, threads = processes_for(job.cores, gpu=gpu, rows=networks.rows, gpu_mb=gpu_free_mb() if gpu else 0.0)
    replay = job.experiment.replay
    try:
        with TrainingPool(count, networks.rows_file) as pool:
            loop = TrainingLoop(networks, pool, plan, hooks, threads=threads, gpu=gpu, earlier=earlier, outlook=outlook)
            # The processes load their libraries meanwhile. A machine that is too busy to grow trees in time mustn't
            # keep the networks from theirs: what is left of the trees is grown beside them.
            grown.wait(STRETCH * boosted_seconds(job.budget.seconds))
            # What goes on from a repetition is a training of its own.
            repeats = replay is not None and job.task.more is None
            trained = loop.replay(replay) if replay is not None and repeats else loop.run()
    finally:
        networks.close()
    return networks, trained


def _ensemble(job: TrainingJob, networks: Networks) -> tuple[dict[str, float], tuple[str, ...]]:
    """Return the weights of the ensemble, and the networks it was chosen from; nothing where there is but one.

    What an earlier task of the run chose stays where more networks make it no better on validation.
    """
    replay, earlier = job.experiment.replay, job.folder.run.result()
    choices = [tuple(networks.names)]
    if replay is not None and job.task.more is None:
        choices = [replay.ensemble_from or choices[0]]
    elif job.source is not None and earlier is not None and earlier.plan.ensemble:
        choices.append(earlier.plan.ensemble_from or tuple(fit.model for fit in earlier.plan.fits))
    found = []
    for names in choices:
        held_out = {name: networks.held_out[name] for name in names}
        if len(names) > 1:
            weights = ensemble_weights(held_out, networks.target, seed=job.seed)
            # One network alone is no ensemble, but that network.
            weights = weights if len(weights) > 1 else {}
            found.append((rmse(mixed(held_out, weights), networks.target), weights, names))
    _, weights, names = min(found, key=lambda one: one[0], default=(0.0, {}, ()))
    return weights, names


def _resolved(
    trained: Trained, weights: dict[str, float], chosen_from: tuple[str, ...], baselines: tuple[Baseline, ...]
) -> ResolvedPlan:
    every = tuple(fit.model for fit in trained.fits)
    return ResolvedPlan(
        fits=trained.fits,
        ensemble=bool(weights),
        ensemble_from=() if set(chosen_from) == set(every) else chosen_from,
        baseline_iterations=boosted_iterations(baselines),
        baseline_folds=boosted_folds(baselines),
    )


def _held_out(
    job: TrainingJob, networks: Networks, baselines: tuple[Baseline, ...], weights: dict[str, float]
) -> dict[str, NDArray[np.float64]]:
    """Return each model's predictions for the rows that choose, of which it has learned nothing."""
    found = dict(networks.held_out)
    if weights:
        found[ENSEMBLE] = mixed(networks.held_out, weights)
    for baseline in baselines:
        if baseline.oof is not None:
            found[BASELINES[baseline.key]] = baseline.oof
        elif baseline.model is not None:
            found[BASELINES[baseline.key]] = baseline.predict(job.rows.validation, job.table.transform)
    return found


def _best(networks: Networks, weights: dict[str, float], held_out: dict[str, NDArray[np.float64]], *, seed: int) -> str:
    """Return the model that validation prefers: an ensemble only where it is better on rows that didn't choose it.

    A baseline is it only where no network could be trained: the best on the rows that each of them has predicted.
    """
    if not networks.names:
        known = predicted_by_all(held_out.values())
        return min(held_out, key=lambda name: rmse(held_out[name][known], networks.target[known]))
    if weights and worth_combining(networks.held_out, networks.target, seed=seed):
        return ENSEMBLE
    return min(networks.names, key=networks.validation_rmse)


def _judging_seconds(job: TrainingJob, networks: int) -> float:
    """Return the seconds to keep for predicting validation and test rows and for measuring."""
    # Rows held out were predicted when each network was complete.
    predictions = (job.table.counts.test * max(1, job.table.counts.folds) + job.table.rows_ahead) * networks
    needed = 1.0 + _JUDGED_SECONDS * networks + predictions / _PREDICTED_PER_SECOND
    return min(needed, 0.25 * job.budget.seconds)


def _made_here(job: TrainingJob, trained: Trained) -> tuple[PlannedFit, ...]:
    """Return the networks that this task trained; all of them where it has only taken over what there was."""
    earlier = job.source.checkpoint().fits if job.source is not None else ()
    taken = {done.fit.model for done in earlier}
    return tuple(fit for fit in trained.fits if fit.model not in taken) or trained.fits


def _build_pipeline(
    job: TrainingJob, trained: Trained, baselines: tuple[Baseline, ...], weights: dict[str, float]
) -> Pipeline:
    """Write the pipeline with every model, and load it as everybody else will."""
    models = [
        PipelineModel(name=fit.model, family=fit.family, role="network", internal=fit.model) for fit in trained.fits
    ]
    if weights:
        ensemble = PipelineModel(name=ENSEMBLE, family="ENSEMBLE", role="ensemble", internal=ENSEMBLE, members=weights)
        models.append(ensemble)
    fitted = {b.key: b.model for b in baselines if b.model is not None}
    models += [PipelineModel(name=BASELINES[key], family=key, role="baseline", internal=key) for key in fitted]
    path = job.folder.path / "model"
    recipe = job.experiment.recipe
    spec = PipelineSpec(
        target=recipe.target,
        unit=recipe.unit,
        cleaner=job.cleaner,
        best_model=models[0].name,
        models=tuple(models),
        transform=job.table.transform,
    )
    save_pipeline(path, spec, dict(fitted))
    pipeline = Pipeline(path)
    for model in models:
        pipeline.persist(model.name)
    return pipeline


def _judge(job: TrainingJob, pipeline: Pipeline, judged: Judged) -> tuple[LeaderboardRow, ...]:
    y_choosing, y_test = job.table.y_choosing, job.table.y_test
    rows = [judge(model, y_choosing, y_test, judged, seed=job.seed) for model in pipeline.models]
    return tuple(sorted(rows, key=lambda row: (row.rmse_validation or 0.0, row.model)))


def _with_costs(
    pipeline: Pipeline,
    rows: tuple[LeaderboardRow, ...],
    trained: Trained,
    baselines: tuple[Baseline, ...],
    weights: dict[str, float],
    job: TrainingJob,
) -> tuple[LeaderboardRow, ...]:
    """Add what each model costs, and the note that belongs to it."""
    seconds = trained.seconds | {BASELINES[b.key]: b.fit_seconds for b in baselines}
    seconds[ENSEMBLE] = sum(trained.seconds[member] for member in weights)
    mean = next((row for row in rows if row.family == "MEAN"), None)
    cut = {fit.model: note for fit in trained.fits if (note := cut_note(fit, int(job.rows.taught.sum())))}
    short = {BASELINES[b.key]: shortage_note(b, int(job.rows.taught.sum())) for b in baselines}
    strengths = {BASELINES[b.key]: strength(b, int(job.rows.taught.sum())) for b in baselines}
    found = []
    for row in rows:
        note = worse_than_mean_note(row, mean)
        if row.role == "ensemble":
            note = " + ".join(
                f"{weight:.0%} {member}" for member, weight in sorted(weights.items(), key=lambda w: -w[1])
            )
        elif row.role == "baseline":
            note = short[row.model]
        elif not note and row.model in cut:
            note = cut[row.model]
        cost = {
            "fit_seconds": seconds[row.model],
            "predict_rows_per_second": rows_per_second(pipeline, row.model, job.table.test),
            "size_mb": pipeline.size_mb(row.model),
            "note": note,
            "strength": strengths.get(row.model),
        }
        found.append(row.model_copy(update=cost))
    return tuple(found)


def _save_predictions(job: TrainingJob, judged: Judged) -> None:
    table = job.table
    validation = PartPredictions(table.rows_choosing, table.y_choosing, judged.validation)
    save_predictions(job.folder, "validation", validation)
    save_predictions(job.folder, "test", PartPredictions(table.rows_test, table.y_test, judged.test))


def _explain(job: TrainingJob, pipeline: Pipeline, plan: ResolvedPlan) -> ResolvedPlan:
    """Explain the best model in the time that is left, or just as the replayed run did."""
    job.folder.emit("stage", name=f"Explaining {pipeline.best_model}")
    replay = job.experiment.replay
    if replay is not None and replay.explain_rows:
        sizes = ExplainSizes(replay.explain_rows, replay.explain_background, replay.explain_permutations)
    else:
        if job.enough():
            # Whoever says that it is enough waits for the result.
            speed, seconds = rows_per_second(pipeline, pipeline.best_model, job.table.test), 1.0
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
