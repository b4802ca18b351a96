"""Work: the tasks of a run, what they tell, and how they end."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from pydantic import ConfigDict, Field, model_validator

from dlreg_core.specs.base import Instant, Spec, VersionedSpec, now
from dlreg_core.specs.plans import PlannedFit


class RunState(StrEnum):
    """State of a run or of one of its tasks."""

    QUEUED = "queued"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """True when nothing will change this state by itself any more."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


class TaskKind(StrEnum):
    """What a worker can be asked to do."""

    TRAIN = "train"
    CONTINUE = "continue"
    EXPLAIN = "explain"

    @property
    def trains(self) -> bool:
        """True for work that makes models, and that needs a slot for it."""
        return self is not TaskKind.EXPLAIN


class ContinueRequest(Spec):
    """Add to the networks of an earlier task of the run, or only make a result of them."""

    source: int | None = Field(default=None, ge=1)
    """Number of the task whose networks are taken over; None where there were none yet."""
    time_limit: float = Field(ge=0)
    """Seconds for the whole task; with 0 nothing more is trained."""


class ExplainRequest(Spec):
    """Explain one model of a run on a number of test rows."""

    model: str
    rows: int = Field(ge=1)
    time_limit: float = Field(default=60.0, gt=0)


class Task(VersionedSpec):
    """One piece of work for one worker process."""

    run_id: str
    number: int = Field(ge=1)
    kind: TaskKind
    explain: ExplainRequest | None = None
    more: ContinueRequest | None = None
    created: datetime = Field(default_factory=now)

    @model_validator(mode="after")
    def _has_its_request(self) -> Self:
        if (self.kind is TaskKind.EXPLAIN) != (self.explain is not None):
            raise ValueError("an explain task, and only that, carries what to explain")
        if (self.kind is TaskKind.CONTINUE) != (self.more is not None):
            raise ValueError("a task that continues, and only that, carries what it continues")
        return self


class Launch(Spec):
    """A process is started for a task: the content of ``launched.json``.

    ``pid`` and ``born`` name the process once it is there; both together, since numbers are used again.
    """

    time: datetime = Field(default_factory=now)
    instant: Instant | None = None
    """That moment by the machine's own clock."""
    slot: str = ""
    cores: int | None = None
    pid: int | None = None
    born: str = ""
    created: float | None = None
    """What earlier versions wrote in place of ``born``; it changes when the clock is set."""
    mark: str = ""
    """What marks the environment of the task's processes, where it isn't the task's own folder: a process that stood by
    knew of no task when it began."""
    oom_kills: int | None = None
    """How often the system had ended processes for lack of memory until then."""


class Moment(Spec):
    """When something was asked: the content of ``cancelling.json``."""

    time: datetime = Field(default_factory=now)
    instant: Instant | None = None


class Ready(Spec):
    """A process has loaded all that its task needs: the content of ``ready.json``. The budget counts from here."""

    time: datetime = Field(default_factory=now)
    instant: Instant | None = None
    loading: float = 0.0
    """Seconds that passed since the process was started for the task, or since one that stood by was given it."""


class Start(Spec):
    """A process has taken a task: the content of ``started.json``."""

    time: datetime = Field(default_factory=now)
    instant: Instant | None = None
    pid: int
    born: str = ""
    created: float | None = None
    """What earlier versions wrote in place of ``born``."""
    boot: str = ""
    """Which start of the machine this was."""
    oom_kills: int | None = None
    """How often the system had ended a process of this group for lack of memory, where it tells."""


class Pulse(Spec):
    """The last sign of life of a worker: the content of ``pulse.json``, written every few seconds.

    ``active`` is the last moment at which it had used the processor or reported progress.
    """

    time: datetime = Field(default_factory=now)
    active: Instant
    lived: float = 0.0
    """Seconds for which it has worked by its own reckoning: those in which it was held up as a whole don't count."""
    memory_mb: float
    gpu_memory_mb: float | None = None


class Done(Spec):
    """How a task ended: the content of its ``DONE`` file."""

    state: RunState
    reason: str = ""
    hint: str = ""
    ended: datetime = Field(default_factory=now)


class Event(Spec):
    """One line of a task's event log. ``kind`` names what happened, ``data`` carries its figures.

    Kinds: ``stage`` (name), ``plan`` (models), ``forecast`` (seconds until the end, as far as that can be told),
    ``model_started`` (model, family, epochs, expected, folds), ``model_taken`` (model, validation, seconds; it comes
    from an earlier task), ``epoch`` (model, epoch, epochs, validation, train_loss; ``earlier``: a list of epoch,
    validation and training loss for epochs that had no event of their own; and ``fold`` where there are several),
    ``model_finished`` (model, validation, seconds, epochs_trained), ``model_skipped`` and ``model_failed`` (model,
    reason), ``resources`` (memory_mb, machine_mb, cpu: cores in use, gpu_memory_mb, gpu_share), ``progress`` (share),
    ``log`` (text).
    """

    time: datetime
    kind: str
    data: dict[str, Any] = Field(default_factory=dict)


class FamilySpeed(Spec):
    """Measured seconds of a family on a table: once per training, and per epoch of its smallest network."""

    fixed: float
    epoch: float
    threads: int = 1
    gpu: bool | None = None
    """Whether that was on a GPU; None where it was not kept."""


class FinishedFit(Spec):
    """A network that is complete, with what the allocation of more time must know of it."""

    fit: PlannedFit
    seconds: float
    validation: float
    """RMSE on the validation rows, in the target's unit."""
    size: int = 0
    trained: int = 0
    """Epochs that were really trained."""
    converged: bool = False
    variant: int = 0
    """Which variant of its family's settings it has; 0 for the usual ones."""
    second_half: float = 0.0
    """By how much the second half of its epochs has lowered the validation error."""


class Checkpoint(VersionedSpec):
    """What a training has finished so far: the content of ``checkpoint.json``, from which it can be continued."""

    # Earlier versions wrote more; their runs are shown all the same.
    model_config = ConfigDict(frozen=True, extra="ignore")

    fits: tuple[FinishedFit, ...] = ()
    speeds: dict[str, FamilySpeed] = Field(default_factory=dict)
    reasons: dict[str, str] = Field(default_factory=dict)
    failed_trials: tuple[dict[str, Any], ...] = ()
    """What a search has tried without getting a network."""
    versions: dict[str, str] = Field(default_factory=dict)
    """With what the networks were trained: they can't be taken over by other versions."""
