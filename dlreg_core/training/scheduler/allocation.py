"""Which network gets how much of the budget: decided from measured speeds, and from what has gained so far.

Nothing here trains or looks at a clock; it is arithmetic on measured figures and can be tested as such.

The rule is successive halving over families. In a first round every family gets a share of a part of the budget, in
proportion to the catalogue's weights, quick families first; each is measured just before its turn. One whose shortest
useful training doesn't fit waits until the others are done, and is skipped with that reason if it still doesn't. What
is left then goes to the families that did best on rows held out: for longer schedules, for variants of their settings
and for more seeds, as long as the ensemble gains by it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dlreg_core.networks import FAMILIES, Family, family
from dlreg_core.specs import FinishedFit, Preset
from dlreg_core.training.scheduler.fit_speed import Speed

EXTRA_FITS: dict[Preset, int] = {"fast": 0, "balanced": 4, "best": 24}
"""How many trainings may follow the first round in any case."""

_FIRST_ROUND: dict[Preset, float] = {"fast": 1.0, "balanced": 0.4, "best": 0.4}
"""Share of the budget that the first round may take, as far as that suffices for useful trainings."""

_COMFORT = 3
"""A larger network is taken when it gets this multiple of the fewest useful epochs."""

_LENT = 1.5
"""A family may take this multiple of its fair share where a useful training needs it."""

_FAR_BEHIND = 1.25
"""A family whose validation error is this multiple of the best one's is not trained again."""

_LONGER = 1.5
"""A repetition is made longer when at least this multiple of the first schedule fits."""

_LOST = 1.15
"""A network whose error is this multiple of the best one's, on the rows of the folds that it has been trained for, is
not trained for the others."""

_RACED_FOLDS, _FEWEST_RACED_ROWS = 2, 30
"""Folds and rows that must have been seen before that is said."""

_RACED_SHARE = 0.5
"""Part of its fair share that is kept for a family that waits, where it may turn out to be far behind early on."""

_GROWTH = 0.6
"""A larger network than before is tried where it takes no more than this share of what is left."""

_TIRED = 0.02
"""By so much of its error a family is thought worse for each time that it was trained: others get their turn."""

_SHORTER = 0.6
"""A schedule may be shorter than the best one so far by this factor, if the rest of the time holds no longer one."""

_LASTING = 0.5
"""Part of what the second half of a training has gained that as many epochs again are expected to gain."""

_FURTHER = 4
"""A family that ends its training by itself may get this multiple of the epochs that were too few for it."""

_PATIENCE = 4
"""After so many additional trainings that didn't help, no more follow."""

_NEXT_TO_NOTHING = 5e-4
"""Relative gain of the ensemble's validation error that doesn't count as one."""


@dataclass(frozen=True)
class Capacity:
    """What there is to train with.

    Attributes
    ----------
    left : float
        Seconds until all training must be over.
    processes : int
        Trainings that go on side by side.
    folds : int
        Trainings of each network, one for each fold of the rows.
    busy : float
        Seconds of processes' time that present trainings will still take, all together.
    """

    left: float
    processes: int = 1
    folds: int = 1
    busy: float = 0.0

    @property
    def seconds(self) -> float:
        """Seconds of processes' time that are free, for each fold of one network."""
        return (self.left * self.processes - self.busy) / self.folds

    @property
    def longest(self) -> float:
        """Seconds that each training of one network may take, when its folds are spread over the processes."""
        waves = math.ceil(self.folds / self.processes)
        # Processes that are still busy with something else are waited for by the folds of this network together.
        return (self.left - (self.busy / self.processes if self.folds > 1 else 0.0)) / waves


@dataclass(frozen=True)
class Proposal:
    """A network to train next, with the time that each of its folds is expected to take."""

    key: str
    size: int
    epochs: int
    seed: int
    seconds: float
    variant: int = 0
    rows: int = 0
    """Rows to draw for it; 0 where it learns from all of them."""


def promise(done: FinishedFit) -> float:
    """Return the validation error to expect of twice as many epochs, where the training was cut short by its time.

    With a schedule the error falls most at its end, however long it is: that tells nothing of a longer one.
    """
    if done.converged or family(done.fit.family).has_schedule:
        return done.validation
    return done.validation - _LASTING * done.second_half


