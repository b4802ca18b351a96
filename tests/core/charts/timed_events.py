"""Events at chosen seconds."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from dlreg_core.specs import Event

START = datetime(2024, 1, 1, tzinfo=UTC)


def event(second: float, kind: str, **data: object) -> Event:
    return Event(time=START + timedelta(seconds=second), kind=kind, data=data)
