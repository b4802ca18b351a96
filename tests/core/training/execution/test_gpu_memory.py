"""A GPU whose memory doesn't suffice: what is tried next, what is said of it, and that there is a result all the same.

No GPU is needed. Fits raise what a card's would, and are carried out on the processor once they are to succeed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from multiprocessing import Event, Pipe
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from autogluon.core.utils.exceptions import NotEnoughCudaMemoryError

from dlreg_core.networks import FAMILIES, family, pretrained
from dlreg_core.pipeline import gpu_memory
from dlreg_core.pipeline.fitted_pipeline import NETWORKS
from dlreg_core.training.execution import fold_fit, process_pool
from dlreg_core.training.execution.fit_records import FitCallbacks, FoldResult
from dlreg_core.training.execution.fold_fit import measure, train_fold
from dlreg_core.training.execution.process_pool import FitFailedError, PoolMessage, TrainingPool
from dlreg_core.training.execution.run_networks import NetworkRows, Networks
from dlreg_core.training.scheduler.allocation import Proposal
from dlreg_core.training.scheduler.fit_jobs import FoldJob, PilotJob, PilotOutcome
from dlreg_core.training.scheduler.scheduler_state import RunningFit
from tests.core.networks.tiny_weights import write_tiny
from tests.core.training.execution.test_networks import held_out_rows, rows
from tests.core.training.jobs import fold_job

OUT_OF_MEMORY: dict[str, Callable[[], Exception]] = {
    "torch": lambda: torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "autogluon": NotEnoughCudaMemoryError,
    "driver": lambda: torch.AcceleratorError("CUDA error: out of memory"),
    "allocator": lambda: RuntimeError("CUDA out of memory. Tried to allocate 20.00 MiB"),
    "cublas": lambda: RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    "cublas begins": lambda: RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate`"),
    "cudnn": lambda: RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    "mitra": lambda: RuntimeError("Failed to train Mitra model after multiple attempts due to out of memory error."),
}
every_error = pytest.mark.parametrize("kind", list(OUT_OF_MEMORY))


class Held:
    """Something that a failed attempt held on the GPU, in a circle as trainers and their networks are."""

    def __init__(self) -> None:
        self.itself = self


@dataclass
class Card:
    """A GPU that runs out of memory in the first `failures` fits."""

    fit: Callable[..., Any]
    failures: int = 0
    error: Callable[[], Exception] = OUT_OF_MEMORY["torch"]
    tried: list[tuple[bool, dict[str, Any]]] = field(default_factory=list)
    held: list[weakref.ref[Held]] = field(default_factory=list)

    def __call__(self, key: str, settings: dict[str, Any], *args: Any, gpu: bool) -> Any:
        assert not any(held() for held in self.held), "an earlier attempt still holds its memory"
        self.tried.append((gpu, settings))
        if len(self.tried) <= self.failures:
            mine = Held()
            self.held.append(weakref.ref(mine))
            raise self.error()
        return self.fit(key, settings, *args, gpu=False)


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    found = Card(fold_fit._fitted)
    monkeypatch.setattr(fold_fit, "_fitted", found)
    return found


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Networks]:
    found = Networks(tmp_path_factory.mktemp("held") / NETWORKS, held_out_rows())
    yield found
    found.close()


def order_for(networks: Networks, key: str, **settings: Any) -> FoldJob:
    known = family(key).sample_settings(networks.rows, 0) | settings
    return fold_job(key, known, folder=networks.folder("Net"), gpu=True)


def train(order: FoldJob, networks: Networks) -> FoldResult:
    found = train_fold(order, networks.prepared, FitCallbacks())
    assert np.isfinite(found.held_out).all()
    # Whatever happened before: what is kept is what was told.
    networks.complete("Net", order.family, {0: found})
    again = networks.shelf.predict(networks.prepared.features[networks.prepared.fold == 0], "Net")
    np.testing.assert_allclose(again, found.held_out, rtol=1e-5)
    return found


def batches(card: Card, key: str) -> list[tuple[bool, int]]:
    return [(gpu, settings[family(key).batch_setting]) for gpu, settings in card.tried]


# --- networks with batches -------------------------------------------------------------------------------------------


def test_enough_memory_leaves_everything_as_it_was(card: Card, networks: Networks) -> None:
    found = train(order_for(networks, "FASTAI", bs=128), networks)
    assert batches(card, "FASTAI") == [(True, 128)]
    assert (found.outcome.notes, found.outcome.fell_back) == ((), False)


@pytest.mark.parametrize("chosen", FAMILIES, ids=lambda f: f.key)
def test_every_family_gets_half_the_batch_twice_and_then_the_processor(
    chosen: Any, card: Card, networks: Networks
) -> None:
    card.failures = 3
    found = train(order_for(networks, chosen.key, **{chosen.batch_setting: 128}), networks)
    assert batches(card, chosen.key) == [(True, 128), (True, 64), (True, 32), (False, 128)]
    short = "Net: the GPU's memory did not suffice; trained again with"
    assert found.outcome.notes == (f"{short} batches of 64 rows.", f"{short} batches of 32 rows.", f"{short} the CPU.")
    assert found.outcome.fell_back
    assert found.outcome.epochs == 3


@every_error
def test_all_that_means_too_little_memory_is_understood(kind: str, card: Card, networks: Networks) -> None:
    card.failures, card.error = 1, OUT_OF_MEMORY[kind]
    found = train(order_for(networks, "FASTAI", bs=128), networks)
    assert batches(card, "FASTAI") == [(True, 128), (True, 64)]
    assert len(found.outcome.notes) == 1
    assert not found.outcome.fell_back


def test_a_small_batch_is_not_halved(card: Card, networks: Networks) -> None:
    card.failures = 1
    found = train(order_for(networks, "FASTAI", bs=48), networks)
    assert batches(card, "FASTAI") == [(True, 48), (False, 48)]
    assert found.outcome.fell_back


def test_the_processor_computes_in_full_precision(card: Card, networks: Networks) -> None:
    card.failures = 1
    train(order_for(networks, "TABM", allow_amp=True, batch_size=32), networks)
    assert [settings.get("allow_amp") for _, settings in card.tried] == [True, None]


@pytest.mark.parametrize("error", [ValueError("out of memory"), RuntimeError("CUDA error: an illegal access")])
def test_other_errors_are_not_taken_for_it(error: Exception, card: Card, networks: Networks) -> None:
    card.failures, card.error = 1, lambda: error
    with pytest.raises(type(error)):
        train_fold(order_for(networks, "FASTAI"), networks.prepared, FitCallbacks())
    assert len(card.tried) == 1


def test_a_processor_that_runs_out_is_not_asked_again(card: Card, networks: Networks) -> None:
    card.failures = 1
    with pytest.raises(torch.cuda.OutOfMemoryError):
        train_fold(fold_job("FASTAI", folder=networks.folder("Net")), networks.prepared, FitCallbacks())
    assert len(card.tried) == 1


def test_an_error_that_hides_another_is_looked_through() -> None:
    try:
        try:
            raise OUT_OF_MEMORY["torch"]()
        except torch.cuda.OutOfMemoryError as exc:
            raise KeyError("a callback failed") from exc
    except KeyError as exc:
        assert gpu_memory.ran_out(exc)
    assert not gpu_memory.ran_out(KeyError("a callback failed"))


def test_the_plan_that_is_kept_says_where_a_network_was_trained(card: Card, networks: Networks) -> None:
    card.failures = 1
    job = order_for(networks, "FASTAI", bs=32)
    found = train(job, networks)
    fit = RunningFit(job.fit, Proposal("FASTAI", 0, 3, 0, 1.0), waiting=(), outcomes={0: found.outcome})
    done = fit.finished(1.0, networks.rows).fit
    assert (done.device, done.fell_back, done.settings) == ("cpu", True, job.settings)


# --- predicting ------------------------------------------------------------------------------------------------------


class Predictor:
    """Predicts so many rows at once, and runs out of memory for more."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.asked: list[int] = []

    def __call__(self, features: pd.DataFrame) -> np.ndarray:
        self.asked.append(len(features))
        if len(features) > self.most:
            raise OUT_OF_MEMORY["torch"]()
        return features["a"].to_numpy()


