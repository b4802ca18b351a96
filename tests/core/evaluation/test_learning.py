from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from dlreg_core.evaluation.epoch_curves import network_curves, training_error, training_scale
from dlreg_core.specs import Event, LeaderboardRow, PlannedFit, ResolvedPlan, RowCounts, TrainResult

START = datetime(2026, 1, 1, tzinfo=UTC)


def epoch(model: str, number: int, validation: float | None, loss: float | None, **more: Any) -> Event:
    data = {"model": model, "epoch": number, "validation": validation, "train_loss": loss, **more}
    return Event(time=START, kind="epoch", data=data)


def result_of(*networks: tuple[str, str, dict[str, Any]], std: float = 2.0) -> TrainResult:
    """Return a result with networks, each of a name, a family and settings, and a baseline."""
    rows = [
        LeaderboardRow(model=name, family=family, role="network", rmse=5.0, rmse_validation=5.0)
        for name, family, _ in networks
    ]
    rows.append(LeaderboardRow(model="Mean", family="MEAN", role="baseline", rmse=9.0, rmse_validation=9.0))
    fits = tuple(
        PlannedFit(model=name, family=family, settings=settings, epochs=9, seed=0, threads=1, device="cpu")
        for name, family, settings in networks
    )
    return TrainResult(
        leaderboard=tuple(rows),
        best_model=networks[0][0],
        comparison=None,
        rows=RowCounts(train=700, validation=100, test=100),
        plan=ResolvedPlan(fits=fits),
        seconds=1.0,
        target_std=std,
    )


@pytest.mark.parametrize(
    ("family", "settings", "scale", "error"),
    [
        # A loss of 9 of a target with a standard deviation of 2.
        ("TABM", {}, "rmse", 6.0),
        ("FASTAI", {"ps": 0.1}, "rmse", 6.0),
        ("REALMLP", {}, "rmse", 6.0),
        ("REALMLP", {"train_metric_name": "mae"}, "mae", 18.0),
        ("FEEDFORWARD", {}, "rmse", 6.0),
        ("FEEDFORWARD", {"loss": "mae"}, "mae", 18.0),
        ("FEEDFORWARD", {"loss": "quantile"}, "relative", 9.0),
        ("NN_TORCH", {}, "mae", 9.0),
        ("NN_TORCH", {"loss_function": "mse"}, "rmse", 3.0),
        ("NN_TORCH", {"loss_function": "huber"}, "relative", 9.0),
        ("SOMETHING_NEW", {}, "relative", 9.0),
    ],
)
def test_losses_in_units_of_the_target(family: str, settings: dict[str, Any], scale: str, error: float) -> None:
    assert training_scale(family, settings) == scale
    assert training_error(family, settings, 9.0, 2.0) == pytest.approx(error)


def test_the_curves_of_a_run() -> None:
    result = result_of(("TabM", "TABM", {}), ("NN Torch", "NN_TORCH", {}), ("FastAI", "FASTAI", {}))
    events = [
        *(epoch("TabM", i, 5 + 5 / i, 4.0) for i in range(1, 21)),
        epoch("NN Torch", 2, 7.0, 3.0, earlier=[[1, 8.0, None]]),
        epoch("Not kept", 1, 7.0, 3.0),
    ]
    curves = network_curves(result, events)
    assert list(curves) == ["TabM", "NN Torch"]
    tabm, torch = curves["TabM"], curves["NN Torch"]
    assert (tabm.count, tabm.scale, torch.scale) == (1, "rmse", "mae")
    assert list(tabm.mean["training"]) == [4.0] * 20
    assert tabm.mean["validation"].iloc[-1] == 5.25
    assert tabm.verdict.evidence is not None
    assert tabm.verdict.evidence.behind == pytest.approx(0.05)
    assert tabm.verdict.evidence.noise == pytest.approx(0.1)
    assert torch.verdict.reason == "2 epochs are too few to see a trend"
    assert np.isnan(torch.folds["training"].iloc[0])


def test_folds_are_kept_apart_and_their_mean_is_judged() -> None:
    events = [
        *(epoch("TabM", i, 10.0 - i / 10, 1.0, fold=0) for i in range(1, 21)),
        *(epoch("TabM", i, 12.0 - i / 10, 4.0, fold=1) for i in range(1, 13)),
        epoch("TabM", 13, None, 4.0, fold=1),
    ]
    (curves,) = network_curves(result_of(("TabM", "TABM", {})), events).values()
    assert curves.count == 2
    assert list(curves.folds["fold"]) == [0] * 20 + [1] * 13
    # Up to the shortest fold, and only where all folds have a figure.
    assert list(curves.mean["epoch"]) == list(range(1, 14))
    assert curves.mean["validation"].iloc[:12].to_list() == pytest.approx([11.0 - i / 10 for i in range(1, 13)])
    assert np.isnan(curves.mean["validation"].iloc[12])
    assert curves.mean["training"].to_list() == pytest.approx([3.0] * 13)
    found = curves.verdict.evidence
    assert found is not None
    assert (found.epochs, found.lost) == (12, True)
    # Every row of both parts is validated on once.
    assert found.noise == pytest.approx(1 / np.sqrt(800))


def test_a_run_that_told_nothing() -> None:
    assert network_curves(result_of(("TabM", "TABM", {})), []) == {}
