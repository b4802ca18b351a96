"""How fast each family trains on this table, as far as it has been measured, and on which device."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping

from dlreg_core.networks import family
from dlreg_core.specs import FamilySpeed
from dlreg_core.training.execution.fit_records import Measured, PilotOrder
from dlreg_core.training.execution.process_pool import GPU_IN_DOUBT_ROWS
from dlreg_core.training.planning.fit_speed import Speed
from dlreg_core.training.scheduler.network_progress import NetworkUnderWay

_SHARED = 0.5
"""By how much of its time alone each further training on a GPU is thought to lengthen one, until whole ones show it."""


class Speeds(Mapping[str, Speed]):
    """Measured speeds by family, each on the device on which the family is quicker.

    Parameters
    ----------
    rows : int
        Rows that a training learns from.
    gpu : bool
        Whether there is a GPU.
    choose : bool
        Whether the device is left to what is measured.
    earlier : mapping
        What an earlier task of the run measured.
    lanes : int
        Trainings that go on side by side, and share the GPU.
    """

    def __init__(
        self, rows: int, *, gpu: bool, choose: bool, earlier: Mapping[str, FamilySpeed], lanes: int = 1
    ) -> None:
        self._rows = rows
        self._slower = 1.0 + _SHARED * (lanes - 1)
        self._gpu = gpu
        self._choose = choose
        self._measured: dict[str, dict[bool, Speed]] = {}
        for key, speed in earlier.items():
            # Earlier versions didn't keep where they had measured. A GPU that is gone since can't be trained on.
            there = gpu and speed.gpu is not False
            self._measured[key] = {there: Speed(speed.fixed, speed.epoch, rows)}

    def __getitem__(self, key: str) -> Speed:
        return self._measured[key][self.on_gpu(key)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._measured)

    def __len__(self) -> int:
        return len(self._measured)

    def on_gpu(self, key: str) -> bool:
        """Tell whether a family is trained on the GPU."""
        measured = self._measured.get(key)
        if not measured:
            return self._gpu
        return min(measured, key=lambda gpu: (self._enough_seconds(key, gpu=gpu), not gpu))

    def needed(self, key: str) -> float:
        """Return the seconds of a family's shortest useful training; infinite where it has not been measured."""
        return self[key].least(family(key)) if key in self._measured else math.inf

    def hear(self, pilot: PilotOrder, found: Measured) -> str:
        """Take what a pilot measured; return what is to be said about the device, if anything."""
        gpu = pilot.gpu and not found.fell_back
        # A pilot mostly had the GPU for itself. Processors are shared less: each lane has some of its own.
        slower = self._slower if gpu else 1.0
        return self._take(pilot.family, Speed(found.fixed, found.epoch * slower, self._rows), gpu=gpu)

    def wants_other_device(self, pilot: PilotOrder) -> bool:
        """Tell whether a processor may be quicker than the GPU that a pilot was measured on."""
        unknown = False not in self._measured[pilot.family]
        return unknown and self._choose and self._rows < GPU_IN_DOUBT_ROWS

    def learn(self, network: NetworkUnderWay) -> str:
        """Replace the pilot's estimate by what whole trainings showed; return what is to be said about the device.

        Where several networks share a GPU it may turn out to be slower than it was alone. Where its memory didn't
        suffice, it won't for others of the family either.
        """
        fell_back = any(found.fell_back for found in network.reports.values())
        known = [found for found in network.reports.values() if found.epoch_seconds and found.fell_back is fell_back]
        if not known:
            return ""
        key = network.planned.family
        if fell_back:
            # A repetition, and whoever says at once that it is enough, train what was never measured.
            self._measured.get(key, {}).pop(True, None)
        epoch = statistics.median(found.epoch_seconds or 0.0 for found in known)
        fixed = statistics.median(
            max(0.0, found.seconds - found.epochs * (found.epoch_seconds or 0.0)) for found in known
        )
        cost = family(key).sizes[network.proposal.size].cost
        # Of rows that were drawn, all of them would take longer in proportion.
        part = network.planned.rows / self._rows if network.planned.rows else 1.0
        learned = Speed(fixed / part, max(1e-4, epoch / cost / part), self._rows)
        return self._take(key, learned, gpu=network.planned.device == "gpu" and not fell_back)

    def kept(self, threads: int) -> dict[str, FamilySpeed]:
        """Return what is known in the form in which it is kept."""
        return {
            key: FamilySpeed(fixed=speed.fixed, epoch=speed.epoch, threads=threads, gpu=self.on_gpu(key))
            for key, speed in self.items()
        }

    def _take(self, key: str, speed: Speed, *, gpu: bool) -> str:
        """Take the speed on a device; return words where the processor is quicker and that wasn't known before."""
        was_on_gpu = self.on_gpu(key)
        measured = self._measured.setdefault(key, {})
        measured[gpu] = speed
        if not was_on_gpu or self.on_gpu(key) or len(measured) == 1:
            return ""
        factor = self._enough_seconds(key, gpu=True) / self._enough_seconds(key, gpu=False)
        return f"{family(key).title} trains on the CPU: on this table it is about {factor:.1f} times as fast there."

    def _enough_seconds(self, key: str, *, gpu: bool) -> float:
        """Return the seconds of a training of a family beyond which more hardly ever helps, on one of the devices."""
        speed = self._measured[key][gpu]
        return speed.seconds(speed.enough(family(key)))