@pytest.mark.parametrize(("most", "parts"), [(1000, 1), (300, 4), (64, 16)])
def test_rows_are_predicted_in_as_many_parts_as_the_memory_wants(most: int, parts: int) -> None:
    frame = pd.DataFrame({"a": np.arange(1000.0)})
    found, made = gpu_memory.predicted_in_parts(Predictor(most), frame)
    np.testing.assert_array_equal(found, frame["a"])
    assert made == parts


def test_a_gpu_that_predicts_nothing_is_given_up() -> None:
    predictor = Predictor(10)
    with pytest.raises(torch.cuda.OutOfMemoryError):
        gpu_memory.predicted_in_parts(predictor, pd.DataFrame({"a": np.arange(1000.0)}))
    assert predictor.asked == [1000, 250, 64]


def test_no_rows_are_predicted_too() -> None:
    found, parts = gpu_memory.predicted_in_parts(Predictor(10), pd.DataFrame({"a": np.empty(0)}))
    assert (len(found), parts) == (0, 1)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks that can't predict more than 100 rows at once."""
    from dlreg_core.networks.feedforward.model import FeedForwardModel

    original = FeedForwardModel.predict

    def predict(self: Any, features: pd.DataFrame, *args: Any, **kwargs: Any) -> Any:
        if len(features) > 100:
            raise OUT_OF_MEMORY["torch"]()
        return original(self, features, *args, **kwargs)

    monkeypatch.setattr(FeedForwardModel, "predict", predict)


