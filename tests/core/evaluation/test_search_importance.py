"""Which settings mattered: known where the errors are made from known effects."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from dlreg_core.evaluation.search_importance import setting_importance


def trials(count: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "dropout": rng.uniform(0, 0.5, count),
            "learning_rate": 10 ** rng.uniform(-5, -1, count),
            "loss": rng.choice(["mse", "mae", "huber"], count),
            "layers": rng.integers(1, 5, count),
        }
    )


def test_shares_are_those_of_the_variances() -> None:
    table = trials(500)
    # The logarithm of the error is a sum of independent effects, so that their variances are known.
    rate = 0.3 * np.log10(table["learning_rate"])
    loss = table["loss"].map({"mse": 0.0, "mae": 0.6, "huber": 0.3})
    variances = {"learning_rate": 0.3**2 * 4**2 / 12, "loss": 0.6**2 / 6, "dropout": 0.0, "layers": 0.0}
    found = setting_importance(table, np.exp(3 + rate + loss))
    assert list(found.shares)[:2] == ["learning_rate", "loss"]
    assert sum(found.shares.values()) == pytest.approx(1)
    for name, share in found.shares.items():
        assert share == pytest.approx(variances[name] / sum(variances.values()), abs=0.05)
    assert found.explained > 0.9
    assert found.trials == 500
    assert not found.is_hint


def test_what_mattered_is_found_with_few_trials() -> None:
    first = []
    for seed in range(8):
        table = trials(16, seed)
        noise = np.random.default_rng(seed).normal(0, 0.05, 16)
        error = 20 + 10 * (np.log10(table["learning_rate"]) + 3) ** 2 + 2 * table["dropout"] + noise
        first.append(next(iter(setting_importance(table, error).shares)))
    assert first.count("learning_rate") >= 7


def test_where_nothing_mattered_nothing_is_said_to() -> None:
    explained = []
    for seed in range(8):
        table = trials(30, seed)
        noise = pd.Series(np.random.default_rng(seed + 100).uniform(20, 30, 30))
        explained.append(setting_importance(table, noise).explained)
    assert np.median(explained) < 0.1


def test_one_that_diverged_does_not_outweigh_all_others() -> None:
    table = trials(60)
    error = np.exp(3 - 0.5 * np.log10(table["learning_rate"]))
    error.iloc[5] = 1e9
    assert next(iter(setting_importance(table, error).shares)) == "learning_rate"


def test_settings_that_did_not_count_and_lists_are_understood() -> None:
    rng = np.random.default_rng(3)
    loss = rng.choice(["mse", "huber"], 80)
    table = pd.DataFrame(
        {
            "loss": loss,
            "huber_delta": np.where(loss == "huber", rng.uniform(1, 5, 80), np.nan),
            "hidden": [[64, 64] if big else [32] for big in rng.integers(0, 2, 80)],
            "batch_norm": rng.integers(0, 2, 80).astype(bool),
        }
    )
    error = pd.Series([30.0 if widths == [32] else 20.0 for widths in table["hidden"]])
    found = setting_importance(table, error)
    assert found.shares["hidden"] > 0.95


def test_failed_trials_are_left_out() -> None:
    table = trials(40)
    error = np.exp(3 + 0.3 * np.log10(table["learning_rate"]))
    error.iloc[:10] = [np.nan, np.inf] * 5
    found = setting_importance(table, error)
    assert found.trials == 30
    assert found.shares == setting_importance(table.iloc[10:], error.iloc[10:]).shares


@pytest.mark.parametrize("errors", [[1.0, 2.0, 3.0], [5.0] * 6, [np.nan] * 9, []])
def test_too_little_to_tell_from(errors: list[float]) -> None:
    found = setting_importance(trials(len(errors)), pd.Series(errors, dtype=float))
    assert set(found.shares.values()) == {0.0}
    assert found.explained == 0
    assert found.is_hint


def test_the_same_trials_give_the_same_shares() -> None:
    table = trials(12)
    error = np.exp(3 + 0.3 * np.log10(table["learning_rate"]))
    found = setting_importance(table, error)
    assert found == setting_importance(table, error)
    assert not found.is_hint
    assert setting_importance(table.head(9), error.head(9)).is_hint
