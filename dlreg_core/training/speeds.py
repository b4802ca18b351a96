"""How fast each family trains on this table, as far as it has been measured, and on which device."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Mapping

from dlreg_core.specs import FamilySpeed
from dlreg_core.training.allocation import Speed
from dlreg_core.training.catalogue import family
from dlreg_core.training.folds import Measured, PilotOrder
from dlreg_core.training.under_way import NetworkUnderWay

_GPU_IN_DOUBT_ROWS = 30_000
"""With fewer rows a processor may be quicker than a GPU: both are measured."""


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
    """

    def __init__(self, rows: int, *, gpu: bool, choose: bool, earlier: Mapping[str, FamilySpeed]) -> None:
        self._rows = rows
        self._gpu = gpu
        self._choose = choose
        self._known = {key: Speed(speed.fixed, speed.epoch, rows) for key, speed in earlier.items()}
        self._on_gpu = dict.fromkeys(self._known, gpu)

    def __getitem__(self, key: str) -> Speed:
        return self._known[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def on_gpu(self, key: str) -> bool:
        """Tell whether a family is trained on the GPU."""
        return self._on_gpu.get(key, self._gpu)

    def needed(self, key: str) -> float:
        """Return the seconds of a family's shortest useful training; infinite where it has not been measured."""
        speed = self._known.get(key)
        return math.inf if speed is None else speed.least(family(key))

    def hear(self, pilot: PilotOrder, found: Measured) -> str:
        """Take what a pilot measured; return what is to be said about the device, if anything."""
        key, speed = pilot.family, Speed(found.fixed, found.epoch, self._rows)
        known = self._known.get(key)
        enough = speed.enough(family(key))
        if known is None or speed.seconds(enough) < known.seconds(enough):
            self._known[key], self._on_gpu[key] = speed, pilot.gpu
        if known is None or self._on_gpu[key]:
            return ""
        factor = known.seconds(enough) / speed.seconds(enough)
        return f"{family(key).title} trains on the CPU: on this table it is {factor:.1f} times as fast there."

    def wants_other_device(self, pilot: PilotOrder) -> bool:
        """Tell whether a processor may be quicker than the GPU that a pilot was measured on."""
        return pilot.gpu and self._choose and self._rows < _GPU_IN_DOUBT_ROWS

    def learn(self, network: NetworkUnderWay) -> None:
        """Replace the pilot's estimate by what whole trainings showed."""
        known = [found for found in network.reports.values() if found.epoch_seconds]
        if not known:
            return
        key = network.planned.family
        epoch = statistics.median(found.epoch_seconds or 0.0 for found in known)
        fixed = statistics.median(
            max(0.0, found.seconds - found.epochs * (found.epoch_seconds or 0.0)) for found in known
        )
        cost = family(key).sizes[network.proposal.size].cost
        # Of rows that were drawn, all of them would take longer in proportion.
        part = network.planned.rows / self._rows if network.planned.rows else 1.0
        self._known[key] = Speed(fixed / part, max(1e-4, epoch / cost / part), self._rows)

    def kept(self, threads: int) -> dict[str, FamilySpeed]:
        """Return what is known in the form in which it is kept."""
        return {key: FamilySpeed(fixed=s.fixed, epoch=s.epoch, threads=threads) for key, s in self._known.items()}