def test_held_out_rows_that_are_too_many_at_once_are_predicted_in_parts(
    card: Card, few_at_once: None, tmp_path: Path
) -> None:
    networks = Networks(tmp_path / NETWORKS, NetworkRows(*rows(200, 0), *rows(150, 1)))
    found = train(order_for(networks, "FEEDFORWARD"), networks)
    assert len(found.held_out) == 150
    assert len(card.tried) == 1
    (note,) = found.outcome.notes
    assert note == "Net: the GPU's memory did not suffice to predict 150 rows at once; 3 parts were made."


# --- pre-trained networks --------------------------------------------------------------------------------------------


@pytest.fixture
def context(networks: Networks, tmp_path: Path) -> FoldJob:
    write_tiny("TABICL", tmp_path / "weights")
    settings = pretrained("TABICL").hyperparameters(tmp_path / "weights", 0)
    return fold_job("TABICL", settings, folder=networks.folder("Net"), gpu=True, epochs=0)


def test_a_pre_trained_network_goes_to_the_processor_at_once(card: Card, networks: Networks, context: FoldJob) -> None:
    card.failures = 1
    found = train(context, networks)
    assert [gpu for gpu, _ in card.tried] == [True, False]
    assert found.outcome.notes == ("Net: the GPU's memory did not suffice; trained again with the CPU.",)
    assert found.outcome.fell_back


def test_a_processor_gets_no_more_rows_than_a_pre_trained_network_can_do_there(
    card: Card, networks: Networks, context: FoldJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    card.failures = 1
    monkeypatch.setattr(fold_fit, "pretrained", lambda key: replace(pretrained(key), most_rows_cpu=networks.rows - 1))
    with pytest.raises(MemoryError, match="too slow for so many rows"):
        train_fold(context, networks.prepared, FitCallbacks())
    assert len(card.tried) == 1


# --- measuring -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("failures", "tried", "fell_back"),
    [
        (0, [(True, 128)], False),
        (1, [(True, 128), (True, 64)], False),
        (3, [(True, 128), (True, 64), (True, 32), (False, 128)], True),
    ],
)
def test_a_family_is_measured_as_it_will_be_trained(
    failures: int, tried: list[tuple[bool, int]], fell_back: bool, card: Card, networks: Networks
) -> None:
    card.failures = failures
    settings = family("FASTAI").sample_settings(networks.rows, 0) | {"bs": 128}
    found = measure(PilotJob("FASTAI", settings, 4, 1, True, 10.0), networks.prepared, FitCallbacks())
    assert isinstance(found, PilotOutcome)
    assert found.epoch > 0
    assert batches(card, "FASTAI") == tried
    assert (found.fell_back, len(found.notes)) == (fell_back, failures)


# --- where processes come from ----------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked here")
@pytest.mark.soak
def test_the_process_that_processes_are_forked_from_has_not_asked_for_a_gpu() -> None:
    """CUDA can't be used in a process that was forked from one that has looked for GPUs."""
    code = (
        "import os, torch, dlreg_core.training.execution.preload as preloaded\n"
        "preloaded.quiet()\n"
        "if os.fork() == 0:\n"
        "    os._exit(int(torch.cuda._is_in_bad_fork()))\n"
        "raise SystemExit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False).returncode == 0


# --- a GPU that can't be used any more --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "broken"),
    [
        (torch.AcceleratorError("CUDA error: an illegal memory access was encountered"), True),
        (RuntimeError("CUDA error: device-side assert triggered"), True),
        (torch.AcceleratorError("CUDA error: out of memory"), False),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
        (ValueError("CUDA error"), False),
    ],
)
def test_what_ends_the_process_is_told_from_what_doesnt(error: Exception, broken: bool) -> None:
    assert gpu_memory.broke(error) is broken


def test_a_process_whose_gpu_is_broken_says_so_and_ends(networks: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> FoldResult:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(fold_fit, "train_fold", failing)
    mine, theirs = Pipe()
    mine.send(order_for(networks, "FASTAI"))
    # It returns by itself: nothing closes the pipe.
    process_pool._run(theirs, Event(), str(networks.rows_file))
    kind, error = mine.recv()
    assert kind == "broken"
    assert "illegal memory access" in str(error)


@pytest.mark.soak
def test_a_broken_process_is_replaced(networks: Networks) -> None:
    with TrainingPool(1, networks.rows_file) as some:
        process, pipe = some._slots[0]
        mine, theirs = Pipe()
        some._slots[0] = process, mine
        some.submit(0, order_for(networks, "FASTAI"))
        theirs.send(("broken", FitFailedError("it broke")))
        pipe.send(None)
        (told,) = some.wait(10.0)
        assert str(told.error) == "it broke"
        assert some.idle == (0,)
        some.submit(0, fold_job("FASTAI", folder=networks.folder("Net")))
        done: list[PoolMessage] = []
        while not done:
            done = [word for word in some.wait(60.0) if word.epoch is None]
        assert isinstance(done[0].result, FoldResult)
