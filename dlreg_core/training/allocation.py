"""Which network gets how much of the budget: decided from measured speeds, and from what has gained so far.

Nothing here trains or looks at a clock; it is arithmetic on measured figures and can be tested as such.

The rule: quick families first and a fair share each, in proportion to the catalogue's weights. Each is measured just
before its turn, so that a short budget isn't spent on measuring. A family that needs less than its share leaves the
rest to the others; one whose shortest useful training doesn't fit waits until the others are done, and is skipped with
that reason if it still doesn't. What is left after that goes to the families that did best on validation, for longer
schedules and more seeds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dlreg_core.specs import Preset
from dlreg_core.training.catalogue import FAMILIES, Family, family

EXTRA_FITS: dict[Preset, int] = {"fast": 0, "balanced": 4, "best": 24}
"""How many trainings may follow the first round."""

_COMFORT = 5
"""A larger network is taken when it gets this multiple of the fewest useful epochs."""

GRACE_SECONDS = 10.0
"""How much later than planned a run may end when it would have no network otherwise."""

_LENT = 1.5
"""A family may take this multiple of its fair share where a useful training needs it."""

_FAR_BEHIND = 1.25
"""A family whose validation error is this multiple of the best one's is not trained again."""

_LONGER = 1.5
"""A repetition is made longer when at least this multiple of the first schedule fits."""


_PATIENCE = 3
"""After so many additional trainings that didn't help, no more follow."""

_NEXT_TO_NOTHING = 5e-4
"""Relative gain of the ensemble's validation error that doesn't count as one."""


@dataclass(frozen=True)
class Speed:
    """Measured seconds of a family on this table: once per training, and per epoch of its smallest network."""

    fixed: float
    epoch: float
    rows: int = 0
    """Training rows of the table; 0 for a middling one."""

    def fewest(self, chosen: Family) -> int:
        """Return the fewest epochs of a family that are worth their time on this table."""
        return chosen.fewest(self.rows) if self.rows else chosen.fewest_epochs

    def seconds(self, epochs: int, cost: float = 1.0) -> float:
        """Return the time of a training."""
        return self.fixed + epochs * self.epoch * cost

    def epochs(self, seconds: float, cost: float = 1.0) -> int:
        """Return how many epochs fit into `seconds`; 0 when not even the fixed part does."""
        # Without the small step up, the time of eight epochs would now and then hold only seven.
        return max(0, math.floor((seconds - self.fixed) / (self.epoch * cost) + 1e-6))


@dataclass(frozen=True)
class Outcome:
    """A training that has been done."""

    key: str
    size: int
    epochs: int
    seed: int
    validation: float
    seconds: float
    trained: int = 0
    """Epochs that were really trained; as many as planned where this is 0."""
    converged: bool = False
    """True when the training ended by itself before the last planned epoch."""


@dataclass(frozen=True)
class Proposal:
    """A training to do next, with the time it is expected to take."""

    key: str
    size: int
    epochs: int
    seed: int
    seconds: float


def order(keys: Sequence[str]) -> tuple[str, ...]:
    """Return the chosen families in the order of the catalogue, which is from quick to demanding."""
    return tuple(chosen.key for chosen in FAMILIES if chosen.key in keys)


def share(key: str, speed: Speed, waiting: Sequence[str], left: float, *, first: bool) -> float | None:
    """Return the seconds that a family gets.

    Parameters
    ----------
    key : str
        The family.
    speed : Speed
        Its measured speed.
    waiting : sequence of str
        All families that still wait for their first training, this one among them.
    left : float
        Seconds left for all of them.
    first : bool
        True while nothing has been trained: then a training that is worth its time may take all there is, and a little
        more, since a result a few seconds late is better than none.

    Returns
    -------
    float or None
        None when the shortest useful training doesn't fit.
    """
    chosen = family(key)
    needed = speed.seconds(speed.fewest(chosen))
    fair = left * chosen.weight / sum(family(other).weight for other in waiting)
    most = speed.seconds(chosen.enough_epochs, chosen.sizes[-1].cost)
    if needed <= fair:
        return min(fair, most)
    # A little more than its share, if that makes the difference between a training and none.
    lent = max(left, 0.0) + GRACE_SECONDS if first else min(left, _LENT * fair)
    return needed if needed <= lent else None


