"""A run never ends with nothing: what is trained where the time doesn't suffice, and how that is said."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dlreg_core.specs import TrainPlan
from dlreg_core.training.execution.process_pool import FitFailedError, PoolMessage
from dlreg_core.training.execution.run_hooks import RunHooks, Trained
from dlreg_core.training.execution.run_networks import Networks
from dlreg_core.training.execution.training_loop import TrainingLoop
from dlreg_core.training.scheduler.fit_jobs import FoldJob, PilotJob
from dlreg_core.training.scheduler.left_out import too_late_words
from tests.core.training.execution.test_devices import TimelessPool, rows

Run = Callable[..., tuple[Trained, TimelessPool, list[tuple[str, dict[str, Any]]]]]


class FailingPool(TimelessPool):
    """Processes in which some families can't be trained."""

    failing: frozenset[str] = frozenset()

    def wait(self, seconds: float) -> list[PoolMessage]:
        (said,) = super().wait(seconds)
        if isinstance(said.job, FoldJob) and said.job.family in self.failing:
            return [PoolMessage(said.slot, said.job, error=FitFailedError("as it happens"))]
        return [said]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    def go(
        epoch: Mapping[str, float], budget: float, *, began: float = 0.0, count: int = 2, failing: str = "", **more: Any
    ) -> tuple[Trained, TimelessPool, list[tuple[str, dict[str, Any]]]]:
        networks = Networks(tmp_path / "networks", rows())
        pool = FailingPool(count, networks, {(key, False): seconds for key, seconds in epoch.items()}, now=began)
        pool.failing = frozenset({failing})
        said: list[tuple[str, dict[str, Any]]] = []
        hooks = RunHooks(
            time_left=lambda: budget - pool.now,
            emit=lambda kind, **data: said.append((kind, data)),
            clock=lambda: pool.now,
        )
        plan = TrainPlan(models=tuple(epoch), time_limit=budget, **more)
        return TrainingLoop(networks, pool, plan, hooks).run(), pool, said  # type: ignore[arg-type]

    return go


def first(said: list[tuple[str, dict[str, Any]]]) -> dict[str, Any]:
    return next(data for kind, data in said if kind == "model_started")


@pytest.mark.parametrize("began", [0.0, 29.0, 31.0, 500.0])
def test_however_late_it_is_one_network_is_trained(run: Run, began: float) -> None:
    trained, pool, said = run({"FEEDFORWARD": 40.0, "FASTAI": 90.0, "TABM": 200.0}, 30.0, began=began)
    assert [fit.family for fit in trained.fits] == ["FEEDFORWARD"]
    assert trained.late == ("Feed-forward",)
    assert pool.now > 30
    # It isn't cut short, which would have been for nothing.
    assert trained.fits[0].fold_stops == ()
    assert any("beyond the time limit" in data.get("text", "") for kind, data in said if kind == "log")


def test_the_quickest_comes_first_where_none_fits(run: Run) -> None:
    trained, _, _ = run({"FEEDFORWARD": 400.0, "FASTAI": 9.0}, 30.0)
    assert [fit.family for fit in trained.fits] == ["FASTAI"]


def test_where_the_quickest_fails_another_is_tried(run: Run) -> None:
    trained, _, _ = run({"FEEDFORWARD": 40.0, "FASTAI": 90.0}, 30.0, failing="FEEDFORWARD")
    assert [fit.family for fit in trained.fits] == ["FASTAI"]
    assert trained.reasons["FEEDFORWARD"] == "Failed: as it happens"


def test_what_is_in_time_is_not_called_late(run: Run) -> None:
    trained, pool, _ = run({"FEEDFORWARD": 0.01, "FASTAI": 0.02}, 60.0)
    assert trained.late == ()
    assert pool.now <= 61


def test_without_any_network_there_is_a_reason_for_each(run: Run) -> None:
    trained, _, _ = run({"FEEDFORWARD": 0.01}, 60.0, failing="FEEDFORWARD")
    assert trained.fits == ()
    assert trained.reasons == {"FEEDFORWARD": "Failed: as it happens"}


@pytest.mark.parametrize("budget", [20.0, 40.0, 60.0, 90.0, 150.0])
def test_the_reason_for_skipping_binds(run: Run, budget: float) -> None:
    epochs = {"FEEDFORWARD": 0.02, "FASTAI": 0.1, "NN_TORCH": 0.3, "TABM": 0.5, "REALMLP": 0.2}
    trained, _, _ = run(epochs, budget)
    for reason in trained.reasons.values():
        found = re.search(r"needs about (\d+) s .*, and (\d+) s were left for it\.$", reason)
        if found is not None:
            assert int(found[1]) > int(found[2])
        else:
            assert reason.startswith(("Skipped: too little time", "Skipped: after "))


def test_figures_are_rounded_apart() -> None:
    assert too_late_words(12.3, 12.1) == (
        "it needs about 13 s to train to something useful on this table, and 12 s were left for it."
    )
    assert too_late_words(3.0, 9.0).endswith("which is more than its share of the time.")


def test_a_first_network_that_is_long_in_coming_is_announced_by_a_short_one(run: Run) -> None:
    trained, _, said = run({"FEEDFORWARD": 0.1, "FASTAI": 0.1}, 600.0)
    fits = [fit for fit in trained.fits if fit.family == "FEEDFORWARD"]
    assert fits[0].epochs < fits[1].epochs
    assert fits[0].seed == fits[1].seed
    assert first(said)["expected"] <= 8
    # With another seed than the network that it announced, not than itself.
    assert [fit.seed for fit in fits[1:]] == list(range(len(fits) - 1))


def test_processes_that_measure_are_no_hindrance_to_the_first_network(run: Run) -> None:
    _, pool, said = run({"FEEDFORWARD": 0.1, "TABM": 3.0}, 600.0)
    kinds = [data["name"] for kind, data in said if kind == "stage"]
    assert kinds[0] == "Measuring how fast Feed-forward trains"
    began = next(i for i, (kind, _) in enumerate(said) if kind == "model_started")
    assert all("TabM" not in data.get("name", "") for kind, data in said[:began] if kind == "stage")
    assert not math.isinf(pool.now)
    assert all(not isinstance(work, PilotJob) for work in pool.work)
