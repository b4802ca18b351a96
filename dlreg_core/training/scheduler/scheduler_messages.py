"""What the scheduler is told, and what it asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dlreg_core.training.scheduler.fit_jobs import FoldJob, FoldOutcome, PilotJob, PilotOutcome


@dataclass(frozen=True)
class Moment:
    """A reading of the clock.

    Attributes
    ----------
    now : float
        Seconds of a steady clock.
    left : float
        Seconds that training may still take.
    afterwards : float
        Seconds that the run takes after its training.
    """

    now: float
    left: float
    afterwards: float = 0.0


# --- what it is told --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TimePassed:
    """Nothing has happened but that."""


@dataclass(frozen=True)
class EnoughSaid:
    """Somebody wants the training to end with what it has."""


@dataclass(frozen=True)
class ContextReady:
    """A pre-trained family can be used from now on, with these settings of AutoGluon's."""

    family: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class JobDone:
    """A process has done its job."""

    job: FoldJob | PilotJob
    outcome: FoldOutcome | PilotOutcome


@dataclass(frozen=True)
class JobFailed:
    """A process could not do its job; ``died`` where it ended in the middle, and may do better when asked again."""

    job: FoldJob | PilotJob
    reason: str
    died: bool = False


@dataclass(frozen=True)
class FitJudged:
    """The answer to `JudgeFit`: a network's validation RMSE; None where it can't be used, for this reason."""

    model: str
    validation: float | None
    reason: str = ""


@dataclass(frozen=True)
class FoldsCompared:
    """The answer to `CompareFolds`: RMSE of a network and of the best complete one on so many rows."""

    model: str
    error: float
    best: float
    rows: int


@dataclass(frozen=True)
class EnsembleJudged:
    """The answer to `JudgeEnsemble`: the RMSE of the ensemble on rows that didn't choose its weights."""

    rmse: float


@dataclass(frozen=True)
class TrialSuggested:
    """The answer to `SuggestTrial`: values to try, as the search's trial of that number; None where there are none."""

    values: dict[str, Any] | None
    number: int = 0


Event = (
    TimePassed
    | EnoughSaid
    | ContextReady
    | JobDone
    | JobFailed
    | FitJudged
    | FoldsCompared
    | EnsembleJudged
    | TrialSuggested
)

# --- what it asks for -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class JudgeFit:
    """Put together what a network has predicted for rows held out, all of whose folds are done."""

    model: str


@dataclass(frozen=True)
class CompareFolds:
    """Compare a network some of whose folds are done with the best complete one, on the same rows."""

    model: str


@dataclass(frozen=True)
class JudgeEnsemble:
    """Measure the ensemble of the networks so far."""


@dataclass(frozen=True)
class SuggestTrial:
    """Ask the search what to try next."""


Question = JudgeFit | CompareFolds | JudgeEnsemble | SuggestTrial
"""Nothing is begun until it has been answered."""


@dataclass(frozen=True)
class TellSearch:
    """Tell the search what a trial gave; None where it failed."""

    values: dict[str, Any]
    validation: float | None


@dataclass(frozen=True)
class EndWithEpoch:
    """End every training after its present epoch."""


@dataclass(frozen=True)
class KillJob:
    """End a job in its middle: it can't be asked to end."""

    job: FoldJob


@dataclass(frozen=True)
class KeepCheckpoint:
    """Keep what is complete."""


@dataclass(frozen=True)
class Notice:
    """Something to be told: an event of the run (`dlreg_core.specs.Event`) and its data."""

    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)


Action = FoldJob | PilotJob | Question | TellSearch | EndWithEpoch | KillJob | KeepCheckpoint | Notice
