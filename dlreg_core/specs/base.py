"""What all specs have in common."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1


def now() -> datetime:
    """Return the present time in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(time.time(), UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Spec(BaseModel):
    """Base of all specs: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Instant(Spec):
    """A moment by the clock that nobody sets: seconds since some fixed moment of one start of a machine.

    The time of day goes backwards and jumps, when it is set or a machine wakes; durations are differences of these.
    """

    boot: str
    """Which start of which machine."""
    ticks: float
