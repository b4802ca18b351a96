"""A machine that has no memory or no disk left, really: a control group that the kernel kills in, and a small disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT, wait_for

GROUPS = Path("/sys/fs/cgroup")
SAMPLE = ROOT / "assets" / "samples" / "concrete_strength.csv"
LIMIT_MB = 700
"""Enough for the command and for a worker that begins, too little for libraries and networks."""

pytestmark = [pytest.mark.soak, pytest.mark.timeout(600)]


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group in which the kernel kills what takes more than the limit."""
    first = GROUPS / "memory" if (GROUPS / "memory").is_dir() else GROUPS
    place = first / f"dlreg-test-{os.getpid()}"
    limit = place / ("memory.limit_in_bytes" if first.name == "memory" else "memory.max")
    try:
        place.mkdir()
        limit.write_text(str(LIMIT_MB * 1024**2))
    except OSError as exc:
        pytest.skip(f"this account can't make control groups: {exc}")
    yield place
    wait_for(lambda: not (place / "cgroup.procs").read_text().strip(), 60)
    place.rmdir()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 60 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip(f"this account can't mount disks: {done.stderr.decode()}")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def train(home: Path, before: str = "") -> subprocess.CompletedProcess[str]:
    """Train as a person does, after a line of shell."""
    command = [sys.executable, "-m", "dlreg_core.cli", "train", str(SAMPLE), "--target", "compressive_strength_mpa"]
    line = f'{before} exec "$@"'
    environment = {**os.environ, "DLREG_HOME": str(home)}
    return subprocess.run(
        ["sh", "-c", line, "sh", *command, "--time-limit", "60", "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def dlreg(home: Path, *words: str) -> str:
    """Return what a command prints."""
    environment = {**os.environ, "DLREG_HOME": str(home)}
    command = [sys.executable, "-m", "dlreg_core.cli", *words]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_worker_that_the_kernel_kills_for_its_memory_is_told_as_such(tmp_path: Path, group: Path) -> None:
    done = train(tmp_path / "home", f"echo $$ > {group / 'cgroup.procs'};")
    assert done.returncode == 1, done.stdout
    assert "memory" in done.stderr.splitlines()[-1], done.stderr
    assert "Traceback" not in done.stderr
    (run,) = json.loads(dlreg(tmp_path / "home", "runs", "--json"))
    assert run["state"] == "failed"


def test_a_disk_that_fills_while_networks_are_trained_is_told_and_nothing_is_lost(small_disk: Path) -> None:
    home = small_disk / "home"
    filler = threading.Thread(target=fill_once_it_trains, args=(home,))
    filler.start()
    done = train(home)
    filler.join()
    assert done.returncode == 1, done.stdout
    assert "The disk is full." in done.stderr, done.stderr
    (small_disk / "filler").unlink()
    # The index, the table and what was trained until then can be read once there is room again.
    (run,) = json.loads(dlreg(home, "runs", "--json"))
    assert run["state"] == "failed"
    dlreg(home, "finish", run["run_id"])


def checkpoints(home: Path) -> list[Path]:
    """Return the notes of which networks are finished."""
    return list(home.glob("runs/*/tasks/1/checkpoint.json"))


def fill_once_it_trains(home: Path) -> None:
    """Fill the disk to the last byte once a first network is done."""
    wait_for(lambda: any('"fits": [ {' in " ".join(one.read_text().split()) for one in checkpoints(home)), 200)
    with (home.parent / "filler").open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"\0" * 65_536)
        except OSError:
            return
