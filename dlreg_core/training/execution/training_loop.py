"""The trainings of a run, side by side in its processes, within its budget or exactly as an earlier run made them.

What is trained next is decided by `dlreg_core.training.scheduler`. Here its jobs are given to processes and its
questions are answered; what they give is told to it, and to whoever watches the run.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import replace

from dlreg_core.networks import heavy_on_both_sides
from dlreg_core.networks.epoch_watch import EpochFigures
from dlreg_core.runs import Outlook
from dlreg_core.search import Searcher
from dlreg_core.specs import Checkpoint, ResolvedPlan, TrainPlan
from dlreg_core.training.execution.fit_records import FoldResult
from dlreg_core.training.execution.process_pool import PoolMessage, ProcessDiedError, TrainingPool
from dlreg_core.training.execution.run_hooks import EpochReporter, RunHooks, Trained
from dlreg_core.training.execution.run_networks import Networks
from dlreg_core.training.scheduler.fit_jobs import FoldJob, PilotJob, PilotOutcome
from dlreg_core.training.scheduler.scheduler_messages import (
    Action,
    CompareFolds,
    ContextReady,
    EndWithEpoch,
    EnoughSaid,
    EnsembleJudged,
    Event,
    FitJudged,
    FoldsCompared,
    JobDone,
    JobFailed,
    JudgeEnsemble,
    JudgeFit,
    KeepCheckpoint,
    KillJob,
    Moment,
    Notice,
    SuggestTrial,
    TellSearch,
    TimePassed,
    TrialSuggested,
)
from dlreg_core.training.scheduler.scheduler_state import Setup, State
from dlreg_core.training.scheduler.scheduler_step import begun, begun_replay, step

_EVENT_SECONDS = 0.3
"""Epoch events of a training are not written more often than this."""

_MOST_EVENTS = 3_000
"""Epoch events of a whole run: their distance grows with its budget."""

_LOOK_SECONDS = 0.2


class TrainingLoop:
    """Trains networks until the budget for it is spent.

    Parameters
    ----------
    networks : Networks
        Where the networks go.
    pool : TrainingPool
        Where they are trained.
    plan : TrainPlan
        What a person asked for.
    hooks : RunHooks
        What it hears and tells.
    threads : int
        Processor threads of a process.
    gpu : bool
        Whether there is a GPU to train on.
    earlier : Checkpoint, optional
        What an earlier task of the run has trained, and `networks` has taken over.
    outlook : Outlook, optional
        What was expected of the run: families for which there is no memory are left out, and others are kept to sizes
        for which there is some.
    """

    def __init__(
        self,
        networks: Networks,
        pool: TrainingPool,
        plan: TrainPlan,
        hooks: RunHooks,
        *,
        threads: int = 1,
        gpu: bool = False,
        earlier: Checkpoint | None = None,
        outlook: Outlook | None = None,
    ) -> None:
        self._networks = networks
        self._pool = pool
        self._hooks = hooks
        self._earlier = earlier or Checkpoint()
        self._models = outlook.models if outlook is not None else ()
        self._setup = Setup(
            plan=plan,
            rows=networks.rows,
            columns=networks.columns,
            folds=networks.folds,
            processes=len(pool),
            threads=threads,
            gpu=gpu,
            heavy_tails=heavy_on_both_sides(networks.prepared.learned_target),
            largest={model.family: max(0, model.largest_size) for model in self._models},
            folder=str(networks.shelf.path),
        )
        self._searcher = Searcher(plan.search, plan.settings.get(plan.search.family, {})) if plan.search else None
        self._results: dict[str, dict[int, FoldResult]] = {}
        self._reporters: dict[tuple[str, int], EpochReporter] = {}
        self._ready: set[str] = set()
        self._events: deque[Event] = deque()

    def run(self) -> Trained:
        """Measure and train one family after the other, then train more where it pays, for as long as there is time."""
        if self._searcher is not None:
            for one in self._earlier.fits:
                if one.fit.trial is not None:
                    self._searcher.tell(one.fit.chosen, one.validation)
            for values in self._earlier.failed_trials:
                self._searcher.tell(values, None)
        too_large = [
            (model.family, f"Skipped: it {model.reason}.") for model in self._models if model.lacks == "memory"
        ]
        return self._driven(*begun(self._setup, self._at(), self._earlier, too_large))

    def replay(self, plan: ResolvedPlan) -> Trained:
        """Train what an earlier run trained, without looking at the clock."""
        trained = self._driven(*begun_replay(self._setup, self._at(), plan.fits))
        names = [fit.model for fit in plan.fits]
        return replace(trained, done=tuple(sorted(trained.done, key=lambda one: names.index(one.fit.model))))

    # --- the loop -----------------------------------------------------------------------------------------------

    def _driven(self, state: State, actions: tuple[Action, ...]) -> Trained:
        self._carry_out(state, actions)
        while not state.over:
            self._events.extend(self._seen(state))
            self._events.append(TimePassed())
            while self._events:
                state, actions = step(state, self._events.popleft(), self._at())
                self._carry_out(state, actions)
            if self._pool.work:
                for message in self._pool.wait(_LOOK_SECONDS):
                    self._hear(state, message)
        return Trained(state.done, state.reasons, state.enough, state.beyond_time)

    def _at(self) -> Moment:
        return Moment(self._hooks.clock(), self._hooks.time_left(), self._hooks.afterwards())

    def _seen(self, state: State) -> list[Event]:
        """Return what has happened outside: somebody said that it is enough, or a pre-trained family is ready."""
        seen: list[Event] = [EnoughSaid()] if self._hooks.enough() and not state.enough else []
        contexts = {key: values for key, values in self._hooks.contexts().items() if key not in self._ready}
        self._ready |= contexts.keys()
        return [*seen, *(ContextReady(key, values) for key, values in contexts.items())]

    # --- hearing ------------------------------------------------------------------------------------------------

    def _hear(self, state: State, message: PoolMessage) -> None:
        job = message.job
        if message.error is not None:
            if isinstance(message.error, OSError):
                raise message.error
            words = getattr(message.error, "message", str(message.error))
            self._events.append(JobFailed(job, words, isinstance(message.error, ProcessDiedError)))
        elif isinstance(message.result, PilotOutcome):
            self._events.append(JobDone(job, message.result))
        elif isinstance(job, PilotJob):
            # The epochs of a measurement are nobody's.
            return
        elif message.epoch is not None:
            self._reporter(state, job)(message.epoch)
        elif message.result is not None:
            self._results.setdefault(job.fit.model, {})[job.fold] = message.result
            if (job.fit.model, job.fold) in self._reporters:
                self._reporters.pop((job.fit.model, job.fold)).flush()
            self._events.append(JobDone(job, message.result.outcome))

    def _reporter(self, state: State, job: FoldJob) -> Callable[[EpochFigures], None]:
        place = job.fit.model, job.fold
        if place not in self._reporters:
            # A training of hours needs no line every few moments.
            distance = max(_EVENT_SECONDS, state.setup.began / _MOST_EVENTS)
            fold = job.fold if state.setup.folds > 1 else None
            self._reporters[place] = EpochReporter(job.fit, self._hooks.emit, distance, fold)
        return self._reporters[place]

    # --- doing --------------------------------------------------------------------------------------------------

    def _carry_out(self, state: State, actions: tuple[Action, ...]) -> None:
        for action in actions:
            match action:
                case FoldJob() | PilotJob():
                    self._pool.submit(self._pool.idle[0], action)
                case Notice():
                    self._hooks.emit(action.kind, **action.data)
                case KeepCheckpoint():
                    self._hooks.keep(state.checkpoint())
                case EndWithEpoch():
                    self._pool.finish()
                case KillJob():
                    self._pool.kill(action.job)
                case TellSearch() if self._searcher is not None:
                    self._searcher.tell(action.values, action.validation)
                case JudgeFit():
                    self._events.append(self._judged(state, action.model))
                case CompareFolds():
                    self._events.append(FoldsCompared(action.model, *self._networks.race(self._results[action.model])))
                case JudgeEnsemble():
                    self._events.append(EnsembleJudged(self._networks.ensemble_rmse()))
                case SuggestTrial() if self._searcher is not None:
                    values = self._searcher.ask()
                    self._events.append(TrialSuggested(values, self._searcher.trials))

    def _judged(self, state: State, model: str) -> FitJudged:
        family = state.fit(model).planned.family
        try:
            return FitJudged(model, self._networks.complete(model, family, self._results.pop(model)))
        except ValueError as exc:
            return FitJudged(model, None, str(exc))
