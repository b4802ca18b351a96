"""Claims about how a network learned, on scikit-learn's small networks in place of those that take minutes."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pandas as pd
from sklearn.neural_network import MLPRegressor

from claimed.judged import Random, noise, signal
from claimed.registry import Claim, register
from dlreg_core.evaluation.curve_verdict import judge_curves
from dlreg_core.evaluation.epoch_curves import NetworkCurves
from dlreg_core.wording.learning_curve_text import verdict_words


def training(
    random: Random,
    *,
    rows: int = 1000,
    told: float = 1.0,
    units: int = 16,
    epochs: int = 60,
    rate: float = 3e-3,
    loud: float = 0.7,
) -> str:
    """Return what is said of the training of a small network on rows whose target the features tell in part.

    Parameters
    ----------
    random : numpy.random.Generator
        Draws the rows and starts the network.
    rows : int
        Training rows; as many validate, 300 at least.
    told : float
        What the signal is multiplied by: 0 for a target that is noise alone.
    units, epochs, rate : int, int, float
        Of the network.
    loud : float
        Size of the noise.
    """
    validation = max(300, rows)
    features, known = signal(random, rows + validation)
    x = pd.get_dummies(features).to_numpy(dtype=np.float64)
    y = told * known + loud * noise(random, rows + validation)
    x = (x - x[:rows].mean(axis=0)) / x[:rows].std(axis=0)
    mean, std = float(y[:rows].mean()), float(y[:rows].std())
    start = int(random.integers(2**31))
    network = MLPRegressor(hidden_layer_sizes=(units,), learning_rate_init=rate, batch_size=32, random_state=start)
    errors: list[tuple[float, float]] = []
    for _ in range(epochs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            network.partial_fit(x[:rows], (y[:rows] - mean) / std)
        off = network.predict(x) * std + mean - y
        errors.append((float(np.sqrt(np.mean(off[rows:] ** 2))), float(np.sqrt(np.mean(off[:rows] ** 2)))))
    constant = float(np.sqrt(np.mean((y[rows:] - mean) ** 2)))
    table = pd.DataFrame(errors, columns=["validation", "training"]).assign(epoch=range(1, epochs + 1), fold=0)
    found = judge_curves(
        table["validation"], table["training"], target_std=std, constant=constant, validation_rows=validation
    )
    return verdict_words(NetworkCurves("TabM", "TABM", "rmse", table, table, found, constant), "")


for _key, _words, _name, _without, _with, _without_words, _with_words in (
    (
        "learned-all",
        "about as much as it can",
        "It learned about as much as it can",
        partial(training, rows=400, told=0.0, units=6),
        partial(training, told=1.0),
        "the target is noise alone",
        "a target that the columns tell, and time enough",
    ),
    (
        "learned-nothing",
        "next to nothing",
        "It learned next to nothing that holds for other rows",
        partial(training, told=0.5),
        partial(training, rows=400, told=0.0, units=6),
        "a fifth of the variance can be known",
        "the target is noise alone",
    ),
    (
        "overfits",
        "overfits",
        "It overfits",
        partial(training, rows=2000, units=4, epochs=40),
        partial(training, rows=120, units=128, epochs=120),
        "2,000 rows for 4 units",
        "120 rows for 128 units, 120 epochs",
    ),
    (
        "still-improving",
        "still improving",
        "It was still improving when its training ended",
        partial(training, epochs=80),
        partial(training, epochs=12, rate=3e-4),
        "80 epochs where 20 are enough",
        "12 epochs of short steps",
    ),
):
    register(
        _key,
        Claim(
            _name,
            without=_without,
            with_it=_with,
            says=lambda text, words=_words: words in text,  # type: ignore[misc]
            without_words=_without_words,
            with_words=_with_words,
        ),
    )
