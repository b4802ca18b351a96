"""How fast each family trains on this table, as far as it has been measured, and on which device."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from dlreg_core.networks import family
from dlreg_core.specs import FamilySpeed, PlannedFit
from dlreg_core.training.scheduler.fit_jobs import FoldOutcome, PilotJob, PilotOutcome
from dlreg_core.training.scheduler.fit_speed import Speed

GPU_IN_DOUBT_ROWS = 30_000
"""With fewer rows a processor may be quicker than a GPU, and a GPU may train several networks at once."""

_SHARED = 0.5
"""By how much of its time alone each further training on a GPU is thought to lengthen one, until whole ones show it."""


@dataclass(frozen=True)
class Speeds(Mapping[str, Speed]):
    """Measured speeds by family, each on the device on which the family is quicker.

    Attributes
    ----------
    rows : int
        Rows that a training learns from.
    gpu : bool
        Whether there is a GPU.
    choose : bool
        Whether the device is left to what is measured.
    processes : int
        Trainings that go on side by side, and share the GPU.
    measured : mapping
        By family: its speed, on the GPU (True) and on a processor (False).
    """

    rows: int
    gpu: bool = False
    choose: bool = False
    processes: int = 1
    measured: Mapping[str, Mapping[bool, Speed]] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Speed:
        return self.measured[key][self.on_gpu(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self.measured)

    def __len__(self) -> int:
        return len(self.measured)

    def known(self, earlier: Mapping[str, FamilySpeed]) -> Speeds:
        """Return them with what an earlier task of the run measured."""
        # Earlier versions didn't keep where they had measured. A GPU that is gone since can't be trained on.
        found = {
            key: {self.gpu and speed.gpu is not False: Speed(speed.fixed, speed.epoch, self.rows)}
            for key, speed in earlier.items()
        }
        return replace(self, measured={**self.measured, **found})

    def on_gpu(self, key: str) -> bool:
        """Tell whether a family is trained on the GPU."""
        measured = self.measured.get(key)
        if not measured:
            return self.gpu
        return min(measured, key=lambda gpu: (self._enough_seconds(key, gpu=gpu), not gpu))

    def needed(self, key: str) -> float:
        """Return the seconds of a family's shortest useful training; infinite where it has not been measured."""
        return self[key].least(family(key)) if key in self.measured else math.inf

    def heard(self, pilot: PilotJob, found: PilotOutcome) -> Speeds:
        """Return them with what a pilot measured."""
        gpu = pilot.gpu and not found.fell_back
        # A pilot mostly had the GPU for itself. Processors are shared less: each process has some of its own.
        slower = 1.0 + _SHARED * (self.processes - 1) if gpu else 1.0
        return self._with(pilot.family, Speed(found.fixed, found.epoch * slower, self.rows), gpu=gpu)

    def wants_other_device(self, pilot: PilotJob) -> bool:
        """Tell whether a processor may be quicker than the GPU that a pilot was measured on."""
        return False not in self.measured[pilot.family] and self.choose and self.rows < GPU_IN_DOUBT_ROWS

    def learned(self, fit: PlannedFit, size: int, outcomes: Mapping[int, FoldOutcome]) -> Speeds:
        """Return them with what whole trainings of a network showed in place of the pilot's estimate.

        Where several networks share a GPU it may turn out to be slower than it was alone. Where its memory didn't
        suffice, it won't for others of the family either.

        Parameters
        ----------
        fit : PlannedFit
            The network.
        size : int
            Which of the family's sizes it has.
        outcomes : mapping of int to FoldOutcome
            What came of its folds so far.
        """
        fell_back = any(found.fell_back for found in outcomes.values())
        known = [found for found in outcomes.values() if found.epoch_seconds and found.fell_back is fell_back]
        if not known:
            return self
        key = fit.family
        epoch = statistics.median(found.epoch_seconds or 0.0 for found in known)
        fixed = statistics.median(
            max(0.0, found.seconds - found.epochs * (found.epoch_seconds or 0.0)) for found in known
        )
        cost = family(key).sizes[size].cost
        # Of rows that were drawn, all of them would take longer in proportion.
        part = fit.rows / self.rows if fit.rows else 1.0
        learned = Speed(fixed / part, max(1e-4, epoch / cost / part), self.rows)
        # A repetition, and whoever says at once that it is enough, train what was never measured.
        return self._with(key, learned, gpu=fit.device == "gpu" and not fell_back, forget_gpu=fell_back)

    def change_note(self, before: Speeds, key: str) -> str:
        """Return what is to be said where the processor has turned out to be quicker for a family; else nothing."""
        measured = self.measured.get(key, {})
        if len(measured) < 2 or self.on_gpu(key) or not before.on_gpu(key):
            return ""
        factor = self._enough_seconds(key, gpu=True) / self._enough_seconds(key, gpu=False)
        return f"{family(key).title} trains on the CPU: on this table it is about {factor:.1f} times as fast there."

    def kept(self, threads: int) -> dict[str, FamilySpeed]:
        """Return what is known in the form in which it is kept."""
        return {
            key: FamilySpeed(fixed=speed.fixed, epoch=speed.epoch, threads=threads, gpu=self.on_gpu(key))
            for key, speed in self.items()
        }

    def _with(self, key: str, speed: Speed, *, gpu: bool, forget_gpu: bool = False) -> Speeds:
        others = {device: other for device, other in self.measured.get(key, {}).items() if not (device and forget_gpu)}
        return replace(self, measured={**self.measured, key: {**others, gpu: speed}})

    def _enough_seconds(self, key: str, *, gpu: bool) -> float:
        """Return the seconds of a training of a family beyond which more hardly ever helps, on one of the devices."""
        speed = self.measured[key][gpu]
        return speed.seconds(speed.enough(family(key)))
