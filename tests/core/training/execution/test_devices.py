"""On which device networks are trained where there is a GPU: in processes that take no time, with given speeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from dlreg_core.networks import family, is_pretrained
from dlreg_core.specs import PlannedFit, ResolvedPlan, TrainPlan
from dlreg_core.training.execution.fit_records import FoldResult
from dlreg_core.training.execution.process_pool import PoolMessage
from dlreg_core.training.execution.run_hooks import RunHooks, Trained
from dlreg_core.training.execution.run_networks import NetworkRows, Networks
from dlreg_core.training.execution.training_loop import TrainingLoop
from dlreg_core.training.scheduler.fit_jobs import FoldJob, FoldOutcome, PilotJob, PilotOutcome

BUDGET, FOLDS = 120.0, 4


def rows(count: int = 160) -> NetworkRows:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.uniform(-2, 2, count), "b": rng.uniform(-2, 2, count)})
    target = (30 * frame["a"] - frame["b"]).to_numpy()
    return NetworkRows(frame, target, frame.iloc[:0], target[:0], np.arange(count) % FOLDS)


@dataclass
class TimelessPool:
    """Processes that train nothing: the clock goes on by what a training would take."""

    count: int
    networks: Networks
    epoch: Mapping[tuple[str, bool], float]
    """Seconds of an epoch of a family's smallest network, on the GPU and on a processor."""
    slower: float = 0.0
    """By how much of its time alone each further training on the GPU lengthens one."""
    now: float = 0.0
    begun: dict[int, tuple[FoldJob | PilotJob, float, float, int]] = field(default_factory=dict)
    """By process: its work, when that began, the seconds of an epoch, and how many are planned."""
    together: list[Counter[bool]] = field(default_factory=list)
    """How many trainings went on on the GPU and beside it, whenever one began."""
    contexts: int = 0
    """How many folds of pre-trained networks went on at once, at most."""

    def __len__(self) -> int:
        return self.count

    @property
    def idle(self) -> tuple[int, ...]:
        return tuple(slot for slot in range(self.count) if slot not in self.begun)

    @property
    def work(self) -> tuple[FoldJob | PilotJob, ...]:
        return tuple(begun[0] for begun in self.begun.values())

    def submit(self, slot: int, job: FoldJob | PilotJob) -> None:
        shared = 1 + self.slower * sum(work.gpu for work in self.work) if job.gpu else 1.0
        epoch = 1.0
        if not is_pretrained(job.family):
            sizes = family(job.family).sizes
            costs = [size.cost for size in sizes if size.settings.items() <= job.settings.items()]
            epoch = self.epoch[job.family, job.gpu] * max(costs, default=1.0) * shared
        epochs = (job.fit.epochs or 1) if isinstance(job, FoldJob) else 3
        self.begun[slot] = job, self.now, epoch, epochs
        self.together.append(Counter(work.gpu for work in self.work))
        self.contexts = max(self.contexts, sum(is_pretrained(work.family) for work in self.work))

    def wait(self, _seconds: float) -> list[PoolMessage]:
        def end(slot: int) -> float:
            job, began, epoch, epochs = self.begun[slot]
            if isinstance(job, FoldJob) and job.until < math.inf:
                # One that is late ends with its epoch.
                epochs = min(epochs, max(1, math.ceil((job.until - began) / epoch)))
            return began + epoch * epochs

        slot = min(self.begun, key=end)
        job, began, epoch, epochs = self.begun[slot]
        self.now = max(self.now, end(slot))
        del self.begun[slot]
        done = round((self.now - began) / epoch)
        if isinstance(job, PilotJob):
            return [PoolMessage(slot, job, result=PilotOutcome(0.0, epoch))]
        Path(job.folder).mkdir(exist_ok=True)
        held = self.networks.prepared.fold == job.fold
        noise = np.random.default_rng(len(self.together)).normal(0, 1.0 + (job.family == "FASTAI"), held.sum())
        predicted = self.networks.prepared.target[held] + noise
        each = epoch if job.fit.epochs else None
        outcome = FoldOutcome(done, done < epochs, self.now - began, each)
        return [PoolMessage(slot, job, result=FoldResult(predicted, outcome))]

    def finish(self) -> None:
        raise AssertionError("nobody said that it is enough")

    def kill(self, job: FoldJob | PilotJob) -> None:
        raise AssertionError(f"{job} is late")