def first_fit(key: str, speed: Speed, share: float, seed: int, at_most: int | None = None) -> Proposal | None:
    """Propose the first training of a family within its share; None where no useful one fits.

    `at_most` is the largest of the family's sizes for which there is memory.
    """
    chosen = family(key)
    size = _largest_size(chosen, speed, share)
    size = size if at_most is None else min(size, at_most)
    cost = chosen.sizes[size].cost
    epochs = min(chosen.enough_epochs, speed.epochs(share, cost))
    if epochs < speed.fewest(chosen):
        return None
    return Proposal(key, size, epochs, seed, speed.seconds(epochs, cost))


def next_fit(
    done: Sequence[Outcome],
    speeds: Mapping[str, Speed],
    budget: float,
    preset: Preset,
    *,
    taken: int = 0,
    errors: Sequence[float] = (),
) -> Proposal | None:
    """Propose one more training for time that is left.

    The family that is best on validation comes first, then the others by what they reached, each with a longer
    schedule where the first one was cut short by its share, and with another seed in any case: both add to an ensemble.

    Parameters
    ----------
    done : sequence of Outcome
        What has been trained, in order.
    speeds : mapping of str to Speed
        Measured speeds.
    budget : float
        Seconds left.
    preset : {"fast", "balanced", "best"}
        How many additional trainings are wanted in any case.
    taken : int
        How many of `done` come from an earlier task.
    errors : sequence of float
        Validation RMSE of the ensemble after the first round and after each additional training. Beyond the number
        that is wanted in any case, training goes on while one of the last ones helped.

    Returns
    -------
    Proposal or None
        None when nothing useful fits or enough has been trained.
    """
    families = {outcome.key for outcome in done}
    new = {outcome.key for outcome in done[taken:]} - {outcome.key for outcome in done[:taken]}
    extra = len(done) - taken - len(new)
    if extra >= EXTRA_FITS[preset] and (preset == "fast" or not still_improving(errors)):
        return None
    best = {key: min((o for o in done if o.key == key), key=lambda o: o.validation) for key in families}
    times = {key: sum(o.key == key for o in done) for key in families}
    # Another seed of a family that is far behind adds nothing to an ensemble.
    least = min(outcome.validation for outcome in best.values()) if best else 0.0
    good = [key for key in families if best[key].validation <= _FAR_BEHIND * least]
    ranked = sorted(good, key=lambda key: (best[key].validation * (1 + 0.05 * (times[key] - 1)), key))
    for key in ranked:
        proposal = _repetition(best[key], times[key], speeds[key], budget)
        if proposal is not None:
            return proposal
    return None


def still_improving(errors: Sequence[float]) -> bool:
    """Tell whether one of the last additional trainings made the ensemble better by more than next to nothing."""
    if len(errors) <= _PATIENCE:
        return bool(errors)
    return min(errors[-_PATIENCE:]) < (1 - _NEXT_TO_NOTHING) * min(errors[:-_PATIENCE])


def _largest_size(chosen: Family, speed: Speed, share: float) -> int:
    wanted = min(chosen.enough_epochs, _COMFORT * speed.fewest(chosen))
    fitting = [i for i, size in enumerate(chosen.sizes) if i == 0 or speed.epochs(share, size.cost) >= wanted]
    return fitting[-1]


def _repetition(best: Outcome, times: int, speed: Speed, budget: float) -> Proposal | None:
    chosen = family(best.key)
    cost = chosen.sizes[best.size].cost
    fitting = min(chosen.enough_epochs, speed.epochs(budget, cost))
    # Without a schedule, a training that stopped by itself will need about as many epochs again, not all that it had.
    usual = best.trained if best.trained and best.converged and not chosen.has_schedule else best.epochs
    if fitting < usual:
        return None
    longer = not best.converged and fitting >= _LONGER * best.epochs
    # Twice the schedule at most: the validation then tells whether to go on in that direction.
    epochs = min(fitting, 2 * best.epochs if longer else best.epochs)
    seconds = speed.seconds(epochs if longer else min(epochs, usual), cost)
    return Proposal(best.key, best.size, epochs, best.seed + times, seconds)
