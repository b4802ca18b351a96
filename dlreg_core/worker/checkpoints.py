"""What is kept of a training: checkpoints to go on from, how long it took, and what is to be said of it."""

from __future__ import annotations

import platform
from typing import Literal

import dlreg_core
from dlreg_core.errors import ConflictError
from dlreg_core.runs import SPEEDS_FILE, MeasuredSpeeds, TaskFolder, write_spec
from dlreg_core.specs import Checkpoint
from dlreg_core.training.execution.run_hooks import Trained
from dlreg_core.training.execution.run_networks import Networks, versions
from dlreg_core.wording import budget_words
from dlreg_core.worker.contention import ProcessorSeconds, crowding


def own_versions() -> dict[str, str]:
    """Return the versions that must be the same to go on from a network."""
    return versions() | {"dlreg": dlreg_core.__version__, "python": platform.python_version()}


def refuse_other_versions(earlier: Checkpoint) -> None:
    """Raise `ConflictError` if the networks of a checkpoint were trained with other versions than these."""
    here = own_versions()
    others = [f"{name} {version}" for name, version in earlier.versions.items() if here.get(name) != version]
    if others:
        raise ConflictError(
            f"The networks of this run were trained with other versions ({', '.join(sorted(others))}).",
            "Train again with the versions that are installed now.",
        )


class CheckpointWriter:
    """Writes checkpoints: what is complete so far, and how fast it went."""

    def __init__(self, folder: TaskFolder, networks: Networks, device: Literal["cpu", "gpu"], cores: int) -> None:
        self._folder = folder
        self._networks = networks
        self._device = device
        self._cores = cores
        self._before = ProcessorSeconds.until_now()

    def __call__(self, checkpoint: Checkpoint) -> None:
        """Write a checkpoint, and what has been measured so far."""
        complete = checkpoint.model_copy(update={"versions": own_versions()})
        write_spec(self._folder.path / "checkpoint.json", complete)
        measured = MeasuredSpeeds(
            rows=self._networks.rows,
            features=self._networks.inputs,
            device=self._device,
            families=checkpoint.speeds,
            crowding=crowding(ProcessorSeconds.until_now().since(self._before), self._cores),
        )
        write_spec(self._folder.path / SPEEDS_FILE, measured)


def earlier_seconds(folder: TaskFolder) -> float:
    """Return how long the run's earlier training tasks worked."""
    seconds = 0.0
    for task in folder.run.tasks():
        done, started = task.done(), task.started()
        if task.number < folder.number and task.task().kind.trains and done is not None and started is not None:
            # By the time of day, which may have been set back meanwhile.
            seconds += max(0.0, (done.ended - (task.begun() or task.launched())).total_seconds())
    return seconds


def run_notes(trained: Trained, seconds: float) -> tuple[str, ...]:
    """Return what is to be said of a run whose time didn't suffice, or that has no network."""
    if not trained.fits:
        return ("No network could be trained: the table says why. What is shown are the baselines.",)
    late = [name for name in trained.late if any(fit.model == name for fit in trained.fits)]
    return tuple(
        f"{name} was trained although the {budget_words(seconds)} did not suffice for it: there would have been no "
        "network otherwise. With more time it would be better."
        for name in late
    )