def order(keys: Sequence[str]) -> tuple[str, ...]:
    """Return the chosen families in the order of the catalogue, which is from quick to demanding."""
    return tuple(chosen.key for chosen in FAMILIES if chosen.key in keys)


def first_round_left(left: float, began: float, preset: Preset) -> float:
    """Return the seconds that the first round has left, of a training for which there were `began` at its start."""
    return left - (1 - _FIRST_ROUND[preset]) * max(0.0, began)


def share(
    key: str,
    speed: Speed,
    waiting: Sequence[str],
    capacity: Capacity,
    *,
    first: bool = False,
    late: bool = False,
    spare: float = 0.0,
) -> float | None:
    """Return the seconds that each fold of a family's first network gets.

    Parameters
    ----------
    key, speed : str, Speed
        The family, and its measured speed.
    waiting, capacity : sequence of str, Capacity
        All families that still wait for their first training, this one among them, and what there is for all of them.
    first : bool
        True where no family could have a training within its share, and there is no network yet: then one gets its
        shortest useful training however long it takes, since a late result is better than none.
    late : bool
        True where every family has had its turn: then a useful training may take all there is.
    spare : float
        Seconds beyond ``capacity.left`` that are meant for later, and are given where a useful training needs them.

    Returns
    -------
    float or None
        None when no useful training fits.
    """
    chosen = family(key)
    # Most families that still wait will be given up after two of their folds, and leave the rest to the others.
    rest = _RACED_SHARE if capacity.folds > 2 * _RACED_FOLDS else 1.0
    others = sum(family(other).weight for other in waiting if other != key)
    weight = chosen.weight / (chosen.weight + rest * others)
    fair = min(capacity.seconds * weight, capacity.longest)
    fitting = speed.within(chosen, fair)
    needed = fitting.seconds(fitting.fewest(chosen))
    if needed <= fair:
        return min(fair, speed.seconds(speed.enough(chosen), chosen.sizes[-1].cost))
    whole = Capacity(capacity.left + spare, capacity.processes, capacity.folds, capacity.busy)
    if first:
        return needed
    # A little more than its share, if that makes the difference between a training and none.
    lent = whole.seconds if late else _LENT * whole.seconds * weight
    return needed if needed <= min(lent, whole.longest) else None


def first_fit(key: str, speed: Speed, share: float, seed: int, at_most: int | None = None) -> Proposal | None:
    """Propose the first network of a family, each fold within its share; None where no useful one fits.

    `at_most` is the largest of the family's sizes for which there is memory.
    """
    chosen = family(key)
    speed = speed.within(chosen, share)
    size = min(_largest_size(chosen, speed, share), len(chosen.sizes) if at_most is None else at_most)
    cost = chosen.sizes[size].cost
    epochs = min(speed.enough(chosen), speed.epochs(share, cost))
    if epochs < speed.fewest(chosen):
        return None
    return Proposal(key, size, epochs, seed, speed.seconds(epochs, cost), rows=speed.rows if speed.drawn else 0)


def next_fit(
    done: Sequence[FinishedFit],
    speeds: Mapping[str, Speed],
    capacity: Capacity,
    preset: Preset,
    *,
    taken: int = 0,
    errors: Sequence[float] = (),
    under_way: Sequence[str] = (),
    largest: Mapping[str, int] | None = None,
) -> Proposal | None:
    """Propose one more network for time that is left.

    The family that is best on validation comes first, then the others by what they reached, each with a longer
    schedule where the first one was cut short by its share, with the next variant of its settings, and with another
    seed in any case: all of them add to an ensemble.

    Parameters
    ----------
    done : sequence of FinishedFit
        What has been trained, in order.
    speeds : mapping of str to Speed
        Measured speeds.
    capacity : Capacity
        What there is to train with.
    preset : {"fast", "balanced", "best"}
        How many additional networks are wanted in any case.
    taken : int
        How many of `done` come from an earlier task.
    errors : sequence of float
        Validation RMSE of the ensemble after the first round and after each additional network. Beyond the number
        that is wanted in any case, training goes on while one of the last ones helped.
    under_way : sequence of str
        Families of networks that are being trained now.
    largest : mapping of str to int, optional
        The largest size of each family for which there is memory.

    Returns
    -------
    Proposal or None
        None when nothing useful fits or enough has been trained.
    """
    families = {one.fit.family for one in done}
    new = {one.fit.family for one in done[taken:]} - {one.fit.family for one in done[:taken]}
    extra = len(done) - taken - len(new) + len(under_way)
    if extra >= EXTRA_FITS[preset] and (preset == "fast" or not still_improving(errors)):
        return None
    of = {key: [one for one in done if one.fit.family == key] for key in families}
    best = {key: min(of[key], key=lambda one: one.validation) for key in families}
    times = {key: len(of[key]) + sum(other == key for other in under_way) for key in families}
    # Another seed of a family that is far behind adds nothing to an ensemble.
    least = min(one.validation for one in best.values()) if best else 0.0
    good = [key for key in families if promise(best[key]) <= _FAR_BEHIND * least]
    ranked = sorted(good, key=lambda key: (promise(best[key]) * (1 + _TIRED * (times[key] - 1)), key))
    for key in ranked:
        most = (largest or {}).get(key, len(family(key).sizes) - 1)
        first = min(one.fit.seed for one in of[key])
        proposal = _repetition(best[key], first, times[key], speeds[key], capacity.longest, most)
        if proposal is not None:
            return proposal
    return None


