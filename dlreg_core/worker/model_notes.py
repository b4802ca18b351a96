"""What is to be said on the leaderboard of networks that had to do with less, and of models that aren't there."""

from __future__ import annotations

from dlreg_core.networks import BASELINES, network
from dlreg_core.specs import LeaderboardRow, PlannedFit
from dlreg_core.training.baselines.simple_models import Baseline
from dlreg_core.training.execution.run_hooks import Trained


def cut_note(fit: PlannedFit, rows: int) -> str:
    """Return what is to be said of a network that was trained on fewer rows or epochs than there were; else nothing."""
    notes = [f"It learned from {fit.rows:,} of the {rows:,} training rows, drawn at random."] if fit.rows else []
    if fit.stop_after is not None:
        notes.append(f"Its training was ended after epoch {fit.stop_after} of {fit.epochs}.")
    stops = [stop for stop in fit.fold_stops if stop is not None]
    if stops:
        notes.append(f"Its trainings were ended early, the first after {min(stops)} of {fit.epochs} epochs.")
    return " ".join(notes)


def absent(trained: Trained, baselines: tuple[Baseline, ...]) -> tuple[LeaderboardRow, ...]:
    """Return the rows of models that were not trained, each with its reason."""
    networks = [
        LeaderboardRow(model=network(key).title, family=key, role="network", note=reason)
        for key, reason in trained.reasons.items()
    ]
    missing = [
        LeaderboardRow(model=BASELINES[b.key], family=b.key, role="baseline", note=b.reason)
        for b in baselines
        if b.model is None
    ]
    return (*networks, *missing)
