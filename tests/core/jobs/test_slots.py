"""Which run trains where, and when."""

from __future__ import annotations

from datetime import datetime

import pytest

from dlreg_core.jobs import device_slots as module
from dlreg_core.jobs.device_slots import QueuePlace, Slot, cpu_slots, fitting, queue_places, slots_of
from dlreg_core.runs.run_index import QueuedTask
from dlreg_core.settings import Settings
from dlreg_core.specs import TaskKind

GPUS = (Slot("gpu:0", 4, "0"), Slot("gpu:1", 4, "1"))


def queued(run_id: str, budget: float, device: str = "auto", slot: str | None = None) -> QueuedTask:
    return QueuedTask(run_id, 1, "a", TaskKind.TRAIN, device, budget, datetime(2026, 1, 1), slot)


@pytest.mark.parametrize(
    ("gpus", "cores", "asked", "names"),
    [
        ((), 2, 0, ["cpu:0"]),
        ((), 1, 0, ["cpu:0"]),
        ((), 8, 0, ["cpu:0", "cpu:1", "cpu:2", "cpu:3"]),
        ((), 8, 1, ["cpu:0"]),
        (("0",), 8, 0, ["gpu:0", "cpu:0", "cpu:1", "cpu:2"]),
        (("0", "3"), 4, 0, ["gpu:0", "gpu:3", "cpu:0"]),
    ],
)
def test_the_places_follow_from_the_machine(
    gpus: tuple[str, ...], cores: int, asked: int, names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "visible_gpus", lambda: gpus)
    monkeypatch.setattr(module, "cpu_cores", lambda: cores)
    found = slots_of(Settings(slots=asked))
    assert [slot.name for slot in found] == names
    assert {slot.gpu for slot in found if slot.gpu is not None} == set(gpus)
    assert sum(slot.cores for slot in found if slot.gpu is None) <= cores


def test_what_leaves_the_choice_open_takes_a_gpu_where_there_is_one() -> None:
    both = (*GPUS, *cpu_slots(2, 8))
    assert fitting(both, "auto") == GPUS
    assert fitting(both, "gpu") == GPUS
    assert [slot.name for slot in fitting(both, "cpu")] == ["cpu:0", "cpu:1"]
    assert [slot.name for slot in fitting(cpu_slots(1), "gpu")] == ["cpu:0"]


def test_the_start_is_expected_where_a_place_is_free_first() -> None:
    live = [
        queued("a", 100.0, slot="gpu:0"),
        queued("b", 300.0, slot="gpu:1"),
        queued("c", 50.0),
        queued("d", 10.0),
        queued("e", 10.0, device="cpu"),
    ]
    found = queue_places(live, (*GPUS, *cpu_slots(1, 2)), {("a", 1): 40.0, ("b", 1): 40.0})
    # gpu:0 is free after 60 s and takes c until 110; d follows it there; the processor is free at once.
    assert found == {("c", 1): QueuePlace(0, 60.0), ("d", 1): QueuePlace(1, 110.0), ("e", 1): QueuePlace(0, 0.0)}


def test_a_run_over_its_budget_is_expected_to_end_any_moment() -> None:
    found = queue_places([queued("a", 100.0, slot="cpu:0"), queued("b", 5.0)], cpu_slots(1, 2), {("a", 1): 130.0})
    assert found == {("b", 1): QueuePlace(0, 1.0)}
