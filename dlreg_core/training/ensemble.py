"""Combining networks by their predictions for rows that none of them has learned from."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from dlreg_core.array_types import Floats

_BAGS = 20
_STEPS = 30
_ROWS_OF_A_BAG = 0.632
"""Share of the rows that a bag of drawn rows holds on average."""

_LEAST_WEIGHT = 0.03
"""A network with less weight than this isn't worth the time that it takes to predict."""

_PARTS = 4
_NEXT_TO_NOTHING = 1e-6


def ensemble_weights(
    held_out: Mapping[str, Floats], target: Floats, *, seed: int = 0, most: int = 12
) -> dict[str, float]:
    """Choose networks and their weights by greedy selection, and guard it against overfitting the rows that choose.

    Parameters
    ----------
    held_out : mapping of str to ndarray, shape (rows,)
        Each network's predictions.
    target : ndarray, shape (rows,)
        What they should have been.
    seed : int
        Seed of the draws.
    most : int
        How many networks may be in it.

    Returns
    -------
    dict of str to float
        The weights, which add up to one; networks without weight are left out.

    Notes
    -----
    Caruana, Niculescu-Mizil, Crew & Ksikes 2004, "Ensemble selection from libraries of models": networks are added
    one by one, with repetition, each time the one with which the squared error becomes least. As they advise, this is
    repeated on random parts of the rows and the weights are averaged, so that no few rows decide.
    """
    names = sorted(held_out)
    predictions = np.stack([held_out[name] for name in names])
    weights = _bagged(predictions, target, np.random.default_rng(seed))
    strongest = np.argsort(-weights, kind="stable")[:most]
    kept = [i for i in strongest if weights[i] >= _LEAST_WEIGHT] or [int(strongest[0])]
    total = float(weights[kept].sum())
    return {names[i]: float(weights[i] / total) for i in sorted(kept)}


def mixed(held_out: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """Return the weighted mean of networks' predictions."""
    return np.asarray(sum(weight * held_out[name] for name, weight in weights.items()))


def rmse(predicted: Floats, target: Floats) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((predicted - target) ** 2)))


def honest_rmse(held_out: Mapping[str, Floats], target: Floats, *, seed: int = 0) -> float:
    """Return the RMSE of an ensemble on rows that didn't choose its weights: each part of the rows by the others'."""
    if len(held_out) == 1:
        return rmse(next(iter(held_out.values())), target)
    part = np.random.default_rng([seed, 2]).permutation(len(target)) % _PARTS
    names = sorted(held_out)
    predictions = np.stack([held_out[name] for name in names])
    found = np.empty(len(target))
    for number in range(_PARTS):
        inside = part == number
        if not inside.any() or inside.all():
            return rmse(predictions.mean(axis=0), target)
        weights = _bagged(predictions[:, ~inside], target[~inside], np.random.default_rng(seed))
        found[inside] = weights @ predictions[:, inside]
    return rmse(found, target)


def worth_combining(held_out: Mapping[str, Floats], target: Floats, *, seed: int = 0) -> bool:
    """Tell whether an ensemble is better than its best network on rows that didn't choose its weights."""
    best = min(rmse(values, target) for values in held_out.values())
    return len(held_out) > 1 and honest_rmse(held_out, target, seed=seed) < best * (1 - _NEXT_TO_NOTHING)


def _bagged(predictions: Floats, target: Floats, rng: np.random.Generator) -> Floats:
    """Return the mean of greedy weights over random parts of the rows, shape (networks,)."""
    if len(predictions) == 1:
        return np.ones(1)
    rows = len(target)
    size = max(2, round(_ROWS_OF_A_BAG * rows))
    total = np.zeros(len(predictions))
    for _ in range(_BAGS):
        chosen = rng.permutation(rows)[:size]
        errors = predictions[:, chosen] - target[chosen]
        total += _greedy(errors @ errors.T / size)
    return np.asarray(total / total.sum())


def _greedy(products: Floats) -> Floats:
    """Return greedy weights from the mean products of the networks' errors, shape (networks, networks)."""
    count = np.zeros(len(products))
    best, best_error = count, np.inf
    along = np.zeros(len(products))
    square = 0.0
    for step in range(1, _STEPS + 1):
        # The squared error of the mean of step networks, with each of them as the last one.
        candidates = (square + 2 * along + np.diag(products)) / step**2
        added = int(np.argmin(candidates))
        square += 2 * along[added] + products[added, added]
        along = along + products[added]
        count = count.copy()
        count[added] += 1
        if candidates[added] < best_error * (1 - _NEXT_TO_NOTHING):
            best, best_error = count, float(candidates[added])
    return np.asarray(best / best.sum())
