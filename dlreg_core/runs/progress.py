"""How far a training is: its events, added up."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from dlreg_core.specs import Event


class ModelState(StrEnum):
    """What becomes of one model of a run."""

    WAITING = "waiting"
    TRAINING = "training"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"
    STOPPED = "stopped"


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
    """

    model: str
    state: ModelState = ModelState.WAITING
    validation: float | None = None
    seconds: float | None = None
    epoch: int = 0
    epochs: int = 0
    reason: str = ""

    @property
    def share(self) -> float:
        """Share of the planned epochs that are done, between 0 and 1."""
        if self.state is ModelState.DONE:
            return 1.0
        return min(1.0, self.epoch / self.epochs) if self.epochs else 0.0


@dataclass(frozen=True)
class Progress:
    """All models of a run in the order of their training, and what is going on now."""

    stage: str = ""
    models: tuple[ModelProgress, ...] = ()

    @property
    def best(self) -> ModelProgress | None:
        """The model with the lowest validation error so far; those that still train only before any is done."""
        known = [m for m in self.models if m.validation is not None]
        done = [m for m in known if m.state is ModelState.DONE]
        return min(done or known, key=lambda m: m.validation or 0.0, default=None)

    def ended(self) -> Progress:
        """Return the progress of a run that has ended: what wasn't done then never will be."""
        open_states = (ModelState.TRAINING, ModelState.WAITING)
        models = tuple(replace(m, state=ModelState.STOPPED) if m.state in open_states else m for m in self.models)
        return replace(self, models=models)


def fold(events: Iterable[Event]) -> Progress:
    """Add up the events of a training task."""
    stage = ""
    models: dict[str, ModelProgress] = {}
    for event in events:
        if event.kind == "stage":
            stage = str(event.data.get("name", ""))
        elif event.kind == "plan":
            models |= {str(name): ModelProgress(str(name)) for name in event.data.get("models", ())}
        elif "model" in event.data:
            name = str(event.data["model"])
            models[name] = _after(models.get(name, ModelProgress(name)), event)
            if event.kind == "model_started":
                # A model that is trained now belongs behind those that were trained before it.
                models[name] = models.pop(name)
                stage = f"Training {name}"
    waiting = [m for m in models.values() if m.state is ModelState.WAITING]
    begun = [m for m in models.values() if m.state is not ModelState.WAITING]
    return Progress(stage, (*begun, *waiting))


def _after(model: ModelProgress, event: Event) -> ModelProgress:
    """Return a model after one of its events."""
    data = event.data
    if event.kind == "model_started":
        return replace(model, state=ModelState.TRAINING, epochs=int(data.get("epochs") or 0))
    if event.kind == "epoch":
        known = data.get("validation")
        return replace(
            model,
            state=ModelState.TRAINING,
            epoch=int(data["epoch"]),
            epochs=int(data.get("epochs") or model.epochs),
            validation=model.validation if known is None else float(known),
        )
    if event.kind == "model_finished":
        return replace(
            model,
            state=ModelState.DONE,
            validation=data.get("validation", model.validation),
            seconds=data.get("seconds"),
            epoch=int(data.get("epochs_trained") or model.epoch),
        )
    if event.kind == "model_skipped":
        reason = str(data.get("reason", "")).removeprefix("Skipped: ")
        return replace(model, state=ModelState.SKIPPED, reason=reason)
    if event.kind == "model_failed":
        return replace(model, state=ModelState.FAILED, reason=str(data.get("reason", "")))
    return model
