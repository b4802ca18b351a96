"""All runs of one home: folders and index together."""

from __future__ import annotations

import secrets
import shutil
from functools import cache
from pathlib import Path

from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.runs.files import write_spec
from dlreg_core.runs.folder import RunFolder, TaskFolder
from dlreg_core.runs.index import RunIndex, RunSummary
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, Experiment, Report, RunState, TaskKind, now

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class RunStore:
    """The runs of one home.

    Parameters
    ----------
    home : Path
        Where everything is kept.
    index : RunIndex
        The index and queue.
    """

    def __init__(self, home: Path, index: RunIndex) -> None:
        self.home = home
        self.index = index

    def create(self, experiment: Experiment, owner: str) -> RunFolder:
        """Create the folder of a new run with its training task, and list it as queued."""
        run_id = _new_id()
        building = self.home / "runs" / f".{run_id}"
        building.mkdir(parents=True)
        write_spec(building / "experiment.json", experiment)
        final = building.with_name(run_id)
        building.rename(final)
        folder = RunFolder(final)
        folder.add_task(TaskKind.TRAIN)
        self.index.add(run_id, experiment, owner)
        return folder

    def folder(self, run_id: str) -> RunFolder:
        """Return the folder of a run.

        Raises
        ------
        NotFoundError
            If there is no such run.
        """
        folder = RunFolder(self.home / "runs" / run_id) if run_id and run_id.isalnum() else None
        if folder is None or not folder.path.is_dir():
            raise NotFoundError(f"There is no run {run_id!r}.", "Choose one from the list of runs.")
        return folder

    def report(self, run_id: str) -> Report:
        """Return what the tasks of a run add up to, read from its folder alone."""
        folder = self.folder(run_id)
        task = folder.train_task()
        done = task.done()
        return Report(
            run_id=run_id,
            run_dir=str(folder.path),
            state=task.state(),
            reason=done.reason if done else "",
            hint=done.hint if done else "",
            experiment=folder.experiment(),
            started=task.started(),
            ended=done.ended if done else None,
            result=folder.result(),
        )

    def list(self, owner: str, dataset_id: str | None = None) -> tuple[RunSummary, ...]:
        """Return the runs of `owner`, newest first."""
        return self.index.list(owner, dataset_id)

    def refresh(self, run_id: str) -> RunState:
        """Bring the index into line with the run's folder; return the state."""
        try:
            folder = self.folder(run_id)
        except NotFoundError:
            self.index.remove(run_id)
            return RunState.CANCELLED
        try:
            state = folder.train_task().state()
            result = folder.result() if state.is_final else None
        except NotFoundError:
            # Damaged, or written by another version: it stays on the list, where it can be deleted.
            state, result = RunState.INTERRUPTED, None
        if state is not RunState.QUEUED:
            self.index.set_state(run_id, state, result)
        return state

    def queue_place(self, run_id: str) -> int:
        """Return how many queued runs will start before this one."""
        queued = [identifier for identifier, state in self.index.live() if state is RunState.QUEUED]
        return queued.index(run_id) if run_id in queued else 0

    def withdraw(self, run_id: str) -> bool:
        """Cancel a run that is still queued; False if it isn't any more."""
        if not self.index.withdraw(run_id):
            return False
        self.folder(run_id).train_task().finish(Done(state=RunState.CANCELLED, reason="Cancelled before it started."))
        return True

    def delete(self, run_id: str) -> None:
        """Remove a run that isn't live, with everything that belongs to it.

        Raises
        ------
        ConflictError
            If it is queued or running.
        """
        folder = self.folder(run_id)
        if any(_is_live(task) for task in folder.tasks()):
            raise ConflictError(f"Run {run_id} is still going.", "Cancel it first, then delete it.")
        # Out of sight in one step, so that a half-removed run is never listed.
        doomed = folder.path.with_name(f".{run_id}.deleted")
        folder.path.rename(doomed)
        self.index.remove(run_id)
        shutil.rmtree(doomed)
        for made in (self.home / "cache" / "exports").glob(f"{run_id}-*"):
            made.unlink(missing_ok=True)


@cache
def _store(home: Path, url: str) -> RunStore:
    home.mkdir(parents=True, exist_ok=True)
    return RunStore(home, RunIndex(url))


def open_store(settings: Settings) -> RunStore:
    """Return the store of the home that `settings` name; one object for each home and process."""
    return _store(settings.home, settings.database_url)


def _is_live(task: TaskFolder) -> bool:
    try:
        return not task.state().is_final
    except NotFoundError:
        # How it ended can't be read; only a process that still holds it is in the way then.
        return task.is_held()


def _new_id() -> str:
    """Return an identifier that sorts by time and is short enough to say on the telephone."""
    return now().strftime("%y%m%d%H%M%S") + "".join(secrets.choice(_LETTERS) for _ in range(4))
