"""Signs of life: a process that works gives them, one that hangs doesn't."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from dlreg_core.runs import RunFolder, TaskFolder
from dlreg_core.runs.process_death import silent_seconds
from dlreg_core.specs import TaskKind
from dlreg_core.worker import heartbeat as module
from dlreg_core.worker.heartbeat import Heartbeat
from tests.conftest import wait_for


@pytest.fixture
def task(tmp_path: Path) -> TaskFolder:
    run = RunFolder(tmp_path / "runs" / "abc")
    run.path.mkdir(parents=True)
    return run.add_task(TaskKind.TRAIN)


def active(task: TaskFolder) -> float:
    pulse = task.pulse()
    return pulse.active.ticks if pulse is not None else 0.0


def test_work_is_a_sign_of_life_and_waiting_is_none(task: TaskFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.1)
    with Heartbeat(task, budget=60.0):
        wait_for(lambda: task.pulse() is not None)
        # This process waits now, as one that hangs would; a beat costs little next to a second of it.
        monkeypatch.setattr(module, "_LEAST_CPU_SHARE", 0.9)
        wait_for(lambda: silent_seconds(task) > 0.5)
        last = active(task)
        end = time.monotonic() + 30

        def busy() -> None:
            while active(task) == last and time.monotonic() < end:
                sum(range(20_000))

        threads = [threading.Thread(target=busy) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert active(task) > last


def test_the_use_of_the_machine_is_told(task: TaskFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.05)
    monkeypatch.setattr(module, "_RESOURCES_SECONDS", 0.1)
    gpu = "3, GPU-x, 1234, 81559, 57"
    monkeypatch.setattr(module, "nvidia_smi", lambda query: ("0, GPU-y, 1, 81559, 1", gpu))
    with Heartbeat(task, budget=0.0, gpu="3"):
        wait_for(lambda: any(event.kind == "resources" for event in task.events().events))
    data = next(event.data for event in task.events().events if event.kind == "resources")
    assert 10 < data["memory_mb"] < data["machine_mb"]
    assert 0 < data["machine_used"] < 1
    assert data["cpu"] >= 0
    assert (data["gpu_memory_mb"], data["gpu_total_mb"], data["gpu_share"]) == (1234.0, 81559.0, 0.57)
    pulse = task.pulse()
    assert pulse is not None
    assert pulse.memory_mb > 10


def test_a_long_run_tells_less_often(task: TaskFolder) -> None:
    assert Heartbeat(task, budget=120.0)._every == module._RESOURCES_SECONDS
    assert Heartbeat(task, budget=8 * 3600.0)._every == pytest.approx(28.8)
