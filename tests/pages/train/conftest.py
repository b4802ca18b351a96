"""What tests of Train share."""

from __future__ import annotations

import pytest

from dlreg_core.jobs import LocalProcesses


@pytest.fixture(autouse=True)
def no_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start no worker: a run that is launched stays as it is. One trains at a time, on whatever machine this is."""
    monkeypatch.setattr(LocalProcesses, "launch", lambda self, task, slot: (task.mark_launched(), task.mark_ready()))
    monkeypatch.setattr(LocalProcesses, "kill", lambda self, task: None)
    monkeypatch.setenv("DLREG_SLOTS", "1")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
