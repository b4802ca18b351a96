"""What is trained next: from the first measurement of each family to the last network that still helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from dlreg_core.networks import family, fixes_size, network
from dlreg_core.specs import PlannedFit, Preset
from dlreg_core.training.execution.fit_records import Order, PilotOrder
from dlreg_core.training.planning.allocation import (
    EXTRA_FITS,
    Capacity,
    Outcome,
    Proposal,
    first_fit,
    first_round_left,
    next_fit,
    share,
)
from dlreg_core.training.scheduler.fit_queue import Fleet
from dlreg_core.training.scheduler.run_context import Surroundings, Trained, outcome_of

_LEAST_SECONDS = 2.0
"""With fewer seconds left, a family isn't even measured."""

_GLANCE_AFTER, _GLANCE_SHARE = 8.0, 0.1
"""Where the first network takes longer than so many seconds, and a short training no more than this share of the time
that is left, that comes first: a person sees what to expect."""

_CONTEXT_SHARE, _LEAST_CONTEXT_SECONDS = 0.5, 5.0
"""Share of the time left that a pre-trained network may take, and what there must be."""


class Rounds:
    """Decides what an idle lane does next, by the rules of `dlreg_core.training.planning.allocation`.

    Parameters
    ----------
    fleet : Fleet
        Begins networks and knows which are under way.
    trained : Trained
        What has become of the families so far.
    surroundings : Surroundings
        What is heard and told.
    skip : callable
        Told of a family for which there is no time.
    gpu : bool
        Whether there is a GPU.
    """

    def __init__(
        self, fleet: Fleet, trained: Trained, surroundings: Surroundings, skip: Callable[[str], None], *, gpu: bool
    ) -> None:
        self._fleet = fleet
        self._trained = trained
        self._around = surroundings
        self._skip = skip
        self._gpu = gpu
        self._taken = len(trained.done)
        self._asked: set[str] = set()
        self._glance_name = ""
        self.largest: Mapping[str, int] = {}
        self.waiting: list[str] = []
        self.late: list[str] = []
        self.measuring: dict[str, PilotOrder] = {}
        self.broken: set[str] = set()
        """Families that can't be trained again."""
        self.set_aside: list[str] = []
        """Families of networks that were given up for being far behind."""
        self.errors: list[float] = []
        """Of the ensemble on rows that didn't choose it: after the first round, and after each network since."""

    @property
    def effort(self) -> Preset:
        """The effort: a person who gives a finished run more time wants more networks."""
        return "balanced" if self._taken and self._fleet.plan.preset == "fast" else self._fleet.plan.preset

    @property
    def more_to_come(self) -> bool:
        """True while something may follow what is under way."""
        return bool(self.waiting or self.late or self.measuring) or EXTRA_FITS[self.effort] > 0

    @property
    def _nothing(self) -> bool:
        """True while no network is complete or under way."""
        return not (self._trained.done or self._fleet.under_way)

    @property
    def _room(self) -> Capacity:
        return self._fleet.capacity(self._around.time_left())

    def next(self) -> Order | PilotOrder | None:
        """Return what an idle lane shall do; None where it waits, or where nothing is left to do."""
        found = self._first_round()
        if found is not None or self.measuring:
            return found
        return self._late_round() or self._context() or self._trial() or self._more()

    def first_glance(self) -> Order | PilotOrder | None:
        """Whoever says that it is enough before there is a network gets one that has seen the rows once."""
        waiting = [*self.waiting, *self.late]
        if not waiting:
            return None
        key = waiting[0]
        self.waiting = [other for other in waiting if other != key]
        self.late = []
        return self._fleet.start(Proposal(key, 0, family(key).fewest_epochs, self._fleet.plan.seed, 0.0))

    def _first_round(self) -> Order | PilotOrder | None:
        """Measure or train the next family that hasn't had its turn."""
        if self._nothing and self.measuring:
            # All lanes wait a moment for what the first network is made of.
            return None
        for key in tuple(self.waiting):
            if key in self.measuring:
                continue
            if key not in self._fleet.speeds:
                if self._around.time_left() < _LEAST_SECONDS and not self._nothing:
                    self.waiting.remove(key)
                    self.late.append(key)
                    continue
                return self.pilot(key, gpu=self._gpu)
            left = self._around.time_left()
            ours = first_round_left(left, self._fleet.began, self.effort)
            waiting = tuple(self.waiting)
            given = self._share(key, waiting, ours, spare=left - ours)
            if given is None and self._nothing:
                # The quickest families come first: where their share is too short, one has all that is left at once.
                given = self._share(key, waiting, left, late=True)
            glance = self._glance(key, given) if given is not None else None
            if glance is not None:
                return glance
            self.waiting.remove(key)
            found = self._begin(key, given)
            if found is not None:
                return found
            self.late.append(key)
        return None

    def _late_round(self) -> Order | None:
        """Try the families again whose share didn't suffice, those that need least first."""
        self.late = [key for key in self.late if key not in self._trained.reasons]
        self.late.sort(key=self._fleet.speeds.needed)
        for key in tuple(self.late):
            found = None
            if key in self._fleet.speeds:
                left, first = self._around.time_left(), self._nothing
                found = self._begin(key, self._share(key, tuple(self.late), left, first=first, late=True), late=first)
            elif self._nothing:
                # It was never measured, and is all there is.
                found = self._fleet.start(self._shortest(key), late=True)
            if found is not None:
                self.late.remove(key)
                return found
            if self._trained.done:
                self.late.remove(key)
                self._skip(key)
        return None

    def _share(self, key: str, waiting: Sequence[str], left: float, **how: Any) -> float | None:
        """Return the seconds that a family gets for each fold; None where no useful training fits."""
        speed = self._fleet.speeds[key]
        given = share(key, speed, waiting, self._fleet.capacity(left), **how)
        return self._fleet.trials.share(key, given, speed, self._room) if given is not None else None

    def _begin(self, key: str, given: float | None, *, late: bool = False) -> Order | None:
        """Begin the first network of a family; with `late`, however much later than planned it will end."""
        if given is None:
            return None
        speed = self._fleet.speeds[key]
        proposal = first_fit(key, speed, given, self._fleet.plan.seed, at_most=self._at_most(key))
        if proposal is None:
            return None
        order = self._fleet.start(proposal, late=late)
        if late and proposal.seconds * self._fleet.waves > self._around.time_left():
            self._trained.late.append(order.network)
            self._around.emit(
                "log", text=f"{order.network} is trained beyond the time limit: there is no other network."
            )
        return order

    def _glance(self, key: str, given: float) -> Order | None:
        """Begin a short training where the first network would be long in coming; it is followed by the usual one."""
        speed, left = self._fleet.speeds[key], self._around.time_left()
        searched = self._fleet.plan.search is not None and self._fleet.plan.search.family == key
        if not self._nothing or self._glance_name or searched or given * self._fleet.waves <= _GLANCE_AFTER:
            return None
        proposal = first_fit(key, speed, speed.least(family(key)), self._fleet.plan.seed, at_most=0)
        if proposal is None or proposal.seconds * self._fleet.waves > min(_GLANCE_AFTER, _GLANCE_SHARE * left):
            return None
        order = self._fleet.start(proposal)
        self._glance_name = order.network
        return order

    def _shortest(self, key: str) -> Proposal:
        """Return the shortest useful training of a family whose speed isn't known."""
        return Proposal(key, 0, family(key).fewest(self._fleet.networks.rows), self._fleet.plan.seed, 0.0)

    def _context(self) -> Order | None:
        """Give the rows to the next pre-trained network that is ready, in half of the time that is left."""
        if any(network.fills_gpu for network in self._fleet.under_way):
            return None
        for key, settings in self._around.contexts().items():
            if key in self._asked:
                continue
            self._asked.add(key)
            seconds = _CONTEXT_SHARE * self._room.longest
            if seconds < _LEAST_CONTEXT_SECONDS:
                continue
            planned = PlannedFit(
                model=self._fleet.free_name(network(key).title),
                family=key,
                settings=settings,
                epochs=0,
                seed=self._fleet.plan.seed,
                threads=self._fleet.threads,
                device="gpu" if self._gpu else "cpu",
            )
            return self._fleet.start(Proposal(key, 0, 0, self._fleet.plan.seed, seconds), planned)
        return None

    def _trial(self) -> Order | None:
        """Train the searched family with the values that the search asks for next."""
        trial = self._fleet.trials.next(self._fleet.speeds, self._room.longest)
        if trial is None or trial.proposal.key in self.broken:
            return None
        return self._fleet.start(trial.proposal, self._fleet.planned(trial.proposal, trial.values, trial.number))

    def _more(self) -> Order | None:
        """Train more of what did well; beyond what the effort asks for only while it helps."""
        if not self._trained.done:
            return self._beside_the_first()
        if not self.errors:
            self.errors.append(self._fleet.networks.ensemble_rmse())
        proposal = next_fit(
            self._outcomes(),
            self._fleet.speeds,
            self._room,
            self.effort,
            taken=self._taken,
            errors=self.errors,
            under_way=[network.planned.family for network in self._fleet.under_way] + self.set_aside,
            largest={key: most for key in self._fleet.speeds if (most := self._at_most(key)) is not None},
        )
        return self._fleet.start(proposal) if proposal is not None else None

    def _beside_the_first(self) -> Order | None:
        """Train the only family that there is with another seed too, where a lane would wait for its first network."""
        if self._fleet.networks.folds > 1 or self.effort == "fast" or not self._fleet.under_way:
            return None
        like, count = self._fleet.under_way[0].proposal, len(self._fleet.under_way)
        if count > EXTRA_FITS[self.effort] or like.seconds > self._room.longest:
            return None
        return self._fleet.start(replace(like, seed=like.seed + count, variant=count))

    def _outcomes(self) -> list[Outcome]:
        """Return what was trained, in order, without families that can't be trained again."""
        folds, speeds = self._fleet.networks.folds, self._fleet.speeds
        done = [done for done in self._trained.done if done.fit.family not in self.broken and done.fit.family in speeds]
        # What was only meant to show something soon counts for nothing once there is the network that it announced.
        real = [one for one in done if one.fit.model != self._glance_name]
        announced = any(one.fit.family == glance.fit.family for one in real for glance in done if glance not in real)
        return [outcome_of(one, folds) for one in (real if announced else done)]

    def _at_most(self, key: str) -> int | None:
        """Return the largest size of a family that may be trained; None where any may."""
        return 0 if fixes_size(key, self._fleet.plan.settings.get(key, {})) else self.largest.get(key)

    def pilot(self, key: str, *, gpu: bool) -> PilotOrder:
        """Return what measures a family, and say that it is measured."""
        self._around.emit("stage", name=f"Measuring how fast {family(key).title} trains")
        self.measuring[key] = self._fleet.pilot(key, gpu=gpu)
        return self.measuring[key]
