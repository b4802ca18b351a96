"""All runs of one home: folders and index together."""

from __future__ import annotations

import secrets
import shutil
from datetime import datetime
from functools import cache
from pathlib import Path

from dlreg_core.errors import ConflictError, NotFoundError
from dlreg_core.runs.atomic_files import write_spec
from dlreg_core.runs.home_permissions import open_home
from dlreg_core.runs.process_death import keepable, post_mortem, silent_seconds, source_of
from dlreg_core.runs.run_folder import RunFolder, TaskFolder
from dlreg_core.runs.run_index import QueuedTask, RunIndex, RunSummary
from dlreg_core.runs.task_results import delete_explanations
from dlreg_core.settings import Settings
from dlreg_core.specs import ContinueRequest, Done, Experiment, Report, RunState, TaskKind, now

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


class RunStore:
    """The runs of one home.

    Parameters
    ----------
    home : Path
        Where everything is kept.
    index : RunIndex
        The index and queue.

    Notes
    -----
    The folders are what counts: each step changes the folder first, and `reconcile` brings the index into line with
    them after any crash between the two.
    """

    def __init__(self, home: Path, index: RunIndex) -> None:
        self.home = home
        self.index = index
        self._owners: dict[str, str] = {}

    def create(self, experiment: Experiment) -> RunFolder:
        """Create the folder of a new run with its training task, and queue that."""
        run_id = _new_id()
        building = self.home / "runs" / f".{run_id}"
        building.mkdir(parents=True)
        write_spec(building / "experiment.json", experiment)
        RunFolder(building).add_task(TaskKind.TRAIN, run_id=run_id)
        final = building.with_name(run_id)
        building.rename(final)
        folder = RunFolder(final)
        self.index.add(run_id, experiment)
        self._enqueue(folder.train_task())
        return folder

    def folder(self, run_id: str, owner: str | None = None) -> RunFolder:
        """Return the folder of a run; with `owner`, only if it is theirs.

        Raises
        ------
        NotFoundError
            If there is no such run.
        """
        folder = RunFolder(self.home / "runs" / run_id) if run_id and run_id.isalnum() else None
        if folder is None or not folder.path.is_dir() or (owner is not None and not self._belongs(folder, owner)):
            raise NotFoundError(f"There is no run {run_id!r}.", "Choose one from the list of runs.")
        return folder

    def _belongs(self, folder: RunFolder, owner: str) -> bool:
        # A run stays whose it is, and pages ask dozens of times for each click.
        if folder.id not in self._owners:
            known = self.index.owner(folder.id)
            # A run that a crash kept from the list, or a list that was lost: the folder knows.
            self._owners[folder.id] = known if known is not None else folder.experiment().owner
        return self._owners[folder.id] == owner

    def report(self, run_id: str, owner: str | None = None) -> Report:
        """Return what the tasks of a run add up to, read from its folder alone."""
        folder = self.folder(run_id, owner)
        task = folder.train_task()
        state = task.state()
        done = task.done()
        if done is None and state.is_final and task.start() is not None:
            done = post_mortem(task)
        running = state is RunState.RUNNING
        launch = task.launch()
        return Report(
            run_id=run_id,
            run_dir=str(folder.path),
            state=folder.state() if state.is_final else state,
            reason=done.reason if done else "",
            hint=done.hint if done else "",
            experiment=folder.experiment(),
            time_limit=task.time_limit(),
            continues=task.task().more is not None,
            launched=launch.time if launch else None,
            begun=task.begun(),
            used_seconds=task.used_seconds() if running else 0.0,
            started=_first_start(folder),
            ended=done.ended if done else None,
            finishing=running and task.is_asked_to_finish(),
            silent_seconds=silent_seconds(task) if running and task.start() is not None else 0.0,
            keepable=keepable(folder) if state.is_final else (),
            result=folder.result(),
        )

    def list(self, owner: str, dataset_id: str | None = None) -> tuple[RunSummary, ...]:
        """Return the runs of `owner`, newest first."""
        return self.index.list(owner, dataset_id)

    # --- keeping the index in line with the folders -----------------------------------------------------------------

    def refresh(self, run_id: str) -> RunState:
        """Bring the index into line with the run's folder; return the state."""
        try:
            folder = self.folder(run_id)
        except NotFoundError:
            self.index.remove(run_id)
            return RunState.CANCELLED
        ended, size, result = None, None, None
        try:
            state = folder.state()
            if state.is_final:
                result, size, ended = folder.result(), folder.bytes() / 1e6, _ended(folder)
        except NotFoundError:
            # Damaged, or written by another version: it stays on the list, where it can be deleted.
            state = RunState.INTERRUPTED
        self.index.set_state(run_id, state, result, size_mb=size, ended=ended)
        return state

    def reconcile(self) -> None:
        """Make the lists hold just what the folders hold: after a crash, a lost database or a change of version."""
        root = self.home / "runs"
        folders = {path.name for path in root.iterdir() if path.name.isalnum()} if root.is_dir() else set()
        listed = {run.run_id for run in self.index.list()}
        for run_id in listed - folders:
            # It may have been deleted, or be about to appear: the folder comes first when a run is made.
            if not (root / run_id).exists():
                self.index.remove(run_id)
        for run_id in folders:
            self._relist(RunFolder(root / run_id), known=run_id in listed)

    def _relist(self, folder: RunFolder, *, known: bool) -> None:
        try:
            if not known and not self.index.add(folder.id, folder.experiment()):
                return
            for task in folder.tasks():
                if not (task.path / "DONE").exists():
                    self._enqueue(task)
        except NotFoundError:
            # Damaged: it can't be listed without its experiment, and it must not keep the others from it.
            return
        if not known:
            self.refresh(folder.id)

    def _enqueue(self, task: TaskFolder) -> None:
        asked, experiment = task.task(), task.run.experiment()
        self.index.enqueue(
            QueuedTask(
                run_id=task.run.id,
                number=task.number,
                owner=experiment.owner,
                kind=asked.kind,
                device=experiment.plan.device if asked.kind.trains else "none",
                budget_seconds=task.time_limit() if asked.kind.trains else 0.0,
                queued=asked.created,
                slot=None,
            )
        )

    # --- changing runs ------------------------------------------------------------------------------------------------

    def add_task(self, folder: RunFolder, kind: TaskKind, **request: object) -> TaskFolder:
        """Add a task to a run, and queue it."""
        task = folder.add_task(kind, **request)
        self._enqueue(task)
        self.refresh(folder.id)
        return task

    def add_continuation(self, folder: RunFolder, time_limit: float) -> TaskFolder:
        """Add a task that goes on from all networks that the run has, and queue it.

        Raises
        ------
        ConflictError
            If the run is live.
        """
        latest = folder.train_task()
        state = latest.state()
        if state is RunState.QUEUED:
            raise ConflictError(f"Run {folder.id} waits to be started.", "It can be continued once it has ended.")
        if not state.is_final:
            raise ConflictError(
                f"Run {folder.id} is still going.", "It can be continued once it has ended, or is told to finish."
            )
        source = source_of(folder)
        more = ContinueRequest(source=source.number if source else None, time_limit=time_limit)
        return self.add_task(folder, TaskKind.CONTINUE, more=more)

    def withdraw(self, task: TaskFolder) -> bool:
        """Cancel a task that still waits; False if it doesn't any more."""
        if not self.index.withdraw(task.run.id, task.number):
            return False
        task.conclude(Done(state=RunState.CANCELLED, reason="Cancelled before it started."), patience=1.0)
        self.refresh(task.run.id)
        return True

    def delete(self, run_id: str, owner: str | None = None) -> None:
        """Remove a run that isn't live, with everything that belongs to it.

        Raises
        ------
        ConflictError
            If it is queued or running.
        """
        folder = self.folder(run_id, owner)
        if any(_is_live(task) for task in folder.tasks()):
            raise ConflictError(f"Run {run_id} is still going.", "Cancel it first, then delete it.")
        # Out of sight in one step, so that a half-removed run is never listed.
        doomed = folder.path.with_name(f".{run_id}.deleted")
        folder.path.rename(doomed)
        self.index.remove(run_id)
        shutil.rmtree(doomed)
        self._delete_exports(run_id)
        self.index.wipe()

    def is_live(self, run_id: str) -> bool:
        """Tell whether anything of a run waits or goes on: its training, or an explanation."""
        return any(_is_live(task) for task in self.folder(run_id).tasks())

    def delete_explanations(self, run_id: str, owner: str | None = None) -> int:
        """Remove what explains a run's models, which holds rows of its table; return how many explanations there were.

        Raises
        ------
        ConflictError
            If one is being made.
        """
        folder = self.folder(run_id, owner)
        if any(_is_live(task) for task in folder.tasks()):
            raise ConflictError(f"Run {run_id} is still going.", "Wait until it has ended, or cancel it.")
        count = sum(delete_explanations(task) for task in folder.tasks())
        self.refresh(run_id)
        return count

    def delete_rows(self, run_id: str) -> None:
        """Remove the rows of its table that a run which isn't live holds beside its models, figures and predictions."""
        self.delete_explanations(run_id)
        for task in self.folder(run_id).tasks():
            # What a training that was killed had prepared.
            shutil.rmtree(task.path / "model" / "scratch", ignore_errors=True)
        self._delete_exports(run_id)

    def _delete_exports(self, run_id: str) -> None:
        for made in exports_of(self.home, run_id):
            made.unlink(missing_ok=True)


