"""Mitra as AutoGluon trains it, and as this program keeps it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
from autogluon.tabular.models.mitra.mitra_model import MitraModel
from numpy.typing import NDArray

from dlreg_core.networks.pretrained_families.known_to_autogluon import used_by_autogluon


@used_by_autogluon
class KeptMitraModel(MitraModel):  # type: ignore[misc]
    """Mitra, which reads its context in the same order every time and computes in full precision."""

    def _fit(
        self,
        X: pd.DataFrame,  # noqa: N803
        y: pd.Series,
        X_val: pd.DataFrame | None = None,  # noqa: N803
        y_val: pd.Series | None = None,
        **kwargs: Any,
    ) -> None:
        if not self._get_model_params().get("fine_tune", True) and X_val is not None and y_val is not None:
            # Without fine-tuning nothing depends on them, and on a processor predicting them takes minutes.
            X_val, y_val = X_val.iloc[:2], y_val.iloc[:2]  # noqa: N806
        seed = int(self._get_model_params().get(self.seed_name) or 0)
        # It mirrors columns at random, and takes the process's own source of randomness for it.
        with _seeded(seed):
            super()._fit(X=X, y=y, X_val=X_val, y_val=y_val, **kwargs)
        for trainer in self.model.trainers:
            trainer.rng = _SameDraw(seed)
            trainer.cfg.hyperparams["precision"] = "float32"


class _SameDraw:
    """Stands for a source of randomness, and draws the same whenever it is asked the same."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def choice(self, count: int, size: int, *, replace: bool = False) -> NDArray[np.int64]:
        """Return `size` of the first `count` numbers, in rising order."""
        drawn = np.random.RandomState(self._seed).choice(count, size=size, replace=replace)
        return np.sort(drawn).astype(np.int64)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed NumPy's shared source of randomness, and leave it afterwards as it was."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
