"""Clocks that jump, and time that passes at once."""

from __future__ import annotations

import time

import pytest

HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0
JUMPS = [HOUR, -HOUR, YEAR, -YEAR]


class Clocks:
    """The clock on the wall and the machine's own one, as this process sees them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._wall = self._own = self._slept = 0.0
        wall, own, any_clock = time.time, time.monotonic, time.clock_gettime

        def clock_gettime(which: int) -> float:
            if which == getattr(time, "CLOCK_BOOTTIME", None):
                return any_clock(which) + self._own + self._slept
            return any_clock(which)

        monkeypatch.setattr(time, "time", lambda: wall() + self._wall)
        monkeypatch.setattr(time, "monotonic", lambda: own() + self._own)
        monkeypatch.setattr(time, "clock_gettime", clock_gettime)

    def jump(self, seconds: float) -> None:
        """Set the clock on the wall, as a person or a time server does."""
        self._wall += seconds

    def pass_by(self, seconds: float) -> None:
        """Let time pass while everything runs, or is paused without the machine's noticing."""
        self._wall += seconds
        self._own += seconds

    def sleep(self, seconds: float) -> None:
        """Let the machine sleep."""
        self._wall += seconds
        self._slept += seconds
