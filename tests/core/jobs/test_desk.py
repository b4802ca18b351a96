"""Everything that an owner can see and do, and that nobody else's runs exist for them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from dlreg_core.errors import ConflictError, NotFoundError, PlanError
from dlreg_core.jobs import Dispatcher, InlineBackend, RunService
from dlreg_core.jobs.device_slots import cpu_slots
from dlreg_core.runs import TaskFolder, open_store
from dlreg_core.settings import Settings
from dlreg_core.specs import Done, ExplainRequest, RunState
from tests.conftest import bare_experiment


def complete(folder: TaskFolder) -> Done:
    with folder.hold():
        done = Done(state=RunState.FAILED, reason="r")
        folder.finish(done)
    return done


@pytest.fixture
def dispatcher(tmp_path: Path) -> Dispatcher:
    return Dispatcher(open_store(Settings(home=tmp_path / "home")), InlineBackend(complete), cpu_slots(1))


def test_a_run_belongs_to_who_submits_it(dispatcher: Dispatcher) -> None:
    ann, bob = RunService(dispatcher, "ann"), RunService(dispatcher, "bob")
    run_id = ann.submit(bare_experiment())
    assert [run.run_id for run in ann.list()] == [run_id]
    assert ann.report(run_id).experiment.owner == "ann"
    assert (bob.list(), bob.queue(), bob.models()) == ((), (), ())
    asks: list[Callable[[], object]] = [
        lambda: bob.folder(run_id),
        lambda: bob.report(run_id),
        lambda: bob.refresh(run_id),
        lambda: bob.finish(run_id),
        lambda: bob.go_on(run_id, 30.0),
        lambda: bob.cancel(run_id),
        lambda: bob.delete(run_id),
        lambda: bob.place(run_id),
        lambda: bob.explain(run_id, ExplainRequest(model="A", rows=1)),
    ]
    for ask in asks:
        with pytest.raises(NotFoundError, match=f"There is no run '{run_id}'"):
            ask()
    ann.delete(run_id)
    assert ann.list() == ()


def test_a_run_whose_data_was_deleted_is_neither_continued_nor_explained(dispatcher: Dispatcher) -> None:
    run_service = RunService(dispatcher, "ann")
    run_id = run_service.submit(bare_experiment())
    asked: tuple[Callable[[], object], ...] = (
        lambda: run_service.go_on(run_id, 30.0),
        lambda: run_service.explain(run_id, ExplainRequest(model="A", rows=1)),
    )
    for ask in asked:
        with pytest.raises(ConflictError, match=f"The data of run {run_id} was deleted"):
            ask()


@pytest.mark.parametrize("seconds", [0.0, -1.0, float("nan"), float("inf")])
def test_more_time_is_a_positive_number_of_seconds(dispatcher: Dispatcher, seconds: float) -> None:
    run_service = RunService(dispatcher, "ann")
    run_id = run_service.submit(bare_experiment())
    with pytest.raises(PlanError, match="positive number of seconds"):
        run_service.go_on(run_id, seconds)
