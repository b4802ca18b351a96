"""How far a training is: its events, added up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from dlreg_core.specs import Event


class ModelState(StrEnum):
    """What becomes of one model of a run."""

    WAITING = "waiting"
    TRAINING = "training"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    STOPPED = "stopped"


class EpochLine(NamedTuple):
    """What one epoch of a network came to.

    Attributes
    ----------
    model : str
        The network.
    fold : int
        Which of the trainings of a network that is trained in folds, from 0; 0 for one that is trained once.
    epoch : int
        From 1.
    validation : float or None
        RMSE of the validation rows in target units.
    train_loss : float or None
        In the units of the network's own loss.
    """

    model: str
    fold: int
    epoch: int
    validation: float | None
    train_loss: float | None


@dataclass(frozen=True)
class ModelProgress:
    """One model.

    Attributes
    ----------
    validation : float or None
        RMSE on the validation rows in the target's unit: the last one known.
    seconds : float or None
        How long it trained, once it is done.
    epoch, epochs : int
        Passes over the rows that are done, and that are planned.
    reason : str
        Why it was skipped or failed.
    taken : bool
        True when it comes from an earlier task of the run.
    fold : int
        The newest of its folds, of which `epoch` and `validation` tell while it trains; 0 where it is trained once.
    folds : int
        How often it is trained.
    """

    model: str
    state: ModelState = ModelState.WAITING
    validation: float | None = None
    seconds: float | None = None
    epoch: int = 0
    epochs: int = 0
    reason: str = ""
    taken: bool = False
    fold: int = 0
    folds: int = 1

    @property
    def share(self) -> float:
        """Share of the planned epochs of all folds that are done, between 0 and 1."""
        if self.state is ModelState.DONE:
            return 1.0
        share = min(1.0, self.epoch / self.epochs) if self.epochs else 0.0
        return min(1.0, (self.fold + share) / self.folds)


@dataclass(frozen=True)
class Resources:
    """What a worker and its machine used when it told that last.

    Attributes
    ----------
    memory_mb, machine_mb : float
        Memory of the worker, and of the whole machine, in megabytes.
    machine_used : float
        Share of the machine's memory that is in use by anybody.
    cpu : float
        Processor cores that the worker kept busy.
    gpu_memory_mb, gpu_total_mb : float or None
        Memory of its GPU that is in use, and that there is; None where it has no GPU.
    gpu_share : float or None
        Share of the time in which its GPU was busy.
    """

    memory_mb: float
    machine_mb: float
    machine_used: float = 0.0
    cpu: float = 0.0
    gpu_memory_mb: float | None = None
    gpu_total_mb: float | None = None
    gpu_share: float | None = None


@dataclass(frozen=True)
class RunProgress:
    """All models of a run in the order of their training, and what is going on now.

    Attributes
    ----------
    ends : datetime or None
        The moment at which it expects to be over; None while it can't tell yet.
    resources : Resources or None
        The latest figures; None before the first ones.
    """

    stage: str = ""
    models: tuple[ModelProgress, ...] = ()
    ends: datetime | None = None
    resources: Resources | None = None

    @property
    def best(self) -> ModelProgress | None:
        """The model with the lowest validation error so far; those that still train only before any is done."""
        known = [m for m in self.models if m.validation is not None]
        done = [m for m in known if m.state is ModelState.DONE]
        return min(done or known, key=lambda m: m.validation or 0.0, default=None)

    @property
    def current(self) -> ModelProgress | None:
        """The model that trains now."""
        return next((m for m in self.models if m.state is ModelState.TRAINING), None)

    def seconds_left(self, moment: datetime, budget_left: float) -> float:
        """Return how long it will still take, seen from `moment`; negative where it should be over already.

        Parameters
        ----------
        moment : datetime
            Now.
        budget_left : float
            Seconds left of the budget: no estimate says more, and it is the only one while there is no other.
        """
        if self.ends is None:
            return budget_left
        return min((self.ends - moment).total_seconds(), budget_left)

    def ended(self) -> RunProgress:
        """Return the progress of a run that has ended: what wasn't done then never will be."""
        open_states = (ModelState.TRAINING, ModelState.WAITING)
        models = tuple(replace(m, state=ModelState.STOPPED) if m.state in open_states else m for m in self.models)
        return replace(self, models=models, ends=None)


