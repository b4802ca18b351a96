"""A served app in a home of its own, and what was measured of it while others visit: for benchmarks/soak.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import psutil

from benchmarks.visiting import Visitor
from tests.test_packaging import answers, free_port

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "assets" / "samples" / "concrete_strength.csv"
_DLREG = (sys.executable, "-m", "dlreg_core.cli")


class Watched:
    """What was measured, from all threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.pages: dict[str, list[float]] = {}
        self.wrong: Counter[str] = Counter()
        self.acts: Counter[str] = Counter()
        self.memory: list[tuple[float, float]] = []
        self.stalls: list[float] = []

    def page(self, name: str, seconds: float, visitor: Visitor) -> None:
        """Keep how long a page took, and what was wrong with it."""
        with self._lock:
            self.pages.setdefault(name, []).append(seconds)
            self.acts[name] += 1
            for text in visitor.shown.exceptions:
                self.wrong[f"{name}: {text[:150]}"] += 1

    def quick(self) -> str:
        """Return how quick pages have been so far."""
        with self._lock:
            every = [seconds for times in self.pages.values() for seconds in times]
        return f"p95 of {len(every)} pages {np.percentile(every, 95):.2f} s" if every else "no page yet"

    def failed(self, what: str) -> None:
        """Keep that something went wrong."""
        with self._lock:
            self.wrong[what[:200]] += 1

    def done(self, what: str) -> None:
        """Count something that was done."""
        with self._lock:
            self.acts[what] += 1


class Scene:
    """A served app with a finished run, for a while."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self.folder, self.watched = folder, Watched()
        self._environment = {**os.environ, "DLREG_HOME": str(folder / "home")}
        self.run = self._trained()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [*_DLREG, "serve", "--port", str(self.port)]
        self._log = (folder / "log").open("w")
        self.server = subprocess.Popen(command, cwd=ROOT, env=self._environment, stdout=self._log, stderr=self._log)
        while not answers(f"{self.url}/_stcore/health"):
            if self.server.poll() is not None:
                raise SystemExit((folder / "log").read_text())
            time.sleep(0.2)
        self.began = time.monotonic()
        self.seconds = seconds

    @property
    def left(self) -> float:
        """Seconds until the time is up."""
        return self.began + self.seconds - time.monotonic()

    @property
    def process(self) -> psutil.Process:
        """The server itself: what was started may have started it."""
        started = psutil.Process(self.server.pid)
        served = [one for one in [started, *started.children(recursive=True)] if "streamlit" in " ".join(one.cmdline())]
        return served[-1] if served else started

    def close(self) -> list[str]:
        """End the server; return the processes that are left."""
        family = psutil.Process(self.server.pid).children(recursive=True)
        self.server.terminate()
        with suppress(subprocess.TimeoutExpired):
            self.server.wait(timeout=30)
        self._log.close()
        _, alive = psutil.wait_procs(family, timeout=20)
        return [" ".join(one.cmdline())[:120] for one in alive]

    def _trained(self) -> str:
        command = [
            *_DLREG,
            "train",
            str(SAMPLE),
            "--target",
            "compressive_strength_mpa",
            "--time-limit",
            "40",
            "--json",
        ]
        done = subprocess.run(command, cwd=ROOT, env=self._environment, capture_output=True, text=True, check=True)
        return str(json.loads(done.stdout)["run_id"])
