"""How old something is that was kept over many starts of a machine, by a clock on the wall that can be wrong.

Only the time of day outlives a restart, and it is set, jumps and comes back wrong from an empty battery. So a home
keeps the stretches of it in which the machine's own clock has agreed, and only those count: a run that ended before an
hour or a year was jumped over is no older for it.
"""

from __future__ import annotations

import logging
import time
from pathlib import Path

from dlreg_core.errors import NotFoundError
from dlreg_core.runs.atomic_files import read_spec, write_spec
from dlreg_core.runs.machine import boot_id
from dlreg_core.specs import Instant, VersionedSpec

_log = logging.getLogger(__name__)

_TOLERANCE, _DRIFT = 60.0, 0.001
"""Seconds, and share of the time that passed, by which a clock that is set softly may differ from the machine's own."""

_MOST_STRETCHES = 2_000


class Calendar(VersionedSpec):
    """The time of day as far as it could be believed: the content of ``HOME/calendar.json``."""

    stretches: tuple[tuple[float, float], ...]
    """Beginnings and ends, in seconds since 1970; what was before a home had a calendar is believed."""
    watched: float = 0.0
    """Seconds since the calendar began that could be believed."""
    instant: Instant
    """The last look, by the machine's own clock."""

    def age(self, moment: float) -> float:
        """Return how many seconds have passed for certain since a time of day, in seconds since 1970."""
        return sum(max(0.0, end - max(begin, moment)) for begin, end in self.stretches)

    def after(self, moment: float, instant: Instant) -> Calendar:
        """Return the calendar after a look at both clocks."""
        passed = instant.ticks - self.instant.ticks
        begin, end = self.stretches[-1]
        same = instant.boot == self.instant.boot and passed >= 0
        if same and abs(moment - end - passed) <= _TOLERANCE + _DRIFT * passed:
            stretches = (*self.stretches[:-1], (min(begin, moment), moment))
            return self.model_copy(
                update={"stretches": stretches, "watched": self.watched + passed, "instant": instant}
            )
        if same:
            _log.warning("the clock was set by %.0f s; no time is counted for it", moment - end - passed)
        # A time of day that comes a second time isn't counted twice.
        before = tuple((begin, min(end, moment)) for begin, end in self.stretches if begin < min(end, moment))
        stretches = (*before, (moment, moment))[-_MOST_STRETCHES:]
        return self.model_copy(update={"stretches": stretches, "instant": instant})


def calendar_of(home: Path) -> Calendar:
    """Return the calendar of a home, up to now; one that believes the clock where the home has none yet."""
    moment, instant = time.time(), Instant(boot=boot_id(), ticks=_ticks())
    try:
        return read_spec(home / "calendar.json", Calendar).after(moment, instant)
    except NotFoundError:
        return Calendar(stretches=((0.0, moment),), instant=instant)


def keep_calendar(home: Path) -> Calendar:
    """Bring the calendar of a home up to now, and return it."""
    calendar = calendar_of(home)
    write_spec(home / "calendar.json", calendar)
    return calendar


def _ticks() -> float:
    # While a machine sleeps, days do pass.
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
