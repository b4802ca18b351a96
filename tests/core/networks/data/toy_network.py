"""A family of networks as another package would add it: a line that is learned epoch by epoch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from autogluon.core.models import AbstractModel

from dlreg_core.networks.epoch_watch import EpochWatch
from dlreg_core.networks.network_family import Cost, Family
from dlreg_core.networks.shared_settings import batch_size, epochs, learning_rate


class ToyModel(AbstractModel):  # type: ignore[misc]
    ag_key = "TOY"
    seed_name = "seed"
    watch: EpochWatch | None = None

    def _fit(self, X: pd.DataFrame, y: pd.Series, X_val: pd.DataFrame, y_val: pd.Series, **_: Any) -> None:  # noqa: N803
        chosen, watch = TOY.defaults() | self._get_model_params(), self.watch or EpochWatch()
        self.middle, self.spread = y.mean(), y.std() or 1.0
        self.offset, self.scale = self._numbers(X).mean(axis=0), self._numbers(X).std(axis=0) + 1e-9
        rows, target = (self._numbers(X) - self.offset) / self.scale, (y.to_numpy() - self.middle) / self.spread
        self.model = np.zeros(rows.shape[1])
        for _epoch in range(chosen["epochs"]):
            self.model -= chosen["learning_rate"] * rows.T @ (rows @ self.model - target) / len(rows)
            error = np.sqrt(np.mean((self._predict_proba(X_val) - y_val) ** 2))
            if watch.passed(float(error), chosen["epochs"]):
                break

    @staticmethod
    def _numbers(X: pd.DataFrame) -> np.ndarray:  # noqa: N803
        return X.select_dtypes("number").fillna(0).to_numpy(dtype=np.float64)

    def _predict_proba(self, X: pd.DataFrame, **_: Any) -> np.ndarray:  # noqa: N803
        return np.asarray((self._numbers(X) - self.offset) / self.scale @ self.model * self.spread + self.middle)

    @classmethod
    def _estimate_memory_usage_static(cls, **_: Any) -> int:
        return 1_000_000


class _Toy(Family):
    def model_class(self) -> type[AbstractModel]:
        return ToyModel


TOY = _Toy(
    key="TOY", title="Toy", summary="A line.", paper="Gauss 1809", licence="Apache-2.0",
    epochs_setting="epochs", batch_setting="batch_size", seed_setting="seed",
    fewest_epochs=3, enough_epochs=20, most_epochs=20, has_schedule=False, weight=1.0, batches=((0, 32),),
    cost=Cost(0.01, 0, 0, 1e-3, 1e-6, 0, 1, 0, 0, 1, 0.1, 0),
    offered=(epochs("epochs"), batch_size("batch_size"), learning_rate("learning_rate", 0.1)),
)  # fmt: skip
