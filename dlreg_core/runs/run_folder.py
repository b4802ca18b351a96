"""A run is a folder, a task is a folder in it, and done means that ``DONE`` exists.

::

    RUN/experiment.json            what the run is about
        tasks/1/task.json          what was asked
                launched.json      when a process was started for it
                started.json       which process took it
                ready.json         when that had loaded what it needs: the budget counts from here
                worker.lock        held by that process for as long as it lives
                pulse.json         its last sign of life
                cancelling.json    when somebody began to end it
                finish.json        when somebody asked it to finish and keep the best
                events.jsonl       what happened, a line each
                log.txt            what the libraries printed
                checkpoint.json    what is finished so far, to go on from
                result.json, …     what was found
                DONE               how it ended; from then on the folder is never changed

The state of a run is what its tasks add up to: while the latest training task is live, its state; afterwards that of a
completed run as soon as any of them left a result.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.runs.atomic_files import read_spec, write_spec
from dlreg_core.runs.task_files import EventLog, TaskFiles
from dlreg_core.specs import Experiment, RunState, Task, TaskKind, TrainResult

__all__ = ["EventLog", "RunFolder", "TaskFolder"]


class TaskFolder(TaskFiles):
    """One task of a run.

    Parameters
    ----------
    path : Path
        The folder ``RUN/tasks/N``.
    """

    @property
    def run(self) -> RunFolder:
        """The run that this task belongs to."""
        return RunFolder(self.path.parents[1])

    def time_limit(self) -> float:
        """Return the seconds that a training task was given."""
        more = self.task().more
        return more.time_limit if more is not None else self.run.experiment().plan.time_limit


class RunFolder:
    """One run.

    Parameters
    ----------
    path : Path
        The folder ``HOME/runs/RUN_ID``.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def id(self) -> str:
        """The run's identifier: the name of its folder."""
        return self.path.name

    @property
    def home(self) -> Path:
        """The home that holds this run and its data sets."""
        return self.path.parents[1]

    def experiment(self) -> Experiment:
        """Return what the run is about."""
        return read_spec(self.path / "experiment.json", Experiment)

    def tasks(self) -> tuple[TaskFolder, ...]:
        """Return the run's tasks by number."""
        folder = self.path / "tasks"
        numbers = sorted(int(p.name) for p in folder.iterdir() if p.name.isdigit()) if folder.exists() else []
        return tuple(TaskFolder(folder / str(number)) for number in numbers)

    def task(self, number: int) -> TaskFolder:
        """Return the task with that number.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        folder = TaskFolder(self.path / "tasks" / str(number))
        if not folder.path.is_dir():
            raise NotFoundError(f"Run {self.id} has no task {number}.")
        return folder

    def add_task(self, kind: TaskKind, **request: Any) -> TaskFolder:
        """Create the folder of a new task.

        Raises
        ------
        ConflictError
            If another one was added at the same moment.
        """
        taken = [task.number for task in self.tasks()]
        number = max(taken, default=0) + 1
        task = Task(**{"run_id": self.id, "number": number, "kind": kind} | request)
        folder = self.path / "tasks"
        folder.mkdir(parents=True, exist_ok=True)
        # The folder appears under its number only when it is complete.
        building = Path(tempfile.mkdtemp(prefix=f".{number}-", dir=folder))
        write_spec(building / "task.json", task)
        try:
            building.rename(folder / str(number))
        except OSError as exc:
            shutil.rmtree(building)
            raise ConflictError(f"Another task of run {self.id} was added at the same moment.", "Try again.") from exc
        return TaskFolder(folder / str(number))

    def train_task(self) -> TaskFolder:
        """Return the latest task that trains this run's models."""
        for folder in reversed(self.tasks()):
            if folder.task().kind.trains:
                return folder
        raise NotFoundError(f"Run {self.id} has no training task.")

    def result_task(self) -> TaskFolder | None:
        """Return the latest task that completed with a result, or None while there is none."""
        for folder in reversed(self.tasks()):
            if (folder.path / "result.json").exists() and _is_completed(folder):
                return folder
        return None

    def model_path(self) -> Path:
        """Return the folder of the fitted pipeline.

        Raises
        ------
        NotFoundError
            If the run has no models.
        """
        task = self.result_task()
        if task is None:
            raise NotFoundError(f"Run {self.id} has no models.", "Train it first.")
        return task.path / "model"

    def result(self) -> TrainResult | None:
        """Return what training found, or None while there is nothing."""
        task = self.result_task()
        return read_spec(task.path / "result.json", TrainResult) if task is not None else None

    def state(self) -> RunState:
        """Return what the run's tasks add up to."""
        latest = self.train_task().state()
        if latest.is_final and latest is not RunState.COMPLETED and self.result_task() is not None:
            return RunState.COMPLETED
        return latest

    def bytes(self) -> int:
        """Return how much of the disk the run takes."""
        return sum(file.stat().st_size for file in self.path.rglob("*") if file.is_file())

    def delete(self) -> None:
        """Remove everything of this run."""
        shutil.rmtree(self.path)


def _is_completed(task: TaskFolder) -> bool:
    done = task.done()
    return done is not None and done.state is RunState.COMPLETED
