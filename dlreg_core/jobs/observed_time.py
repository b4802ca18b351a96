"""How long something has lasted before the eyes of whoever watches."""

from __future__ import annotations

import time
from collections.abc import Hashable

MOST_BETWEEN_LOOKS = 30.0
"""Seconds between two looks that are still taken for watching. Whoever looks again after longer was held up: asleep,
stopped or cut off together with what it watches, and knows nothing of the meantime."""


class ObservedTime:
    """Counts seconds of watching, by a clock that nobody sets; what nobody saw counts for nothing.

    So nothing is ended because a machine slept, a clock was set or a container was paused, and what is ended was seen
    in that state at least twice.
    """

    def __init__(self) -> None:
        self._last = time.monotonic()
        self._watched = 0.0
        self._since: dict[Hashable, tuple[Hashable, float]] = {}

    def look(self) -> None:
        """Begin a look."""
        moment = time.monotonic()
        passed, self._last = moment - self._last, moment
        self._watched += passed if passed <= MOST_BETWEEN_LOOKS else 0.0

    def lasting(self, what: Hashable, sign: Hashable) -> float:
        """Return for how many seconds of watching `what` has shown the same `sign`; 0 when it is new."""
        known = self._since.get(what)
        if known is None or known[0] != sign:
            self._since[what] = known = (sign, self._watched)
        return self._watched - known[1]

    def forget(self, what: Hashable) -> None:
        """Forget what was seen of `what`."""
        self._since.pop(what, None)
