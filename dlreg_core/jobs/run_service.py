"""What one owner can see and do: the way of pages, command line and other fronts to the runs."""

from __future__ import annotations

import logging

from sqlalchemy.exc import SQLAlchemyError

from dlreg_core.errors import ConflictError, PlanError
from dlreg_core.jobs.dataset_service import DatasetService
from dlreg_core.jobs.device_slots import QueuePlace
from dlreg_core.jobs.dispatcher import Dispatcher, open_dispatcher
from dlreg_core.jobs.standby_process import StandbyState
from dlreg_core.runs import ModelSummary, QueuedTask, RunFolder, RunSummary, TaskFolder
from dlreg_core.settings import Settings
from dlreg_core.specs import Experiment, ExplainRequest, Report, RunState

_log = logging.getLogger(__name__)


class RunService:
    """The runs of one owner; those of others don't exist here.

    Parameters
    ----------
    dispatcher : Dispatcher
        What looks after all runs.
    owner : str
        Whose runs these are.
    """

    def __init__(self, dispatcher: Dispatcher, owner: str) -> None:
        self.dispatcher = dispatcher
        self.owner = owner
        self._store = dispatcher.store

    def list(self, dataset_id: str | None = None) -> tuple[RunSummary, ...]:
        """Return the runs, newest first; of one data set, if asked."""
        return self._store.list(self.owner, dataset_id)

    def models(self) -> tuple[ModelSummary, ...]:
        """Return the models of all runs, the best of each run first."""
        return self._store.index.models(self.owner)

    def queue(self) -> tuple[QueuedTask, ...]:
        """Return the tasks that train or wait, in the order in which they came."""
        return tuple(task for task in self._store.index.live() if task.owner == self.owner)

    def folder(self, run_id: str) -> RunFolder:
        """Return the folder of a run; `NotFoundError` if there is none."""
        return self._store.folder(run_id, self.owner)

    def report(self, run_id: str) -> Report:
        """Return what a run adds up to."""
        return self._store.report(run_id, self.owner)

    def refresh(self, run_id: str) -> RunState:
        """Bring the list into line with a run's folder, as far as the list can be written; return the run's state."""
        folder = self.folder(run_id)
        try:
            return self._store.refresh(folder.id)
        except SQLAlchemyError:
            # The folder has it all, and the next look at the list catches up.
            _log.exception("the list of runs could not be written")
            return folder.state()

    def stand_by(self, device: str = "auto") -> StandbyState | None:
        """Have what the next training needs loaded in advance; return what stands by. See `Dispatcher.stand_by`."""
        self.dispatcher.stand_by(device)
        return self.dispatcher.standing()

    def submit(self, experiment: Experiment) -> str:
        """Queue a run of this owner; return its id."""
        return self.dispatcher.submit(experiment.model_copy(update={"owner": self.owner}))

    def explain(self, run_id: str, request: ExplainRequest) -> TaskFolder:
        """See `Dispatcher.explain`; `ConflictError` where the data was deleted."""
        return self.dispatcher.explain(self._with_data(run_id), request)

    def finish(self, run_id: str) -> TaskFolder:
        """See `Dispatcher.finish`."""
        return self.dispatcher.finish(self.folder(run_id))

    def go_on(self, run_id: str, time_limit: float) -> TaskFolder:
        """See `Dispatcher.go_on`; `PlanError` for a time that can't be, `ConflictError` where the data was deleted."""
        seconds = checked_time_limit(time_limit)
        return self.dispatcher.go_on(self._with_data(run_id), seconds)

    def _with_data(self, run_id: str) -> RunFolder:
        folder = self.folder(run_id)
        if not self.data.has(folder.experiment()):
            raise ConflictError(f"The data of run {run_id} was deleted.", "Add its file again.")
        return folder

    def cancel(self, run_id: str, number: int | None = None) -> bool:
        """See `Dispatcher.cancel`."""
        return self.dispatcher.cancel(self.folder(run_id), number)

    def delete(self, run_id: str) -> None:
        """See `RunStore.delete`."""
        self._store.delete(run_id, self.owner)

    def delete_explanations(self, run_id: str) -> int:
        """See `RunStore.delete_explanations`."""
        return self._store.delete_explanations(run_id, self.owner)

    @property
    def data(self) -> DatasetService:
        """The data sets of this owner, and what can be done with them."""
        return DatasetService(self._store, self.owner)

    def place(self, run_id: str) -> QueuePlace | None:
        """See `Dispatcher.place`."""
        return self.dispatcher.place(self.folder(run_id))


def checked_time_limit(seconds: float) -> float:
    """Return a budget in seconds; `PlanError` if it isn't one."""
    if not 0 < seconds < float("inf"):
        raise PlanError("The time limit must be a positive number of seconds.", "Give it 30 s or more.")
    return seconds


def open_run_service(settings: Settings, owner: str | None = None) -> RunService:
    """Return the desk of `owner` in the home that `settings` name; of the one local owner without it."""
    return RunService(open_dispatcher(settings), owner or settings.owner)
