"""The trials of a search as networks of a run, each trained as long as the searched family's first one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dlreg_core.networks import family
from dlreg_core.specs import FinishedFit, Search
from dlreg_core.training.scheduler.allocation import Capacity, Proposal
from dlreg_core.training.scheduler.fit_speed import Speed


def first_share(search: Search | None, key: str, given: float, speed: Speed, capacity: Capacity) -> float:
    """Return what the first network of a family gets: where it is searched, the trials want as much each."""
    if search is None or key != search.family:
        return given
    return max(speed.least(family(key)), min(given, capacity.seconds / (search.trials + 1)))


def trial_like(first: FinishedFit, speed: Speed) -> Proposal:
    """Return a trial that is as long as the family's first network, whatever its values are."""
    fit = first.fit
    seconds = speed.of(fit.rows).seconds(fit.epochs, family(fit.family).sizes[first.size].cost)
    return Proposal(fit.family, first.size, fit.epochs, fit.seed, seconds, rows=fit.rows)


def best_values(done: Sequence[FinishedFit], key: str) -> dict[str, Any] | None:
    """Return the values of the best trial of a family; None where it had none."""
    trials = [one for one in done if one.fit.family == key and one.fit.trial is not None]
    return min(trials, key=lambda one: one.validation).fit.chosen if trials else None