def exports_of(home: Path, run_id: str) -> tuple[Path, ...]:
    """Return the model files that were made of a run, and the notes beside them."""
    return tuple((home / "cache" / "exports").glob(f"{run_id}-*"))


@cache
def _store(home: Path, url: str) -> RunStore:
    open_home(home)
    store = RunStore(home, RunIndex(url))
    store.reconcile()
    return store


def open_store(settings: Settings) -> RunStore:
    """Return the store of the home that `settings` name; one object for each home and process."""
    return _store(settings.home, settings.database_url)


def _first_start(folder: RunFolder) -> datetime | None:
    starts = (task.started() for task in folder.tasks() if task.task().kind.trains)
    return next((start for start in starts if start is not None), None)


def _ended(folder: RunFolder) -> datetime | None:
    ends = [done.ended for task in folder.tasks() if (done := task.done()) is not None]
    return max(ends, default=None)


def _is_live(task: TaskFolder) -> bool:
    try:
        return not task.state().is_final
    except NotFoundError:
        # How it ended can't be read; only a process that still holds it is in the way then.
        return task.is_held()


def _new_id() -> str:
    """Return an identifier that sorts by time and is short enough to say on the telephone."""
    return now().strftime("%y%m%d%H%M%S") + "".join(secrets.choice(_LETTERS) for _ in range(4))
