"""Every setting that is offered really reaches the network: each family trains here with values of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from dlreg_core.networks import family, network, settings_of, to_autogluon
from dlreg_core.networks.epoch_watch import EpochFigures, EpochWatch

pytestmark = pytest.mark.usefixtures("quiet")


def rows(count: int, seed: int) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "a": rng.uniform(-2, 2, count),
            "b": rng.normal(size=count),
            "kind": pd.Categorical(rng.choice([f"k{i}" for i in range(12)], count)),
        }
    )
    return frame, (100 + 5 * frame["a"] + rng.normal(size=count)).rename("y")


TRAIN, VALIDATION = rows(200, 0), rows(60, 1)
STD = float(np.std(TRAIN[1]))


def fit(path: Path, key: str, *, watch: EpochWatch | None = None, **values: Any) -> Any:
    """Train as a run does: what was chosen lies over what the program would choose."""
    chosen = to_autogluon(key, values)
    kept = json.loads(
        json.dumps(family(key).sample_settings(len(TRAIN[0]), 0) | {family(key).epochs_setting: 2} | chosen)
    )
    model = network(key).model_class()(
        path=str(path),
        name=key,
        problem_type="regression",
        eval_metric="rmse",
        hyperparameters=network(key).model_settings(kept, STD),
    )
    with network(key).training(model, watch or EpochWatch(target_std=STD)):
        model.fit(X=TRAIN[0], y=TRAIN[1], X_val=VALIDATION[0], y_val=VALIDATION[1], num_cpus=1, num_gpus=0, verbosity=0)
    assert np.isfinite(model.predict(VALIDATION[0])).all()
    return model


def epochs_of(path: Path, key: str, **values: Any) -> int:
    seen: list[EpochFigures] = []
    fit(path, key, watch=EpochWatch(on_epoch=seen.append, target_std=STD), **values)
    return len(seen)


def kinds(net: nn.Module, kind: type[nn.Module]) -> list[Any]:
    return [module for module in net.modules() if isinstance(module, kind)]


def shapes(net: nn.Module) -> set[tuple[int, ...]]:
    return {tuple(value.shape) for value in net.parameters()}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    """Note which optimizers are made, and with what."""
    found: list[tuple[str, dict[str, Any]]] = []
    for name in ("SGD", "Adam", "AdamW"):
        made = getattr(torch.optim, name)

        def optimizer(*args: Any, _made: Any = made, _name: str = name, **how: Any) -> Any:
            found.append((_name, how))
            return _made(*args, **how)

        monkeypatch.setattr(torch.optim, name, optimizer)
    return found


def needs_all(key: str, *names: str) -> None:
    """Assert that a test leaves out no setting."""
    assert {found.name for found in settings_of(key)} == set(names)


NN_TORCH = {
    "layers": 2,
    "width": 24,
    "activation": "tanh",
    "batch_norm": True,
    "dropout": 0.25,
    "weight_decay": 0.01,
    "early_stopping": 7,
    "loss": "mse",
    "optimizer": "sgd",
    "learning_rate": 0.002,
    "batch_size": 40,
    "epochs": 3,
}


def test_nn_torch(tmp_path: Path, asked: list[tuple[str, dict[str, Any]]]) -> None:
    needs_all("NN_TORCH", *NN_TORCH, "huber_delta")
    seen: list[EpochFigures] = []
    model = fit(tmp_path, "NN_TORCH", watch=EpochWatch(on_epoch=seen.append), **NN_TORCH)
    linear = kinds(model.model, nn.Linear)
    assert [layer.out_features for layer in linear] == [24, 24, 1]
    assert kinds(model.model, nn.Tanh)
    assert kinds(model.model, nn.BatchNorm1d)
    assert kinds(model.model, nn.Dropout)[0].p == 0.25
    assert asked == [("SGD", {"params": asked[0][1]["params"], "lr": 0.002, "weight_decay": 0.01})]
    assert len(seen) == 3
    assert model.params_trained["batch_size"] == 40
    assert isinstance(model.params["loss_function"], nn.MSELoss)
    # The squared error of a target whose standard deviation is about 6.
    assert (seen[0].train_loss or 0) > 1.5 * (seen[0].validation or 0)


def test_nn_torch_ends_when_it_has_waited_long_enough(tmp_path: Path) -> None:
    assert epochs_of(tmp_path, "NN_TORCH", epochs=60, early_stopping=2, learning_rate=0.5) < 60


@pytest.mark.parametrize(
    ("values", "kind", "delta"),
    [
        ({"loss": "mae"}, nn.L1Loss, None),
        ({"loss": "huber", "huber_delta": 2.5}, nn.HuberLoss, 2.5),
        ({"loss": "huber"}, nn.HuberLoss, STD),
    ],
)
def test_nn_torchs_loss(tmp_path: Path, values: dict[str, Any], kind: type[nn.Module], delta: float | None) -> None:
    loss = fit(tmp_path, "NN_TORCH", **values).params["loss_function"]
    assert isinstance(loss, kind)
    assert getattr(loss, "delta", None) == delta


FASTAI = {
    "hidden": [30, 20],
    "dropout": 0.3,
    "embedding_dropout": 0.35,
    "early_stopping": 1,
    "clip": False,
    "learning_rate": 0.5,
    "batch_size": 50,
    "epochs": 40,
}


def test_fastai(tmp_path: Path) -> None:
    needs_all("FASTAI", *FASTAI)
    seen: list[EpochFigures] = []
    watch = EpochWatch(on_epoch=seen.append, target_std=STD)
    model = fit(tmp_path, "FASTAI", watch=watch, **FASTAI)
    net = model.model.model
    assert [layer.out_features for layer in kinds(net, nn.Linear)] == [30, 20, 1]
    assert {layer.p for layer in kinds(net, nn.Dropout)} == {0.3, 0.35}
    assert model.clipping is False
    assert model.model.dls.bs == 50
    assert max(model.model.opt.hypers[0]["lr"], model.params["lr"]) == 0.5
    assert model.params_trained["epochs"] == 40
    assert len(seen) < 40


TABM = {
    "layers": 1,
    "width": 24,
    "members": 4,
    "embedding": "none",
    "dropout": 0.25,
    "weight_decay": 0.01,
    "early_stopping": 1,
    "learning_rate": 0.05,
    "batch_size": 40,
    "epochs": 60,
}


def test_tabm(tmp_path: Path, asked: list[tuple[str, dict[str, Any]]], monkeypatch: pytest.MonkeyPatch) -> None:
    needs_all("TABM", *TABM)
    sizes: list[int] = []
    stepped = EpochWatch.stepped

    def noted(self: EpochWatch, loss: torch.Tensor, n: int = 1) -> None:
        sizes.append(n)
        stepped(self, loss, n)

    monkeypatch.setattr(EpochWatch, "stepped", noted)
    seen: list[EpochFigures] = []
    model = fit(tmp_path, "TABM", watch=EpochWatch(on_epoch=seen.append), **TABM)
    net = model.model.model_
    assert net.k == 4
    assert {layer.p for layer in kinds(net, nn.Dropout)} == {0.25}
    assert [layer.out_features for layer in kinds(net, nn.Linear)] == [24]
    # Without an embedding the numbers come as they are: two, and twelve levels with the unknown one.
    assert kinds(net, nn.Linear)[0].in_features <= 2 + 13
    assert asked == [("AdamW", {"lr": 0.05, "weight_decay": 0.01})]
    assert max(sizes) == 4 * 40
    assert 2 < len(seen) < 60


REALMLP = {
    "hidden": [30, 20],
    "activation": "relu",
    "embedding": "none",
    "dropout": 0.25,
    "weight_decay": 0.01,
    "early_stopping": 2,
    "loss": "mae",
    "learning_rate": 3.0,
    "schedule": "constant",
    "batch_size": 40,
    "epochs": 60,
}


def test_realmlp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pytabkit.models.training import lightning_modules

    made: list[dict[str, Any]] = []
    original = lightning_modules.TabNNModule.__init__

    def init(self: Any, *args: Any, **config: Any) -> None:
        made.append(config)
        original(self, *args, **config)

    monkeypatch.setattr(lightning_modules.TabNNModule, "__init__", init)
    needs_all("REALMLP", *REALMLP)
    seen: list[EpochFigures] = []
    values = REALMLP | {"learning_rate": 0.9}
    model = fit(tmp_path, "REALMLP", watch=EpochWatch(on_epoch=seen.append, target_std=STD), **values)
    (config,) = made
    told = {name: config[name] for name in ("act", "p_drop", "wd", "lr", "lr_sched", "train_metric_name", "batch_size")}
    assert told == {
        "act": "relu",
        "p_drop": 0.25,
        "wd": 0.01,
        "lr": 0.9,
        "lr_sched": "constant",
        "train_metric_name": "mae",
        "batch_size": 40,
    }
    assert (config["hidden_sizes"], config["num_emb_type"], config["n_epochs"]) == ([30, 20], "none", 60)
    assert len(seen) < 60
    assert model.params["hidden_sizes"] == [30, 20]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("hidden", [20]),
        ("activation", "relu"),
        ("embedding", "none"),
        ("dropout", 0.6),
        ("weight_decay", 0.9),
        ("loss", "mae"),
        ("learning_rate", 0.01),
        ("schedule", "constant"),
        ("schedule", "cosine"),
        ("schedule", "one_cycle"),
        ("batch_size", 20),
    ],
)
def test_realmlp_learns_something_else_with_each(tmp_path: Path, name: str, value: Any) -> None:
    usual = fit(tmp_path / "usual", "REALMLP", epochs=8).predict(VALIDATION[0])
    assert not np.allclose(fit(tmp_path / "chosen", "REALMLP", epochs=8, **{name: value}).predict(VALIDATION[0]), usual)


@pytest.mark.parametrize("key", ["FASTAI", "NN_TORCH", "TABM", "REALMLP"])
def test_the_defaults_are_the_librarys(tmp_path: Path, key: str) -> None:
    # Epochs, batches and what grows with the time are the program's own.
    values = {found.name: found.default for found in settings_of(key) if found.default is not None}
    if key == "TABM":
        values["epochs"] = 2
    beside = fit(tmp_path / "named", key, **values).predict(VALIDATION[0])
    assert np.allclose(beside, fit(tmp_path / "plain", key).predict(VALIDATION[0]), rtol=1e-5)
