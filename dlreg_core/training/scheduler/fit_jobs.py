"""What processes are given to train, and what comes of it in figures."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from dlreg_core.specs import PlannedFit


@dataclass(frozen=True)
class FoldJob:
    """One training of a network, with one fold of the rows held out.

    Attributes
    ----------
    fit : PlannedFit
        The network.
    fold : int
        Which rows validate.
    folder : str
        Where the network's models are kept.
    until : float
        The moment (of a steady clock) after which it shall end with the epoch.
    late : float
        Seconds by which a training whose learning rate follows a schedule may be late, if that completes it.
    """

    fit: PlannedFit
    fold: int
    folder: str = ""
    until: float = math.inf
    late: float = 0.0

    @property
    def family(self) -> str:
        """The network's family."""
        return self.fit.family

    @property
    def gpu(self) -> bool:
        """Whether it trains on the GPU."""
        return self.fit.device == "gpu"

    @property
    def threads(self) -> int:
        """Processor threads that it gets."""
        return self.fit.threads

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that JSON can hold, without epochs and seed."""
        return self.fit.settings

    @property
    def seed(self) -> int:
        """The seed of this fold: each has its own."""
        return self.fit.seed + self.fold

    @property
    def stop_after(self) -> int | None:
        """The epoch after which it ends in any case, as in the run that it repeats."""
        return self.fit.fold_stops[self.fold] if self.fit.fold_stops else self.fit.stop_after

    def on(self, *, gpu: bool, settings: dict[str, Any]) -> FoldJob:
        """Return the same training on a device, with these settings."""
        device = "gpu" if gpu else "cpu"
        return replace(self, fit=self.fit.model_copy(update={"device": device, "settings": settings}))


@dataclass(frozen=True)
class PilotJob:
    """A short training on a part of the rows, to see how fast a family trains."""

    family: str
    settings: dict[str, Any]
    batches: int
    threads: int
    gpu: bool
    seconds: float

    def on(self, *, gpu: bool, settings: dict[str, Any]) -> PilotJob:
        """Return the same measurement on a device, with these settings."""
        return replace(self, gpu=gpu, settings=settings)


@dataclass(frozen=True)
class FoldOutcome:
    """What came of a training.

    ``epoch_seconds`` is None where one epoch alone was trained. ``second_half`` is by how much the second half of the
    epochs has lowered the error of the rows held out. ``fell_back`` is True where the processor trained it because the
    GPU's memory did not suffice.
    """

    epochs: int
    stopped: bool
    seconds: float
    epoch_seconds: float | None
    notes: tuple[str, ...] = ()
    second_half: float = 0.0
    fell_back: bool = False


@dataclass(frozen=True)
class PilotOutcome:
    """Seconds of a training on all rows: once, and for each epoch.

    ``fell_back`` is True where the processor was measured because the GPU's memory did not suffice.
    """

    fixed: float
    epoch: float
    fell_back: bool = False
    notes: tuple[str, ...] = ()
