"""A network whose folds are being trained."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, field

from dlreg_core.networks import family, is_pretrained
from dlreg_core.specs import FinishedFit, PlannedFit
from dlreg_core.training.execution.fit_records import Order, Report
from dlreg_core.training.planning.allocation import Proposal
from dlreg_core.training.scheduler.run_context import EpochReporter


@dataclass
class NetworkUnderWay:
    """What is known of a network while its folds are trained.

    Attributes
    ----------
    planned : PlannedFit
        What to train.
    proposal : Proposal
        Where it came from.
    waiting : list of int
        Folds that no lane has taken yet.
    running : dict of int to float
        Folds that are being trained, and the moments at which they are expected to end.
    reports : dict of int to Report
        Folds that are done.
    abandoned : bool
        True when nothing will come of it any more.
    tried_again : set of int
        Folds whose process died once.
    late : bool
        True where it may end after all time is over, since there would be no network otherwise.
    """

    planned: PlannedFit
    proposal: Proposal
    waiting: list[int]
    running: dict[int, float] = field(default_factory=dict)
    reports: dict[int, Report] = field(default_factory=dict)
    reporters: dict[int, EpochReporter] = field(default_factory=dict)
    abandoned: bool = False
    tried_again: set[int] = field(default_factory=set)
    late: bool = False

    @property
    def complete(self) -> bool:
        """True when every fold is done."""
        return not self.waiting and not self.running and not self.abandoned

    @property
    def over(self) -> bool:
        """True when no lane works on it and none will."""
        return not self.running and (self.abandoned or not self.waiting)

    @property
    def fills_gpu(self) -> bool:
        """True where it trains on a GPU and holds so much of its memory that one fold must follow the other."""
        return self.planned.device == "gpu" and is_pretrained(self.planned.family)

    def busy_seconds(self) -> float:
        """Return the seconds of lanes' time that it will still take."""
        now = time.monotonic()
        running = sum(max(0.0, end - now) for end in self.running.values())
        return running + len(self.waiting) * self.proposal.seconds

    def try_again(self, fold: int) -> bool:
        """Let a fold wait once more whose process has died; False where that has happened before."""
        if fold in self.tried_again or self.abandoned:
            return False
        self.tried_again.add(fold)
        self.waiting.insert(0, fold)
        return True

    def order(self, folder: str, *, until: float, late: float) -> Order:
        """Take the next fold that waits, and return what a lane has to know of it."""
        fold = self.waiting.pop(0)
        planned = self.planned
        self.running[fold] = time.monotonic() + self.proposal.seconds
        stop_after = planned.fold_stops[fold] if planned.fold_stops else planned.stop_after
        return Order(
            network=planned.model,
            folder=folder,
            fold=fold,
            family=planned.family,
            settings=planned.settings,
            epochs=planned.epochs,
            seed=planned.seed,
            threads=planned.threads,
            gpu=planned.device == "gpu",
            rows=planned.rows,
            stop_after=stop_after,
            until=until,
            late=late,
        )

    def finished(self, validation: float, rows: int) -> FinishedFit:
        """Return the network as it was carried out on so many rows, once it is complete."""
        reports = [self.reports[fold] for fold in sorted(self.reports)]
        stops = [report.epochs if report.stopped else None for report in reports]
        one = len(reports) == 1
        fell_back = any(report.fell_back for report in reports)
        carried_out = self.planned.model_copy(
            update={
                "device": "cpu" if fell_back else self.planned.device,
                "fell_back": fell_back,
                "stop_after": (stops[0] or self.planned.stop_after) if one else None,
                "fold_stops": () if one or not any(stops) else tuple(stops),
            }
        )
        trained = round(statistics.mean(report.epochs for report in reports))
        key = self.planned.family
        enough = 0 if is_pretrained(key) else family(key).enough(self.planned.rows or rows)
        ended_itself = trained < self.planned.epochs or self.planned.epochs >= enough
        return FinishedFit(
            fit=carried_out,
            seconds=sum(report.seconds for report in reports),
            validation=validation,
            size=self.proposal.size,
            trained=trained,
            converged=not any(report.stopped for report in reports) and ended_itself,
            variant=self.proposal.variant,
            second_half=statistics.mean(report.second_half for report in reports),
        )
