"""How fast a family trains on a table, and what that makes of some seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from dlreg_core.networks import Family


@dataclass(frozen=True)
class Speed:
    """Measured seconds of a family on this table: once per training, and per epoch of its smallest network."""

    fixed: float
    epoch: float
    rows: int = 0
    """Rows that a training learns from; 0 for a middling table."""
    drawn: bool = False
    """True where those are a random part of the table's rows."""

    def fewest(self, chosen: Family) -> int:
        """Return the fewest epochs of a family that are worth their time on this table."""
        return chosen.fewest(self.rows) if self.rows else chosen.fewest_epochs

    def enough(self, chosen: Family) -> int:
        """Return the epochs of a family beyond which more hardly ever help on this table."""
        return chosen.enough(self.rows) if self.rows else chosen.enough_epochs

    def within(self, chosen: Family, seconds: float) -> Speed:
        """Return the speed on as many rows, drawn at random, as a useful training passes in `seconds`.

        It is the same where all rows fit, and where fewer of them would have to be passed more often instead: what a
        network learns in is steps, which cost the same whatever rows they see. So rows are drawn only from a table of
        which a single pass is too long.
        """
        whole = self.seconds(1)
        if self.rows == 0 or whole <= seconds or self.fewest(chosen) > 1:
            return self
        rows = max(chosen.fewest_rows(self.rows), math.floor(self.rows * max(0.0, seconds) / whole))
        return self.of(rows)

    def of(self, rows: int) -> Speed:
        """Return the speed on `rows` rows that are drawn from the table; 0 for all of them."""
        if not 0 < rows < self.rows:
            return self
        return Speed(self.fixed * rows / self.rows, self.epoch * rows / self.rows, rows, drawn=True)

    def slower(self, factor: float) -> Speed:
        """Return the speed of a family that takes `factor` times as long."""
        return replace(self, fixed=self.fixed * factor, epoch=self.epoch * factor)

    def least(self, chosen: Family) -> float:
        """Return the seconds of a family's shortest useful training."""
        shortest = self.within(chosen, 0.0)
        return shortest.seconds(shortest.fewest(chosen))

    def seconds(self, epochs: int, cost: float = 1.0) -> float:
        """Return the time of a training."""
        return self.fixed + epochs * self.epoch * cost

    def epochs(self, seconds: float, cost: float = 1.0) -> int:
        """Return how many epochs fit into `seconds`; 0 when not even the fixed part does."""
        # Without the small step up, the time of eight epochs would now and then hold only seven.
        return max(0, math.floor((seconds - self.fixed) / (self.epoch * cost) + 1e-6))
