"""The queue: which run is started when, and what became of those that were."""

from __future__ import annotations

import logging
import threading
from functools import cache

from sqlalchemy.exc import SQLAlchemyError

from dlreg_core.errors import ConflictError, DlregError
from dlreg_core.jobs.backend import JobBackend
from dlreg_core.jobs.local import LocalProcesses
from dlreg_core.runs import RunStore, TaskFolder, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, Experiment, ExplainRequest, RunState, TaskKind

_log = logging.getLogger(__name__)


class Dispatcher:
    """Starts queued runs while there are free slots, and keeps the index in line with the folders.

    Parameters
    ----------
    store : RunStore
        The runs.
    backend : JobBackend
        What runs their tasks.
    slots : int
        How many runs train at the same time.
    """

    def __init__(self, store: RunStore, backend: JobBackend, slots: int) -> None:
        self.store = store
        self._backend = backend
        self._slots = slots
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def submit(self, experiment: Experiment, owner: str) -> str:
        """Queue a run and start it at once if a slot is free; return its id."""
        run_id = self.store.create(experiment, owner).id
        self.tick()
        return run_id

    def explain(self, run_id: str, request: ExplainRequest) -> TaskFolder:
        """Start explaining a model of a finished run; doesn't wait for a slot, since a person waits for it.

        Raises
        ------
        ConflictError
            If the run has no models yet, or is being explained already.
        """
        run = self.store.folder(run_id)
        if run.result() is None:
            raise ConflictError(f"Run {run_id} has no models to explain.", "Wait until its training is done.")
        if any(not task.state().is_final for task in run.tasks()):
            raise ConflictError("An explanation of this run is already under way.", "Wait for it, or cancel it.")
        task = run.add_task(TaskKind.EXPLAIN, explain=request)
        self._backend.launch(task)
        return task

    def cancel(self, run_id: str) -> bool:
        """End everything that is going on in a run; False if nothing was."""
        if self.store.withdraw(run_id):
            return True
        ended = False
        for task in self.store.folder(run_id).tasks():
            if not task.state().is_final:
                task.mark_cancelling()
                self._backend.kill(task)
                if task.done() is None:
                    task.finish(Done(state=RunState.CANCELLED, reason="Cancelled while it was running."))
                    # A worker that took the task between the two steps above has not seen that it is done.
                    self._backend.kill(task)
                    ended = True
        self.store.refresh(run_id)
        return ended

    def tick(self) -> None:
        """Look once: note what has ended, and start what can be started."""
        self._backend.reap()
        for run_id, state in self.store.index.live():
            if state is RunState.RUNNING:
                self.store.refresh(run_id)
        for run_id, state in self.store.index.live():
            if state is RunState.QUEUED and self.store.index.claim(run_id, self._slots):
                self._backend.launch(self.store.folder(run_id).train_task())

    # --- in a server ----------------------------------------------------------------------------------------------

    def start(self, seconds: float = 1.0) -> None:
        """Look again and again, in a thread, until `stop`."""
        self._stop.clear()
        self._thread = threading.Thread(target=self._loop, args=(seconds,), name="dispatcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread; workers go on."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _loop(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            try:
                self.tick()
            except (DlregError, OSError, SQLAlchemyError):
                # A full disk or a database that is away for a moment must not end the watch over the other runs.
                _log.exception("looking after the runs failed; trying again")


@cache
def _local_backend() -> LocalProcesses:
    return LocalProcesses()


def open_dispatcher(settings: Settings) -> Dispatcher:
    """Return the dispatcher of the home that `settings` name, with local processes."""
    return Dispatcher(open_store(settings), _local_backend(), settings.slots)