def has_lost(error: float, best: float, folds: int, rows: int) -> bool:
    """Tell whether a network is so far behind after some of its folds that the others aren't worth their time.

    Parameters
    ----------
    error, best : float
        RMSE of the network, and of the best one that is complete, on the same rows.
    folds, rows : int
        Folds that were trained, and the rows in them.

    Notes
    -----
    Racing (Maron & Moore 1994, "Hoeffding races"): what is measured fold by fold needn't be measured to the end where
    it can't win any more. The margin is wide, since a network that is a little behind still adds to an ensemble.
    """
    return folds >= _RACED_FOLDS and rows >= _FEWEST_RACED_ROWS and error > _LOST * best


def still_improving(errors: Sequence[float]) -> bool:
    """Tell whether one of the last additional trainings made the ensemble better by more than next to nothing."""
    if len(errors) <= _PATIENCE:
        return bool(errors)
    return min(errors[-_PATIENCE:]) < (1 - _NEXT_TO_NOTHING) * min(errors[:-_PATIENCE])


def _largest_size(chosen: Family, speed: Speed, share: float) -> int:
    wanted = min(speed.enough(chosen), _COMFORT * speed.fewest(chosen))
    fitting = [i for i, size in enumerate(chosen.sizes) if i == 0 or speed.epochs(share, size.cost) >= wanted]
    return fitting[-1]


def _repetition(
    best: FinishedFit, seed: int, times: int, speed: Speed, seconds: float, largest: int
) -> Proposal | None:
    """Propose to train a family once more: larger where its first network was kept small by its share, else longer.

    It gets the seed that is `times` after `seed`, that of the family's first network: none has it yet.
    """
    fit, chosen = best.fit, family(best.fit.family)
    if fit.rows:
        # Other rows of the table, or more of them.
        proposal = first_fit(fit.family, speed, seconds, seed + times, at_most=best.size)
        return replace(proposal, variant=times) if proposal is not None else None
    # One size at a time: validation tells whether a larger network pays on this table.
    grown = min(best.size + 1, largest, _largest_size(chosen, speed, _GROWTH * seconds)) if times == 1 else 0
    size = max(best.size, grown)
    cost = chosen.sizes[size].cost
    fitting = min(speed.enough(chosen), speed.epochs(seconds, cost))
    # Without a schedule, a training that stopped by itself will need about as many epochs again, not all that it had.
    usual = best.trained if best.trained and best.converged and not chosen.has_schedule else fit.epochs
    if fitting < (_SHORTER * usual if chosen.has_schedule else usual):
        return None
    # Where no other network fits after this one, it takes all the time that is left.
    last = seconds < (1 + _SHORTER) * speed.seconds(usual, cost)
    longer = not best.converged and fitting >= (1.0 if last else _LONGER) * fit.epochs
    # Twice the schedule at most: the validation then tells whether to go on in that direction.
    most = 2 * fit.epochs
    if not chosen.has_schedule:
        most = max(most, min(_FURTHER * fit.epochs, speed.epochs(_GROWTH * seconds, cost)))
    epochs = min(fitting, most if longer else fit.epochs)
    expected = speed.seconds(epochs if longer else min(epochs, usual), cost)
    # Other settings are for a family that has learned what it can with its usual ones.
    variant = best.variant if longer else times
    return Proposal(fit.family, size, epochs, seed + times, expected, variant)
