"""The simple models that a run's networks are compared with."""

from __future__ import annotations

from threading import Event as Signal

import joblib

from dlreg_core.networks import BASELINES
from dlreg_core.training.baselines.simple_models import Baseline, Boosting, fit_baselines
from dlreg_core.training.planning import boosted_seconds, most_baseline_rows, most_boosted_rows
from dlreg_core.worker.training_job import TrainingJob


def baselines_of(job: TrainingJob, grown: Signal) -> tuple[Baseline, ...]:
    """Return the baselines: those of the earlier task where there is one, since they would be the same.

    Parameters
    ----------
    job : TrainingJob
        What is trained.
    grown : threading.Event
        Set once the boosted trees have all that they need the machine for.
    """
    try:
        return _fitted(job, grown)
    finally:
        grown.set()


def _fitted(job: TrainingJob, grown: Signal) -> tuple[Baseline, ...]:
    source, replay = job.source, job.experiment.replay
    kept = source.path / "baselines.joblib" if source is not None else None
    baselines: tuple[Baseline, ...] = joblib.load(kept) if kept is not None and kept.exists() else ()
    # Tasks of earlier versions have fewer kinds.
    if {baseline.key for baseline in baselines} != set(BASELINES):
        rows, limit = job.rows, job.experiment.plan.time_limit
        baselines = fit_baselines(
            rows.features,
            rows.target,
            rows.validation if rows.folds is None else None,
            rows.validation_target if rows.folds is None else None,
            folds=rows.folds,
            seed=job.seed,
            most_rows=most_baseline_rows(limit),
            boosting=Boosting(
                threads=max(1, job.cores // 2),
                threads_alone=job.cores,
                seconds=boosted_seconds(limit),
                iterations=(replay.baseline_iterations or None) if replay is not None else None,
                folds=(replay.baseline_folds or None) if replay is not None else None,
                most_rows=most_boosted_rows(
                    int(rows.taught.sum()),
                    rows.features.shape[1],
                    rows.features.select_dtypes("category").shape[1],
                    limit,
                    threads=job.cores,
                ),
            ),
            transform=rows.transform,
            taught=rows.taught,
            asked=job.cleaner.transform(job.table.test),
            when_grown=grown.set,
        )
    joblib.dump(baselines, job.folder.path / "baselines.joblib", compress=3)
    return baselines
