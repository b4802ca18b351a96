"""What all specs have in common."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

SCHEMA_VERSION = 1


def now() -> datetime:
    """Return the present time in UTC, to the millisecond."""
    moment = datetime.now(UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Spec(BaseModel):
    """Base of all specs: immutable, and strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")