def fold(events: Iterable[Event]) -> RunProgress:
    """Add up the events of a training task."""
    stage, ends, resources = "", None, None
    models: dict[str, ModelProgress] = {}
    for event in events:
        if event.kind == "stage":
            stage = str(event.data.get("name", ""))
        elif event.kind == "plan":
            models |= {str(name): ModelProgress(str(name)) for name in event.data.get("models", ())}
        elif event.kind == "forecast":
            ends = event.time + timedelta(seconds=float(event.data["seconds"]))
        elif event.kind == "resources":
            resources = _resources(event)
        elif "model" in event.data:
            name = str(event.data["model"])
            models[name] = _after(models.get(name, ModelProgress(name)), event)
            if event.kind == "model_started":
                # A model that is trained now belongs behind those that were trained before it.
                models[name] = models.pop(name)
                stage = f"Training {name}"
    waiting = [m for m in models.values() if m.state is ModelState.WAITING]
    begun = [m for m in models.values() if m.state is not ModelState.WAITING]
    return RunProgress(stage, (*begun, *waiting), ends, resources)


def epoch_lines(events: Iterable[Event]) -> list[EpochLine]:
    """Return every epoch that was told, network by network and fold by fold.

    A network that was started again, after a training of the same name had been cut off, has only its later epochs.
    """
    found: dict[str, dict[int, list[EpochLine]]] = {}
    for event in events:
        data = event.data
        model = str(data.get("model", ""))
        if event.kind == "model_started":
            found.pop(model, None)
        elif event.kind == "epoch":
            fold = _fold_of(data)
            told = [*data.get("earlier", ()), (data["epoch"], data.get("validation"), data.get("train_loss"))]
            lines = found.setdefault(model, {}).setdefault(fold, [])
            lines.extend(EpochLine(model, fold, int(epoch), *figures) for epoch, *figures in told)
    return [line for folds in found.values() for fold in sorted(folds) for line in folds[fold]]


def newest_folds(lines: Iterable[EpochLine]) -> list[EpochLine]:
    """Return one curve a network: that of its newest fold."""
    lines = list(lines)
    # A later fold of the same network takes the place of an earlier one.
    newest = {line.model: line.fold for line in lines}
    return [line for line in lines if line.fold == newest[line.model]]


def _fold_of(data: Mapping[str, Any]) -> int:
    return int(data.get("fold") or 0)


def _resources(event: Event) -> Resources:
    known = {name: event.data[name] for name in Resources.__dataclass_fields__ if event.data.get(name) is not None}
    return Resources(**{"memory_mb": 0.0, "machine_mb": 0.0} | {name: float(value) for name, value in known.items()})


def _after(model: ModelProgress, event: Event) -> ModelProgress:
    """Return a model after one of its events."""
    data = event.data
    changes: dict[str, Any] = {}
    match event.kind:
        case "model_started":
            # Whatever an earlier try left is over.
            epochs, folds = int(data.get("epochs") or 0), int(data.get("folds") or 1)
            return ModelProgress(model.model, ModelState.TRAINING, epochs=epochs, folds=folds)
        case "model_taken":
            figures = {"validation": data.get("validation"), "seconds": data.get("seconds")}
            changes = {"state": ModelState.DONE, "taken": True} | figures
        case "epoch":
            changes = _epoch_changes(model, data)
        case "model_finished":
            changes = {
                "state": ModelState.DONE,
                "validation": data.get("validation", model.validation),
                "seconds": data.get("seconds"),
                "epoch": int(data.get("epochs_trained") or model.epoch),
            }
        case "model_skipped":
            reason = str(data.get("reason", "")).removeprefix("Skipped: ")
            changes = {"state": ModelState.SKIPPED, "reason": reason}
        case "model_failed":
            changes = {"state": ModelState.FAILED, "reason": str(data.get("reason", ""))}
    return replace(model, **changes)


def _epoch_changes(model: ModelProgress, data: Mapping[str, Any]) -> dict[str, Any]:
    fold = _fold_of(data)
    if fold < model.fold or model.state not in (ModelState.WAITING, ModelState.TRAINING):
        # Folds may train side by side: one of them is followed, and one may be told of after the network was given up.
        return {}
    told = [*(validation for _, validation, _ in data.get("earlier", ())), data.get("validation")]
    known = [float(validation) for validation in told if validation is not None]
    return {
        "state": ModelState.TRAINING,
        "epoch": int(data["epoch"]),
        "epochs": int(data.get("epochs") or model.epochs),
        "validation": known[-1] if known else model.validation,
        "fold": fold,
    }
