"""What all specs have in common."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, field_validator

from dlreg_core.names import MOST_OF_UNIT, clean_name

SCHEMA_VERSION = 1

Name = Annotated[str, AfterValidator(clean_name)]
"""A name that people give: cleaned, whichever way it comes in."""

Unit = Annotated[str, AfterValidator(partial(clean_name, most=MOST_OF_UNIT))]
"""A unit that people give, likewise."""


def now() -> datetime:
    """Return the present time in UTC, to the millisecond."""
    moment = datetime.fromtimestamp(time.time(), UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Spec(BaseModel):
    """Base of all specs: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class VersionedSpec(Spec):
    """Base of specs that are files of their own: they say in which format they are written, and only that one is read.

    What another version of dlreg wrote is refused when it is read, in place of being taken for something else.
    """

    schema_version: int = SCHEMA_VERSION

    @field_validator("schema_version")
    @classmethod
    def _known(cls, version: int) -> int:
        if version != SCHEMA_VERSION:
            raise ValueError(f"written in format {version}, and this version of dlreg reads {SCHEMA_VERSION}")
        return version


class Instant(Spec):
    """A moment by the clock that nobody sets: seconds since some fixed moment of one start of a machine.

    The time of day goes backwards and jumps, when it is set or a machine wakes; durations are differences of these.
    """

    boot: str
    """Which start of which machine."""
    ticks: float
