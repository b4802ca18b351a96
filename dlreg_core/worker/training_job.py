"""What a training task works with from start to end, and whether there is room for it."""

from __future__ import annotations

import time
from dataclasses import dataclass

from dlreg_core.cleaning import Cleaner, fit_cleaner
from dlreg_core.errors import PlanError
from dlreg_core.runs import Outlook, TaskFolder
from dlreg_core.specs import Experiment, Task
from dlreg_core.splitting import WHY_DRAWN, PreparedTable, prepared_of
from dlreg_core.training.execution.run_hooks import Budget
from dlreg_core.training.execution.run_networks import NetworkRows, core_count
from dlreg_core.training.planning.machine_resources import frame_mb, own_memory_mb, preflight
from dlreg_core.wording import outlook_words


@dataclass(frozen=True)
class TrainingJob:
    """What a training task works with from start to end."""

    folder: TaskFolder
    task: Task
    experiment: Experiment
    budget: Budget
    table: PreparedTable
    cleaner: Cleaner
    rows: NetworkRows

    @property
    def seed(self) -> int:
        """Seed of everything that is random."""
        return self.experiment.plan.seed

    @property
    def source(self) -> TaskFolder | None:
        """The task whose networks are taken over."""
        number = self.task.more.source if self.task.more is not None else None
        return self.folder.run.task(number) if number is not None else None

    @property
    def cores(self) -> int:
        """Processor cores that this run may use: runs beside it want some too."""
        launch = self.folder.launch()
        return launch.cores if launch is not None and launch.cores else core_count()

    @property
    def only_keep(self) -> bool:
        """True when nothing more shall be trained."""
        return self.task.more is not None and self.task.more.time_limit == 0

    def enough(self) -> bool:
        """Tell whether somebody has said that it is enough."""
        return self.only_keep or self.folder.is_asked_to_finish()


def prepare_job(folder: TaskFolder, task: Task) -> TrainingJob:
    """Prepare the rows of a training task."""
    folder.emit("stage", name="Preparing the rows")
    experiment = folder.run.experiment()
    table = prepared_of(folder.run.home, experiment)
    if table.counts.drawn:
        folder.emit("log", text=f"Drew {table.counts.drawn:,} of the {table.counts.drawn_from:,} rows: {WHY_DRAWN}.")
    cleaner = fit_cleaner(table.taught, table.types, experiment.recipe.cleaning, table.day_first, table.written)
    # The columns of the schema that new rows don't have yet are made from here on.
    past = table.past.only(cleaner.schema_.names) if table.past is not None else None
    cleaner = cleaner.model_copy(update={"past": past})
    return TrainingJob(
        folder=folder,
        task=task,
        experiment=experiment,
        budget=Budget(began=time.monotonic() - folder.used_seconds(), seconds=folder.time_limit()),
        table=table,
        cleaner=cleaner,
        rows=NetworkRows(
            features=cleaner.transform(table.train),
            target=table.y_train,
            validation=cleaner.transform(table.validation),
            validation_target=table.y_validation,
            folds=table.folds,
            transform=table.transform,
            outlying=table.outlying,
        ),
    )


def check_room(job: TrainingJob, *, gpu: bool) -> Outlook:
    """Look at what the run needs, and tell it.

    Raises
    ------
    PlanError
        If the run can't be carried out on this machine at all.
    """
    table, more = job.table, job.task.more
    outlook = preflight(
        job.rows.features,
        table.counts,
        job.experiment.plan.model_copy(update={"time_limit": max(1.0, job.budget.seconds)}),
        job.folder.run.home,
        cores=job.cores,
        gpu=gpu,
        raw_mb=sum(frame_mb(part) for part in (table.train, table.validation, table.test)),
        held_mb=own_memory_mb(),
    )
    # A repetition looks at no clock, and what goes on from networks has a result without more of them.
    timeless = job.experiment.replay is not None or (more is not None and more.source is not None)
    if outlook.refusal and not (timeless and outlook.lacks == "time"):
        raise PlanError(outlook.refusal, outlook.hint)
    if not timeless:
        job.folder.emit("log", text=outlook_words(outlook))
    return outlook
