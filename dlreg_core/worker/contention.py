"""How much other programs have slowed a run down, by the processor time that they took meanwhile."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import dataclass

import psutil

_SHORTEST = 1.0
"""Over fewer seconds the figures, which come in hundredths, tell nothing."""


@dataclass(frozen=True)
class ProcessorSeconds:
    """Seconds since some moment: on the clock, of the processors by this run and by everybody, and of idle ones."""

    clock: float
    own: float
    busy: float
    idle: float

    @classmethod
    def until_now(cls) -> ProcessorSeconds:
        """Return what has been used until now by this process, its children, and the machine."""
        own = 0.0
        process = psutil.Process()
        for member in (process, *process.children(recursive=True)):
            # A child may end at this moment; its time counts as its parent's then.
            with suppress(psutil.Error):
                times = member.cpu_times()
                own += times.user + times.system + times.children_user + times.children_system
        every = psutil.cpu_times()
        return cls(time.monotonic(), own, every.user + every.nice + every.system, every.idle)

    def since(self, before: ProcessorSeconds) -> ProcessorSeconds:
        """Return what was used in between."""
        return ProcessorSeconds(
            self.clock - before.clock, self.own - before.own, self.busy - before.busy, self.idle - before.idle
        )


def crowding(used: ProcessorSeconds, cores: int) -> float:
    """Return how many times longer a run has taken than it would have with the machine to itself; 1 at least.

    What other programs took is what the run lacked, as far as no processor was idle beside them, and as far as the run
    could have used it. Only processor time is counted: that memory was slower, too, isn't seen.

    Parameters
    ----------
    used : ProcessorSeconds
        What was used while the run worked.
    cores : int
        Processors that the run may use.
    """
    if used.clock < _SHORTEST or used.own <= 0:
        return 1.0
    others = max(0.0, used.busy - used.own)
    lacked = max(0.0, others - used.idle)
    could = min(cores * used.clock, used.own + lacked)
    return max(1.0, could / used.own)