@dataclass
class Setting:
    """A run on timeless processes."""

    pool: TimelessPool
    loop: TrainingLoop
    said: list[str]

    def run(self) -> Trained:
        found = self.loop.run()
        assert self.pool.now <= BUDGET
        return found


@pytest.fixture
def setting(tmp_path: Path) -> Any:
    def make(epoch: Mapping[tuple[str, bool], float], *, gpu: bool = True, count: int = 4, **more: Any) -> Setting:
        contexts, slower = more.pop("contexts", {}), more.pop("slower", 0.0)
        networks = Networks(tmp_path / "networks", rows())
        pool = TimelessPool(count, networks, epoch, slower=slower)
        said: list[str] = []
        hooks = RunHooks(
            time_left=lambda: BUDGET - pool.now,
            emit=lambda kind, **data: said.append(data["text"]) if kind == "log" else None,
            contexts=lambda: contexts,
            clock=lambda: pool.now,
        )
        plan = TrainPlan(models=tuple(dict.fromkeys(key for key, _ in epoch)), time_limit=BUDGET, **more)
        return Setting(pool, TrainingLoop(networks, pool, plan, hooks, gpu=gpu), said)  # type: ignore[arg-type]

    return make


def devices(trained: Trained) -> dict[str, set[str]]:
    return {fit.family: {other.device for other in trained.fits if other.family == fit.family} for fit in trained.fits}


def test_each_family_trains_where_it_is_quicker_and_both_devices_are_busy(setting: Any) -> None:
    made = setting({("FASTAI", True): 0.2, ("FASTAI", False): 0.05, ("TABM", True): 0.1, ("TABM", False): 0.5})
    trained = made.run()
    assert devices(trained) == {"FASTAI": {"cpu"}, "TABM": {"gpu"}}
    assert made.said == ["FastAI trains on the CPU: on this table it is about 10.0 times as fast there."]
    assert any(at_once[True] and at_once[False] for at_once in made.pool.together)
    assert max(sum(at_once.values()) for at_once in made.pool.together) == 4


def test_a_gpu_that_is_slower_when_it_is_shared_is_left(setting: Any) -> None:
    # Alone the GPU is three times as fast; with three others it is not.
    made = setting({("TABM", True): 0.005, ("TABM", False): 0.015}, slower=2.0, settings={"TABM": {"width": 128}})
    trained = made.run()
    assert trained.fits[0].device == "gpu"
    assert trained.fits[-1].device == "cpu"
    assert len([text for text in made.said if text.startswith("TabM trains on the CPU")]) == 1


def test_a_device_that_was_chosen_is_kept(setting: Any) -> None:
    made = setting({("FASTAI", True): 0.2, ("FASTAI", False): 0.05}, device="gpu")
    assert devices(made.run()) == {"FASTAI": {"gpu"}}
    assert made.said == []


def test_without_a_gpu_nothing_is_measured_for_it(setting: Any) -> None:
    made = setting({("FASTAI", False): 0.05}, gpu=False)
    assert devices(made.run()) == {"FASTAI": {"cpu"}}
    assert made.said == []


@pytest.mark.parametrize(("gpu", "most"), [(True, 1), (False, 4)])
def test_a_pretrained_network_has_the_memory_of_a_gpu_to_itself(setting: Any, gpu: bool, most: int) -> None:
    speeds = {("TABM", gpu): 0.1}
    made = setting(speeds | {("TABM", True): 0.1}, gpu=gpu, device="gpu" if gpu else "cpu", contexts={"TABICL": {}})
    trained = made.run()
    assert "TABICL" in devices(trained)
    assert made.pool.contexts == most


def test_what_a_gpu_trained_is_repeated_without_one(setting: Any) -> None:
    made = setting({("TABM", False): 0.1}, gpu=False)
    fit = PlannedFit(model="TabM", family="TABM", settings={}, epochs=5, seed=0, threads=1, device="gpu")
    repeated = made.loop.replay(ResolvedPlan(fits=(fit,)))
    assert [(one.model, one.epochs, one.device) for one in repeated.fits] == [("TabM", 5, "cpu")]
