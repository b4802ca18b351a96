"""When a training is cut short: its time is over, or somebody wants the run to end."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from dlreg_core.networks import family
from dlreg_core.networks.epoch_watch import EpochWatch
from dlreg_core.training.scheduler.fit_jobs import FoldJob


def stopper(job: FoldJob, watch: EpochWatch, finish: Callable[[], bool]) -> Callable[[], bool]:
    """Return what tells after each epoch whether the training shall end there."""
    scheduled = family(job.family).has_schedule

    def stop_now() -> bool:
        if finish():
            return True
        late = time.monotonic() - job.until
        if late <= 0:
            return False
        # A schedule that is cut loses more than the little time that its last epochs take.
        rest = (job.fit.epochs - watch.epochs) * (watch.seconds_per_epoch() or math.inf)
        return not (scheduled and late + rest <= job.late)

    return stop_now
