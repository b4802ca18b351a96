"""The networks of a run that are under way: how each begins, and what its lanes are given."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterable
from typing import Any

from dlreg_core.networks import chosen_for_autogluon, family, usual_settings
from dlreg_core.networks.target_tails import heavy_on_both_sides
from dlreg_core.specs import PlannedFit, TrainPlan
from dlreg_core.training.execution.fit_records import Order, PilotOrder
from dlreg_core.training.execution.run_networks import Networks
from dlreg_core.training.planning.allocation import Capacity, Proposal
from dlreg_core.training.scheduler.measured_speeds import Speeds
from dlreg_core.training.scheduler.network_progress import NetworkUnderWay
from dlreg_core.training.scheduler.run_context import Surroundings
from dlreg_core.training.scheduler.search_trials import Trials

_LATE_SHARE = 0.05
"""Share of the budget by which a network may be late whose schedule is nearly through."""

_PILOT_SHARE, _LEAST_PILOT_SECONDS = 0.06, 1.5
"""Share of the time left that measuring a family may take before it makes do with what it has seen."""


class Fleet:
    """Begins networks, and hands out their folds.

    Parameters
    ----------
    plan : TrainPlan
        What a person asked for.
    networks : Networks
        Where the networks go.
    lanes : int
        How many are trained side by side.
    threads : int
        Processor threads of each.
    speeds : Speeds
        How fast families train, and where.
    trials : Trials
        The trials of a search.
    surroundings : Surroundings
        What is heard and told.
    used : iterable of str
        Names that networks have already.
    """

    def __init__(
        self,
        plan: TrainPlan,
        networks: Networks,
        lanes: int,
        threads: int,
        speeds: Speeds,
        trials: Trials,
        surroundings: Surroundings,
        used: Iterable[str] = (),
    ) -> None:
        self.plan = plan
        self.networks = networks
        self.lanes = lanes
        self.threads = threads
        self.speeds = speeds
        self.trials = trials
        self._around = surroundings
        self._used = set(used)
        self._heavy_tails = heavy_on_both_sides(networks.prepared.learned_target)
        self.under_way: list[NetworkUnderWay] = []
        self.timeless = False
        self.began = 0.0
        """Seconds that there were for training at its start."""

    @property
    def waves(self) -> int:
        """How often all lanes are filled by the folds of one network."""
        return math.ceil(self.networks.folds / self.lanes)

    def capacity(self, left: float) -> Capacity:
        """Return what there is to train with in the next `left` seconds."""
        busy = sum(network.busy_seconds() for network in self.under_way)
        return Capacity(left, self.lanes, self.networks.folds, busy)

    def settings(
        self, key: str, seed: int, size: int, variant: int, chosen: dict[str, Any], *, gpu: bool
    ) -> dict[str, Any]:
        """Return AutoGluon's settings: those of the size, of the variant, and above all those that were chosen."""
        by_table = family(key).sample_settings(self.networks.rows, seed, size, gpu=gpu, columns=self.networks.columns)
        usual = usual_settings(key, variant, chosen, heavy_tails=self._heavy_tails)
        return by_table | chosen_for_autogluon(key, usual | chosen)

    def pilot(self, key: str, *, gpu: bool) -> PilotOrder:
        """Return what measures a family."""
        return PilotOrder(
            family=key,
            settings=self.settings(key, self.plan.seed, 0, 0, self.plan.settings.get(key, {}), gpu=gpu),
            batches=int(min(20, max(4, self.began / 6))),
            threads=self.threads,
            gpu=gpu,
            seconds=max(_LEAST_PILOT_SECONDS, _PILOT_SHARE * self._around.time_left()),
        )

    def planned(self, proposal: Proposal, chosen: dict[str, Any] | None = None, trial: int | None = None) -> PlannedFit:
        """Return the network of a proposal, with the values of a trial where it is one."""
        key = proposal.key
        best = self.trials.best(key)
        if chosen is None:
            chosen = self.plan.settings.get(key, {}) if best is None else best
        # Whatever a trial has found is repeated as it is; other networks of a family differ in their settings.
        variant = 0 if trial is not None or best is not None else proposal.variant
        gpu = self.speeds.on_gpu(key)
        return PlannedFit(
            model=self.free_name(family(key).title),
            family=key,
            settings=self.settings(key, proposal.seed, proposal.size, variant, chosen, gpu=gpu),
            epochs=chosen.get("epochs", proposal.epochs),
            rows=proposal.rows,
            seed=proposal.seed,
            threads=self.threads,
            device="gpu" if gpu else "cpu",
            chosen=chosen,
            trial=trial,
        )

    def begin(self, proposal: Proposal, planned: PlannedFit | None = None) -> NetworkUnderWay:
        """Begin a network: the folds of it wait from now on."""
        planned = planned or self.planned(proposal)
        self._used.add(planned.model)
        network = NetworkUnderWay(planned, proposal, list(range(self.networks.folds)))
        self.under_way.append(network)
        self._around.emit(
            "model_started",
            model=planned.model,
            family=planned.family,
            epochs=planned.epochs,
            expected=proposal.seconds * self.waves,
            folds=self.networks.folds,
        )
        return network

    def start(self, proposal: Proposal, planned: PlannedFit | None = None, *, late: bool = False) -> Order:
        """Begin a network, and return what a lane has to know of its first fold."""
        network = self.begin(proposal, planned)
        network.late = late
        return self.fold_of(network)

    def fold_of(self, network: NetworkUnderWay) -> Order:
        """Take the next fold of a network, and return what a lane has to know of it."""
        until = math.inf
        if not self.timeless:
            waves = math.ceil(len(network.waiting) / self.lanes)
            # The safety net: schedules are sized to fit, so it only catches a machine that became much slower.
            left = math.inf if network.late else self._around.time_left() / waves
            limit = max(5.0 / waves, min(2.0 * network.proposal.seconds + 5.0, left))
            until = time.monotonic() + limit
        folder = str(self.networks.folder(network.planned.model))
        return network.order(folder, until=until, late=_LATE_SHARE * max(self.began, 0.0))

    def waiting_fold(self) -> Order | None:
        """Return a fold that waits, of the network that was begun first; None where there is none."""
        for network in self.under_way:
            if network.waiting and not network.abandoned and not (network.fills_gpu and network.running):
                return self.fold_of(network)
        return None

    def drop_abandoned(self) -> None:
        """Forget networks that were given up, once no lane works on them."""
        self.under_way = [network for network in self.under_way if not (network.abandoned and network.over)]

    def free_name(self, title: str) -> str:
        """Return the first name of a family that no network has or had; one of an earlier task may have any."""
        names = (title if count == 1 else f"{title} {count}" for count in itertools.count(1))
        return next(name for name in names if name not in self._used)
