from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dlreg_core.jobs.devices import _gpus, cpu_cores, gpu_names, visible_gpus


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    _gpus.cache_clear()
    yield
    _gpus.cache_clear()


def fake_driver(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    command = folder / "nvidia-smi"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_names_are_those_that_the_driver_tells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver(tmp_path, "printf '0, NVIDIA H100\\n1, NVIDIA T4\\n'", monkeypatch)
    assert gpu_names() == ("NVIDIA H100", "NVIDIA T4")
    assert visible_gpus() == ("0", "1")


@pytest.mark.parametrize(
    ("allowed", "numbers", "names"),
    [
        ("1", ("1",), ("NVIDIA T4",)),
        ("1,0", ("1", "0"), ("NVIDIA T4", "NVIDIA H100")),
        ("", (), ()),
        ("-1", (), ()),
        ("0,-1,1", ("0",), ("NVIDIA H100",)),
        ("GPU-abc", ("GPU-abc",), ("GPU",)),
    ],
)
def test_what_an_administrator_allows_is_kept_to(
    allowed: str, numbers: tuple[str, ...], names: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_driver(tmp_path, "printf '0, NVIDIA H100\\n1, NVIDIA T4\\n'", monkeypatch)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", allowed)
    assert (visible_gpus(), gpu_names()) == (numbers, names)


def test_a_driver_that_fails_means_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_driver(tmp_path, "exit 9", monkeypatch)
    assert gpu_names() == ()


def test_no_driver_means_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu_names() == ()


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system can't keep a process to some cores")
def test_cores_that_this_process_may_not_use_are_not_counted() -> None:
    allowed = os.sched_getaffinity(0)
    assert cpu_cores() == len(allowed)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        assert cpu_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
