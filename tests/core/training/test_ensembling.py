"""Weights are chosen on rows held out, and not by chance."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import nnls

from dlreg_core.training.ensemble import ensemble_weights, honest_rmse, mixed, rmse, worth_combining


def predictions(rows: int, noises: dict[str, float], seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    rng = np.random.default_rng(seed)
    target = rng.normal(size=rows)
    return {name: target + rng.normal(0, noise, rows) for name, noise in noises.items()}, target


def test_weights_are_near_the_best_ones() -> None:
    held_out, target = predictions(20_000, {"a": 0.2, "b": 0.3, "c": 0.6})
    weights = ensemble_weights(held_out, target)
    best, _ = nnls(np.stack(list(held_out.values())).T, target)
    assert [weights[name] for name in "abc"] == pytest.approx(best / best.sum(), abs=0.04)
    assert sum(weights.values()) == pytest.approx(1.0)


def test_a_network_that_adds_nothing_is_left_out() -> None:
    held_out, target = predictions(2_000, {"good": 0.1, "useless": 5.0})
    assert ensemble_weights(held_out, target) == {"good": 1.0}
    assert not worth_combining(held_out, target) or honest_rmse(held_out, target) < rmse(held_out["good"], target)


def test_two_that_err_apart_are_better_together() -> None:
    held_out, target = predictions(500, {"a": 0.3, "b": 0.3})
    weights = ensemble_weights(held_out, target)
    assert rmse(mixed(held_out, weights), target) < 0.8 * min(rmse(v, target) for v in held_out.values())
    assert worth_combining(held_out, target)


def test_many_networks_on_few_rows_do_not_fool_the_estimate() -> None:
    # Predictions that have nothing to do with the target: whoever searches among 60 of them finds some that seem to.
    rng = np.random.default_rng(0)
    target = rng.normal(size=40)
    held_out = {f"n{i:02}": rng.normal(0, 0.5, 40) for i in range(60)}
    fresh = {name: rng.normal(0, 0.5, 40_000) for name in held_out}
    true = rmse(mixed(fresh, ensemble_weights(held_out, target)), rng.normal(size=40_000))
    seeming = rmse(mixed(held_out, ensemble_weights(held_out, target)), target)
    assert seeming < 0.95 * true
    assert abs(honest_rmse(held_out, target) / true - 1) < abs(seeming / true - 1)


def test_the_same_seed_gives_the_same_weights_whatever_the_order() -> None:
    held_out, target = predictions(200, {"a": 0.2, "b": 0.25, "c": 0.3})
    turned = dict(reversed(held_out.items()))
    assert ensemble_weights(held_out, target, seed=3) == ensemble_weights(turned, target, seed=3)


def test_no_more_networks_than_allowed() -> None:
    held_out, target = predictions(300, {f"n{i}": 0.5 for i in range(20)})
    weights = ensemble_weights(held_out, target, most=5)
    assert len(weights) == 5
    assert sum(weights.values()) == pytest.approx(1.0)


def test_one_network_alone() -> None:
    held_out, target = predictions(50, {"a": 0.2})
    assert ensemble_weights(held_out, target) == {"a": 1.0}
    assert honest_rmse(held_out, target) == rmse(held_out["a"], target)
    assert not worth_combining(held_out, target)
