"""The pre-trained families with AutoGluon's real classes and tiny weights: fitted, saved, moved, and used again."""

from __future__ import annotations

import shutil
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from autogluon.tabular import TabularPredictor
from autogluon.tabular.registry import ag_model_registry

from dlreg_core.networks import network, pretrained
from tests.core.networks.tiny_weights import write_tiny

KEYS = ("TABICL", "MITRA", "TABDPT", "NORI")
every_key = pytest.mark.parametrize("key", KEYS)


@pytest.fixture(autouse=True)
def no_internet(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("something asked another host")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def table(rows: int = 60) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(1)
    numbers = pd.DataFrame(rng.normal(size=(rows, 4)), columns=list("abcd"))
    numbers["place"] = pd.Categorical(np.where(numbers["a"] > 0, "north", "south"))
    return numbers, 3.0 * numbers["a"] + numbers["b"] + 10.0


def fitted(key: str, folder: Path, seed: int = 0) -> Any:
    weights = folder / "weights" / key
    if not weights.exists():
        write_tiny(key, weights)
    settings = network(key).model_settings(pretrained(key).hyperparameters(weights, seed), 1.0) | {
        "ag.max_memory_usage_ratio": None
    }
    model = network(key).model_class()(
        path=str(folder / "models"),
        name=f"{key}_{seed}",
        problem_type="regression",
        eval_metric="root_mean_squared_error",
        hyperparameters=settings,
    )
    features, target = table()
    model.fit(X=features[:48], y=target[:48], X_val=features[48:], y_val=target[48:], num_cpus=1, num_gpus=0)
    return model


@every_key
def test_a_family_fits_and_predicts_with_weights_from_the_disk(key: str, tmp_path: Path) -> None:
    predicted = fitted(key, tmp_path).predict(table()[0])
    assert predicted.shape == (60,)
    assert np.isfinite(predicted).all()
    # Rows with other features are predicted otherwise: the features get through to the network.
    assert len(np.unique(predicted.round(4))) > 20


@every_key
def test_a_row_is_predicted_the_same_alone_among_others_and_again(key: str, tmp_path: Path) -> None:
    model, (features, _) = fitted(key, tmp_path), table()
    together = model.predict(features)
    np.testing.assert_allclose(model.predict(features), together, rtol=1e-6)
    for row in (0, 59):
        np.testing.assert_allclose(model.predict(features.iloc[[row]]), together[[row]], rtol=1e-5)


@every_key
def test_the_same_seed_gives_the_same_model(key: str, tmp_path: Path) -> None:
    features = table()[0]
    first = fitted(key, tmp_path).predict(features)
    # Whatever the rest of the process has drawn meanwhile.
    np.random.seed(7)
    np.testing.assert_allclose(fitted(key, tmp_path).predict(features), first, rtol=1e-5)


@every_key
def test_a_saved_model_works_elsewhere_without_its_weights(key: str, tmp_path: Path) -> None:
    model, (features, _) = fitted(key, tmp_path), table()
    before = model.predict(features)
    model.save()
    shutil.rmtree(tmp_path / "weights")
    elsewhere = tmp_path / "elsewhere"
    shutil.move(model.path, elsewhere)
    again = network(key).model_class().load(str(elsewhere))
    np.testing.assert_allclose(again.predict(features), before, rtol=1e-5)
    # Also when it is saved from there once more.
    again.save(str(tmp_path / "copy"))
    shutil.rmtree(elsewhere)
    copy = network(key).model_class().load(str(tmp_path / "copy"))
    np.testing.assert_allclose(copy.predict(features), before, rtol=1e-5)


@pytest.mark.soak
def test_a_predictor_takes_them_by_their_keys_and_can_be_handed_on(tmp_path: Path) -> None:
    features, target = table()
    for key in KEYS:
        write_tiny(key, tmp_path / "weights" / key)
    settings = {key: pretrained(key).hyperparameters(tmp_path / "weights" / key, 0) for key in KEYS}
    for key in KEYS:
        network(key).model_class()
    predictor = TabularPredictor("target", problem_type="regression", path=str(tmp_path / "predictor"), verbosity=0)
    predictor.fit(
        features.assign(target=target)[:48],
        features.assign(target=target)[48:],
        hyperparameters={key: {**values, "ag.max_memory_usage_ratio": None} for key, values in settings.items()},
        fit_weighted_ensemble=False,
        ag_args_fit={"num_cpus": 1, "num_gpus": 0},
    )
    assert predictor.model_failures().empty
    names = predictor.model_names()
    assert len(names) == len(KEYS)
    for name in names:
        before = predictor.predict(features, model=name)
        copy = Path(predictor.clone_for_deployment(str(tmp_path / f"deployed {name}"), model=name))
        moved = copy.with_name(f"moved {name}")
        copy.rename(moved)
        hidden = (tmp_path / "weights").rename(tmp_path / "hidden")
        try:
            loaded = TabularPredictor.load(str(moved), verbosity=0)
            np.testing.assert_allclose(loaded.predict(features, model=name), before, rtol=1e-5)
        finally:
            hidden.rename(tmp_path / "weights")


@every_key
def test_weights_that_are_not_there_are_an_error_and_not_a_download(key: str, tmp_path: Path) -> None:
    write_tiny(key, tmp_path / "weights" / key)
    (tmp_path / "weights" / key / pretrained(key).files[-1]).unlink()
    with pytest.raises((OSError, ValueError)):
        # Nori opens its file with the first prediction.
        fitted(key, tmp_path).predict(table()[0])


@every_key
def test_models_are_of_this_programs_classes_and_of_autogluons_key(key: str) -> None:
    kept = network(key).model_class()
    assert kept.__module__.startswith("dlreg_core.networks.")
    assert kept.ag_key == key
    assert ag_model_registry.key_to_cls(key) is kept


@pytest.mark.parametrize("key", [*KEYS, "REALTABPFN-V2", "REALTABPFN-V2.5", "TABPFN-2.6", "TABPFN-3"])
def test_limits_and_names_are_those_of_autogluon(key: str) -> None:
    known, model = pretrained(key), ag_model_registry.key_to_cls(key)
    extra: dict[str, Any] = {}
    for base in reversed(model.__mro__):
        extra |= base.__dict__.get("_default_auxiliary_params_extra") or {}
    assert (known.most_rows, known.most_columns) == (extra["max_rows"], extra["max_features"])
    assert "regression" in model._supported_problem_types
    file = getattr(model, "default_regression_model", None)
    assert file is None or file in known.files
