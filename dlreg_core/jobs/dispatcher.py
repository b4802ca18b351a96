"""The queue: which run is started when, and what became of those that were."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from functools import cache

from filelock import FileLock, Timeout
from sqlalchemy.exc import SQLAlchemyError

from dlreg_core.errors import ConflictError, DlregError, NotFoundError, WorkError
from dlreg_core.jobs.backend import JobBackend
from dlreg_core.jobs.dataset_service import DatasetService
from dlreg_core.jobs.device_slots import QueuePlace, Slot, fitting, queue_places, slots_of
from dlreg_core.jobs.local_processes import LocalProcesses
from dlreg_core.jobs.observed_time import ObservedTime
from dlreg_core.jobs.standby_process import StandbyState
from dlreg_core.jobs.watchdog import WatchdogLimits, forget_observed, reason_to_end
from dlreg_core.runs import (
    Housekeeper,
    QueuedTask,
    RunFolder,
    RunStore,
    TaskFolder,
    keepable,
    never_began,
    open_store,
    post_mortem,
)
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, Experiment, ExplainRequest, RunState, TaskKind

_log = logging.getLogger(__name__)

_LAST_WORD_SECONDS = 2.0


class Dispatcher:
    """Starts waiting tasks while there are free places, and looks after those that were started.

    Any number of them may work on one home: a lock lets one look at a time, and the database gives each task and each
    place away once.

    Parameters
    ----------
    store : RunStore
        The runs.
    backend : JobBackend
        What runs their tasks.
    slots : sequence of Slot
        The places to train on.
    limits : WatchdogLimits
        When a run is ended that doesn't end by itself.
    keep_days : float
        Runs that ended longer ago are deleted, and data sets that nothing has used since; 0 keeps both.
    stand_by : bool
        Whether a process may load in advance what the next training needs.
    """

    def __init__(
        self,
        store: RunStore,
        backend: JobBackend,
        slots: Sequence[Slot],
        limits: WatchdogLimits | None = None,
        keep_days: float = 0.0,
        *,
        stand_by: bool = False,
    ) -> None:
        self.store = store
        self._backend = backend
        self._slots = tuple(slots)
        self._limits = limits or WatchdogLimits()
        self._stands_by = stand_by
        self._vigil = ObservedTime()
        self._housekeeper = Housekeeper(store, keep_days, DatasetService(store))
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # --- before anybody asks ------------------------------------------------------------------------------------------

    def stand_by(self, device: str = "auto") -> None:
        """Let a process load what the next training on such a device will need, if one could start now."""
        if not self._stands_by:
            return
        taken = {queued.slot for queued in self.store.index.live()}
        free = [slot for slot in fitting(self._slots, device) if slot.name not in taken]
        if free:
            self._backend.stand_by(free[0])

    def standing(self) -> StandbyState | None:
        """Return the process that stands by; None where none does."""
        return self._backend.standing()

    # --- what a person asks for ---------------------------------------------------------------------------------------

    def submit(self, experiment: Experiment) -> str:
        """Queue a run and start it at once if a place is free; return its id."""
        run_id = self.store.create(experiment).id
        self.tick()
        return run_id

    def explain(self, run: RunFolder, request: ExplainRequest) -> TaskFolder:
        """Start explaining a model of a finished run; doesn't wait for a place, since a person waits for it.

        Raises
        ------
        ConflictError
            If the run has no models yet, or is being explained already.
        """
        if run.result() is None:
            raise ConflictError(f"Run {run.id} has no models to explain.", "Wait until its training is done.")
        if any(not task.task().kind.trains and not task.state().is_final for task in run.tasks()):
            raise ConflictError("An explanation of this run is already under way.", "Wait for it, or cancel it.")
        task = self.store.add_task(run, TaskKind.EXPLAIN, explain=request)
        self.tick()
        return task

    def finish(self, run: RunFolder) -> TaskFolder:
        """Tell a running training that it is enough: it makes a result of what it has.

        A run that ended without a result makes one of the networks that it had finished.

        Raises
        ------
        ConflictError
            If there is nothing to finish.
        """
        task = run.train_task()
        state = task.state()
        if state is RunState.RUNNING:
            task.ask_to_finish()
            return task
        if state is RunState.QUEUED:
            raise ConflictError(f"Run {run.id} hasn't started yet.", "Cancel it, if it isn't wanted any more.")
        if not keepable(run):
            what = "is finished already" if run.result() is not None else "ended before a network was finished"
            raise ConflictError(f"Run {run.id} {what}.", "It can be continued with more time.")
        return self._queue_continuation(run, 0.0)

    def go_on(self, run: RunFolder, time_limit: float) -> TaskFolder:
        """Give a run that has ended more time: it keeps what it has and adds to it.

        Raises
        ------
        ConflictError
            If the run is live.
        """
        return self._queue_continuation(run, time_limit)

    def _queue_continuation(self, run: RunFolder, time_limit: float) -> TaskFolder:
        task = self.store.add_continuation(run, time_limit)
        self.tick()
        return task

    def cancel(self, run: RunFolder, number: int | None = None) -> bool:
        """End what is going on in a run, or one task of it; False if nothing was."""
        ended = False
        for task in run.tasks():
            if number in (None, task.number) and not task.state().is_final:
                ended = self._cancel(task) or ended
        self.store.refresh(run.id)
        return ended

    def _cancel(self, task: TaskFolder) -> bool:
        if task.state() is RunState.QUEUED and self.store.withdraw(task):
            return True
        task.mark_cancelling()
        done = Done(state=RunState.CANCELLED, reason="Cancelled while it was running.")
        ended = self._end(task, done)
        self.store.index.dequeue(task.run.id, task.number)
        return ended

    def place(self, run: RunFolder) -> QueuePlace | None:
        """Return where a waiting run stands in the queue; None when it doesn't wait."""
        return self.places().get((run.id, run.train_task().number))

    def places(self) -> dict[tuple[str, int], QueuePlace]:
        """Return where all waiting runs stand, by run and number of the task."""
        live = self.store.index.live()
        used = {}
        for queued in live:
            if queued.slot is not None:
                task = self._task(queued)
                used[queued.run_id, queued.number] = task.used_seconds() if task is not None else 0.0
        return queue_places(live, self._slots, used)

    # --- looking after them -------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Look once: note what has ended, and start what can be started."""
        self._backend.reap()
        try:
            with FileLock(self.store.home / "dispatch.lock", timeout=0):
                self._vigil.look()
                for queued in self.store.index.live():
                    self._look_after(queued)
                for queued in self.store.index.live():
                    if queued.slot is None:
                        self._start(queued)
                self._housekeeper.tidy()
        except Timeout:
            # Another server looks at this very moment, and sees what this one would.
            return

    def _look_after(self, queued: QueuedTask) -> None:
        task = self._task(queued)
        if task is None:
            return
        try:
            state = task.state()
            if state is RunState.RUNNING:
                self._watch(task, queued)
                state = task.state()
            elif state is RunState.QUEUED and queued.slot is not None:
                # Whoever claimed it died before its process took it.
                if task.launch() is not None:
                    task.retry()
                self.store.index.release(queued.run_id, queued.number)
            if state.is_final:
                self._conclude(task, state)
        except NotFoundError:
            # Damaged, or written by another version: it must not keep its place from the others for ever.
            state = RunState.INTERRUPTED
        if state.is_final:
            forget_observed(task, self._vigil)
            self.store.index.dequeue(queued.run_id, queued.number)
        self.store.refresh(queued.run_id)

    def _conclude(self, task: TaskFolder, state: RunState) -> None:
        """Write the last word of a task whose worker couldn't, and end what it left running."""
        if task.done() is not None:
            return
        if task.start() is not None and state is not RunState.CANCELLED:
            done = post_mortem(task)
        elif state is RunState.CANCELLED:
            done = Done(state=state, reason="Cancelled while it was running.")
        else:
            done = never_began(task, state)
        if task.conclude(done):
            self._backend.kill(task)

    def _watch(self, task: TaskFolder, queued: QueuedTask) -> None:
        """End a task that gives no sign of life, or has taken far more time than it was given."""
        if queued.slot is None and not self._take_place(task, queued):
            return
        why = reason_to_end(task, self._limits, self._vigil)
        if why:
            self._give_up(task, why)

    def _take_place(self, task: TaskFolder, queued: QueuedTask) -> bool:
        """Note the place of a task that runs, after the queue was lost; True if it counts as having one."""
        launch = task.launch()
        name = launch.slot if launch is not None and launch.slot else _own_place(queued)
        return self.store.index.claim(queued.run_id, queued.number, [name]) is not None

    def _give_up(self, task: TaskFolder, reason: str) -> None:
        keep = " The networks that were finished are still there." if task.checkpoint().fits else ""
        hint = f"The log of the run may tell why.{keep}"
        self._end(task, Done(state=RunState.FAILED, reason=reason, hint=hint))

    def _end(self, task: TaskFolder, done: Done) -> bool:
        """Kill the processes of a task and write its last word; False if it has one already."""
        end = time.monotonic() + _LAST_WORD_SECONDS
        while True:
            self._backend.kill(task)
            if task.conclude(done, patience=0.2):
                # A worker that arrived between the two steps above finds that it is done.
                self._backend.kill(task)
                return True
            if task.done() is not None:
                return False
            if time.monotonic() > end:
                raise WorkError(f"Run {task.run.id} doesn't end.", "Try again.")

    def _start(self, queued: QueuedTask) -> None:
        task = self._task(queued)
        if task is None or task.state() is not RunState.QUEUED:
            return
        by_name = {slot.name: slot for slot in fitting(self._slots, queued.device)} if queued.kind.trains else {}
        name = self.store.index.claim(queued.run_id, queued.number, by_name or [_own_place(queued)])
        if name is None:
            return
        try:
            self._backend.launch(task, by_name.get(name))
        except ConflictError:
            _log.warning("task %s of run %s was started by somebody else", queued.number, queued.run_id)
        except OSError:
            # No process, no memory: the next look tries again.
            _log.exception("a worker could not be started")
            self.store.index.release(queued.run_id, queued.number)
        self.store.refresh(queued.run_id)

    def _task(self, queued: QueuedTask) -> TaskFolder | None:
        try:
            return self.store.folder(queued.run_id).task(queued.number)
        except NotFoundError:
            self.store.index.dequeue(queued.run_id, queued.number)
            self.store.refresh(queued.run_id)
            return None

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
        self._backend.close()

    def _loop(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            self.look()

    def look(self) -> None:
        """Do as `tick` does; where that fails, the log has it and the next look tries again.

        A full disk or a database that is away for a moment must not end the watch over runs that go on.
        """
        try:
            self.tick()
        except (DlregError, OSError, SQLAlchemyError):
            _log.exception("looking after the runs failed; trying again")


def _own_place(queued: QueuedTask) -> str:
    """Return the name of a place that only this task can have, for those that wait for nobody."""
    return f"own:{queued.run_id}:{queued.number}"


@cache
def _local_backend() -> LocalProcesses:
    return LocalProcesses()


@cache
def open_dispatcher(settings: Settings) -> Dispatcher:
    """Return the dispatcher of the home that `settings` name, with local processes."""
    limits = WatchdogLimits(silence=settings.silence_end_seconds)
    store, slots = open_store(settings), slots_of(settings)
    return Dispatcher(store, _local_backend(), slots, limits, settings.keep_days, stand_by=settings.stand_by)
