from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dlreg_core.jobs.devices import cpu_cores, gpu_names


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    gpu_names.cache_clear()
    yield
    gpu_names.cache_clear()


def fake_driver(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = folder / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_names_are_those_that_the_driver_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver(tmp_path, "printf 'NVIDIA H100\\nNVIDIA T4\\n'", monkeypatch)
    assert gpu_names() == ("NVIDIA H100", "NVIDIA T4")


def test_a_driver_that_fails_means_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver(tmp_path, "exit 9", monkeypatch)
    assert gpu_names() == ()


def test_no_driver_means_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_names() == ()


def test_there_is_a_core() -> None:
    assert cpu_cores() >= 1
