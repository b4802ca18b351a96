"""Rows that teach nothing: nothing learns from them, and with folds they are predicted all the same."""

from __future__ import annotations

import numpy as np
import pandas as pd

from dlreg_core.training.baselines.simple_models import Boosting, fit_baselines
from dlreg_core.training.execution.fit_records import PreparedRows
from dlreg_core.training.execution.fold_fit import learned_rows
from tests.core.training.jobs import fold_job

RNG = np.random.default_rng(0)


def test_a_training_learns_from_none_of_them() -> None:
    fold = np.repeat([0, 1, 2], 20)
    taught = RNG.random(60) > 0.2
    rows = PreparedRows(pd.DataFrame({"a": np.zeros(60)}), np.zeros(60), fold, metadata=None, taught=taught)
    for held in range(3):
        np.testing.assert_array_equal(learned_rows(fold_job("FASTAI", fold=held), rows), (fold != held) & taught)
        few = learned_rows(fold_job("FASTAI", fold=held, rows=7), rows)
        assert few.sum() == 7
        assert taught[few].all()
    assert rows.learned_from == min(((fold != held) & taught).sum() for held in range(3))


def test_baselines_learn_as_if_they_were_not_there_and_predict_them() -> None:
    features = pd.DataFrame({"a": RNG.normal(size=120)})
    target = 3 * features["a"].to_numpy() + RNG.normal(0, 0.1, 120)
    taught = np.ones(120, dtype=bool)
    taught[::10] = False
    target[~taught] = 1e6
    folds = np.arange(120) % 4
    found = fit_baselines(features, target, seed=0, folds=folds, taught=taught, boosting=Boosting(iterations=30))
    without = fit_baselines(
        features[taught], target[taught], seed=0, folds=folds[taught], boosting=Boosting(iterations=30)
    )
    for one, other in zip(found, without, strict=True):
        assert one.oof is not None
        assert other.oof is not None
        assert np.isfinite(one.oof).all()
        np.testing.assert_allclose(one.predict(features), other.predict(features))
        if one.key != "TREE":  # Its leaves are chosen on the next fold, which has these rows.
            np.testing.assert_allclose(one.oof[taught], other.oof)
