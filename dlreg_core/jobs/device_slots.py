"""Places to train on: one for each GPU, and as many on the processor as its cores allow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dlreg_core.jobs.devices import cpu_cores, visible_gpus
from dlreg_core.runs import QueuedTask
from dlreg_core.settings import Settings

_CORES_A_RUN = 2
"""A training has one thread that learns, and something beside it: reading, predicting, a second small network."""


@dataclass(frozen=True)
class Slot:
    """A place on which one run trains at a time.

    Attributes
    ----------
    name : str
        What it is called in the queue.
    cores : int
        Processor cores that its run may use.
    gpu : str or None
        What to set ``CUDA_VISIBLE_DEVICES`` to; None for a place on the processor.
    """

    name: str
    cores: int
    gpu: str | None = None


def cpu_slots(count: int, cores: int | None = None) -> tuple[Slot, ...]:
    """Return `count` places on the processor that share its cores evenly."""
    each = max(1, (cores or cpu_cores()) // count) if count else 1
    return tuple(Slot(f"cpu:{number}", each) for number in range(count))


def slots_of(settings: Settings) -> tuple[Slot, ...]:
    """Return the places of this machine."""
    gpus = visible_gpus()
    cores = cpu_cores()
    count = settings.slots or max(1, cores // _CORES_A_RUN - len(gpus))
    each = max(1, cores // max(1, len(gpus)))
    return (*(Slot(f"gpu:{gpu}", each, gpu) for gpu in gpus), *cpu_slots(count, cores))


def fitting(slots: Sequence[Slot], device: str) -> tuple[Slot, ...]:
    """Return the places on which a run that wants `device` may train.

    One that leaves the choice open waits for a GPU where there are some; one that insists on a GPU where there is none
    gets the processor, and its result says so.
    """
    gpus = tuple(slot for slot in slots if slot.gpu is not None)
    return gpus if gpus and device != "cpu" else tuple(slot for slot in slots if slot.gpu is None)


@dataclass(frozen=True)
class QueuePlace:
    """Where a waiting task stands: how many start before it, and in how many seconds it will start itself."""

    ahead: int
    seconds: float


def queue_places(
    live: Iterable[QueuedTask], slots: Sequence[Slot], used: Mapping[tuple[str, int], float]
) -> dict[tuple[str, int], QueuePlace]:
    """Tell when the waiting tasks will start, by the budgets of those before them.

    Parameters
    ----------
    live : iterable of QueuedTask
        All tasks of the queue, in order.
    slots : sequence of Slot
        The places of this machine.
    used : mapping of (str, int) to float
        Seconds that each task with a slot has used so far, by run and number.

    Returns
    -------
    dict of (str, int) to QueuePlace
        By run and number, for those that wait.
    """
    free_at = {slot.name: 0.0 for slot in slots}
    found: dict[tuple[str, int], QueuePlace] = {}
    waiting = []
    for task in live:
        if task.slot in free_at:
            left = task.budget_seconds - used.get((task.run_id, task.number), 0.0)
            free_at[task.slot] = max(left, 1.0)
        elif task.slot is None and task.device != "none":
            waiting.append(task)
    before: list[set[str]] = []
    for task in waiting:
        able = [slot.name for slot in fitting(slots, task.device)]
        if not able:
            continue
        chosen = min(able, key=free_at.__getitem__)
        # Who waits for other places is not in the way.
        ahead = sum(not others.isdisjoint(able) for others in before)
        found[task.run_id, task.number] = QueuePlace(ahead, free_at[chosen])
        free_at[chosen] += task.budget_seconds
        before.append(set(able))
    return found
