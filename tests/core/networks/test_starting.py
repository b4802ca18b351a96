"""NN Torch learns whatever the shape of the target, and answers within a known range."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from autogluon.tabular.models.tabular_nn.torch.tabular_nn_torch import TabularNeuralNetTorchModel
from numpy.typing import NDArray

from dlreg_core.networks import family, network
from dlreg_core.networks.nn_torch import answered_range, lies_aside, well_started
from dlreg_core.pipeline.network_store import fold_folder
from dlreg_core.training.execution.fit_records import FitCallbacks, FoldResult
from dlreg_core.training.execution.fold_fit import train_fold
from dlreg_core.training.execution.run_networks import NetworkRows, Networks
from tests.core.training.jobs import fold_job

COUNT, LEARNED = 1_000, 800


def table(shape: str) -> tuple[pd.DataFrame, NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(COUNT, 3))
    told = columns @ [1.0, 0.7, 0.0] + 0.2 * rng.normal(size=COUNT)
    target = {
        "a few far above": np.exp(2.0 * told),
        "a few far below": -np.exp(2.0 * told),
        "mostly zero": np.maximum(0.0, np.exp(1.2 * (told - 1.0)) - 1.0),
        "one value far off": np.where(np.arange(COUNT) == 0, 1e4, told),
        "even": told,
    }
    return pd.DataFrame(columns, columns=list("abc")), target[shape]


def trained(path: Path, features: pd.DataFrame, target: NDArray[np.float64], **changes: object) -> FoldResult:
    parts = (features[:LEARNED], target[:LEARNED], features[LEARNED:].reset_index(drop=True), target[LEARNED:])
    networks = Networks(path / "networks", NetworkRows(*parts))
    settings = family("NN_TORCH").sample_settings(networks.rows, 0) | changes
    job = fold_job("NN_TORCH", settings, folder=path / "kept", epochs=12)
    return train_fold(job, networks.prepared, FitCallbacks())


def error(report: FoldResult, target: NDArray[np.float64]) -> float:
    """Return the error on the rows held out, in standard deviations of their target."""
    return float(np.sqrt(np.mean((report.held_out - target[LEARNED:]) ** 2)) / np.std(target[LEARNED:]))


@pytest.mark.parametrize("shape", ["a few far above", "a few far below", "mostly zero", "one value far off"])
def test_it_learns_whatever_the_shape_of_the_target(tmp_path: Path, shape: str) -> None:
    features, target = table(shape)
    report = trained(tmp_path, features, target)
    # AutoGluon's own start leaves it at one value for every row: 1 and more.
    assert error(report, target) < 0.8
    low, high = answered_range(target[:LEARNED])
    assert low <= report.held_out.min() < report.held_out.max() <= high


def test_before_it_learns_it_predicts_about_the_mean(tmp_path: Path) -> None:
    features, target = table("a few far above")
    report = trained(tmp_path, features, target, learning_rate=0.0)
    assert np.abs(report.held_out - target[:LEARNED].mean()).max() < 0.5 * target[:LEARNED].std()


def test_a_model_has_its_range_without_this_program(tmp_path: Path) -> None:
    features, target = table("a few far above")
    trained(tmp_path, features, target)
    model = network("NN_TORCH").model_class().load(str(fold_folder(tmp_path / "kept", 0)))
    assert (model.model.y_lower, model.model.y_upper) == pytest.approx(answered_range(target[:LEARNED]), rel=1e-5)
    far = pd.DataFrame({name: [1e6, -1e6] for name in features})
    assert np.isfinite(model.predict(far.add_prefix("column "))).all()


@pytest.mark.parametrize("shape", ["even", "a few far above"])
def test_only_a_target_whose_mean_lies_near_an_end_gets_another_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    features, target = table(shape)
    ours = trained(tmp_path / "ours", features, target, learning_rate=0.0)
    monkeypatch.setattr("dlreg_core.networks.nn_torch.well_started", nullcontext)
    plain = trained(tmp_path / "plain", features, target, learning_rate=0.0)
    assert lies_aside(target) == (shape != "even")
    assert np.array_equal(ours.held_out, plain.held_out) == (shape == "even")


@pytest.mark.parametrize(
    ("target", "aside"),
    [([0, 1], False), ([0, 0, 1], False), ([0, 0, 0, 0, 1], True), ([0, 1, 1, 1, 1], True), ([7, 7], False)],
)
def test_a_mean_near_an_end_of_the_range(target: list[float], aside: bool) -> None:
    assert lies_aside(np.asarray(target, dtype=np.float64)) is aside


def test_a_range_that_was_chosen_is_kept(tmp_path: Path) -> None:
    features, target = table("one value far off")
    report = trained(tmp_path, features, target, y_range=(0.0, 1.0))
    assert 0 <= report.held_out.min() < report.held_out.max() <= 1


def test_targets_that_are_all_the_same(tmp_path: Path) -> None:
    features, _ = table("a few far above")
    assert trained(tmp_path, features, np.full(COUNT, 7.0)).held_out == pytest.approx(np.full(COUNT - LEARNED, 7.0))


@pytest.mark.parametrize("fails", [False, True])
def test_nothing_stays_changed(fails: bool) -> None:
    before = TabularNeuralNetTorchModel._get_net
    with pytest.raises(RuntimeError) if fails else nullcontext(), well_started():
        assert TabularNeuralNetTorchModel._get_net is not before
        if fails:
            raise RuntimeError
    assert TabularNeuralNetTorchModel._get_net is before
