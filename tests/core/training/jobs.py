"""Trainings for a process, as the scheduler would give them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dlreg_core.specs import PlannedFit
from dlreg_core.training.scheduler.fit_jobs import FoldJob


def fold_job(
    key: str,
    settings: dict[str, Any] | None = None,
    *,
    folder: Path = Path("Net"),
    fold: int = 0,
    gpu: bool = False,
    until: float = float("inf"),
    late: float = 0.0,
    **fit: Any,
) -> FoldJob:
    """Return a training of a network that is named like its folder."""
    known = {"epochs": 3, "seed": 0, "threads": 1, "device": "gpu" if gpu else "cpu", **fit}
    planned = PlannedFit(model=folder.name, family=key, settings=settings or {}, **known)
    return FoldJob(planned, fold, str(folder), until, late)
