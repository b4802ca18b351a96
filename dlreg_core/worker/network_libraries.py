"""What of the networks' libraries and weights a run fetches and loads, beside what else it does."""

from __future__ import annotations

from concurrent.futures import Future, wait
from importlib import import_module
from typing import Any

from dlreg_core.errors import ConflictError, FetchError
from dlreg_core.networks import DEFAULT_FAMILIES, network, pretrained
from dlreg_core.pretrained_weights import open_weights, usable
from dlreg_core.settings import load_settings
from dlreg_core.worker.training_job import TrainingJob


def load_libraries(families: tuple[str, ...], after: Future[Any]) -> None:
    """Load, while others train, what their networks will be read back with: it takes seconds when first wanted."""
    wait([after])
    for key in families:
        for name in network(key).preload:
            import_module(name)


def pretrained_contexts(job: TrainingJob, *, gpu: bool) -> dict[str, dict[str, Any]]:
    """Return AutoGluon's settings of the pre-trained families that this run can use, and fetch what is allowed."""
    plan, found = job.experiment.plan, {}
    replays = job.experiment.replay is not None and job.task.more is None
    # Whoever chooses among the networks has chosen.
    if replays or set(plan.models) != set(DEFAULT_FAMILIES):
        return {}
    home, columns = job.folder.run.home, job.rows.features.shape[1]
    weights = open_weights(load_settings().model_copy(update={"home": home}))
    for key, reason in usable(plan.preset, len(job.rows.features), columns, gpu, home):
        if not reason:
            try:
                found[key] = pretrained(key).hyperparameters(weights.fetch(key), job.seed)
            except (FetchError, ConflictError) as exc:
                job.folder.emit("model_skipped", model=network(key).title, reason=f"Skipped: {exc.message}")
    return found
