"""The feed-forward family as a model that AutoGluon can train, keep and load."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import torch
from autogluon.common.features.types import (
    R_BOOL,
    R_CATEGORY,
    R_FLOAT,
    R_INT,
    S_TEXT_AS_CATEGORY,
    S_TEXT_NGRAM,
)
from autogluon.core.utils import generate_train_test_split
from autogluon.tabular.models.abstract.abstract_torch_model import AbstractTorchModel
from autogluon.tabular.registry import ag_model_registry
from numpy.typing import NDArray

from dlreg_core.networks.epoch_watch import EpochWatch
from dlreg_core.networks.feedforward.feedforward_family import BASIC, FEEDFORWARD
from dlreg_core.networks.feedforward.inputs import Encoded, Inputs
from dlreg_core.networks.feedforward.linear import LinearPath, bends, linear_path
from dlreg_core.networks.feedforward.loop import Lesson, Part, kept_bytes, predicted, teach
from dlreg_core.networks.feedforward.losses import loss_of
from dlreg_core.networks.feedforward.network import Network, Shape, quantile_edges

MOST_BINS, _ROWS_OF_A_BIN = 32, 30
"""Pieces of a piecewise-linear encoding: at most so many, and each with about so many training rows at least."""

_MOST_PIECES = 16_000
"""Of more columns each gets fewer pieces, so that there are no more than so many in all: a pass would otherwise take
more than in proportion to the columns."""

_OWN_VALIDATION = 0.2


def most_bins(numbers: int) -> int:
    """Return into how many pieces each of so many columns of numbers is cut at most."""
    return max(2, min(MOST_BINS, _MOST_PIECES // max(1, numbers)))


class FeedForwardModel(AbstractTorchModel):  # type: ignore[misc]
    """Feed-forward networks of different seeds side by side, whose predictions are averaged."""

    ag_key = FEEDFORWARD.key
    ag_name = "FeedForward"
    ag_priority = 60
    seed_name = "seed"
    default_resources_physical_cores_only = True
    default_num_gpus = 1
    _supported_problem_types = ["regression"]  # noqa: RUF012
    _default_auxiliary_params_extra = {  # noqa: RUF012
        "valid_raw_types": [R_BOOL, R_INT, R_FLOAT, R_CATEGORY],
        "ignored_type_group_special": [S_TEXT_NGRAM, S_TEXT_AS_CATEGORY],
    }

    watch: EpochWatch | None = None
    """Who hears of the epochs of a fit, while it goes on."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._inputs: Inputs | None = None
        self._line: LinearPath | None = None
        self._mean = 0.0
        self._std = 1.0

    def _set_default_params(self) -> None:
        for name, value in (BASIC | FEEDFORWARD.defaults() | FEEDFORWARD.sizes[0].settings).items():
            self._set_default_param_value(name, value)

    def _fit(
        self,
        X: pd.DataFrame,  # noqa: N803
        y: pd.Series,
        X_val: pd.DataFrame | None = None,  # noqa: N803
        y_val: pd.Series | None = None,
        num_cpus: int = 1,
        num_gpus: float = 0,
        **_: Any,
    ) -> None:
        values = self._values(len(X))
        seed = int(values.pop(self.seed_name) or 0)
        device = torch.device(self._resolve_fit_device(num_gpus=num_gpus))
        torch.set_num_threads(num_cpus)
        if X_val is None or y_val is None:
            X, X_val, y, y_val = generate_train_test_split(  # noqa: N806
                X=X, y=y, problem_type=self.problem_type, test_size=_OWN_VALIDATION, random_state=seed
            )
        train, validation = self._parts(
            self.preprocess(X), y, self.preprocess(X_val), y_val, device, straight=values.get("linear_path")
        )
        delta = values.get("huber_delta", self._std)
        loss = loss_of(values["loss"], target_std=self._std, huber_delta=delta, quantile=values["quantile"])
        watch = self.watch or EpochWatch()
        error_of = self._error_of(watch)
        lesson = Lesson(seed=seed, **{name: values[name] for name in _LESSON})
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            # What dropout leaves out is drawn from here.
            torch.manual_seed(seed)
            network = self._network(values, train, seed).to(device)
            best = teach(
                network,
                train,
                validation,
                loss,
                lesson,
                error_of=error_of,
                watch=watch,
            )
        self.model = network
        self.params_trained["epochs"] = max(1, best)

    def _values(self, rows: int) -> dict[str, Any]:
        """Return all settings of this training; what was chosen is checked, since nobody else may have done it."""
        usual = {"batch_size": FEEDFORWARD.batch_size(rows), "epochs": FEEDFORWARD.enough_epochs, self.seed_name: 0}
        values: dict[str, Any] = usual | self._get_model_params()
        known = FEEDFORWARD.defaults() | {self.seed_name: values[self.seed_name]}
        checked = {name: value for name, value in values.items() if name not in known or known[name] != value}
        return values | FEEDFORWARD.checked(checked)

    def _parts(
        self,
        rows: pd.DataFrame,
        target: pd.Series,
        val_rows: pd.DataFrame,
        val_target: pd.Series,
        device: torch.device,
        *,
        straight: bool | None,
    ) -> tuple[Part, Part]:
        values = target.to_numpy(dtype=np.float64)
        self._mean, self._std = float(values.mean()), float(values.std()) or 1.0
        self._inputs = Inputs.fitted(rows)
        train, held = self._inputs.encoded(rows), self._inputs.encoded(val_rows)
        scaled, held_scaled = (
            (numbers.to_numpy(dtype=np.float64) - self._mean) / self._std for numbers in (target, val_target)
        )
        self._line = None if straight is False else linear_path(train.straight, scaled, held.straight, held_scaled)
        if straight is None and self._line is not None:
            seen, unseen = (train.straight, train.codes, scaled), (held.straight, held.codes, held_scaled)
            self._line = None if bends(self._line, *seen, *unseen) else self._line
        return self._part(train, scaled, device), self._part(held, held_scaled, device)

    def _part(self, rows: Encoded, target: NDArray[np.float64], device: torch.device) -> Part:
        line = self._line.predicted(rows.straight) if self._line is not None else np.zeros(len(rows))
        return Part.of(rows, target.astype(np.float32), line.astype(np.float32), device)

    def _network(self, values: dict[str, Any], train: Part, seed: int) -> Network:
        if self._inputs is None:
            raise ValueError("the columns have not been looked at yet")
        shape = Shape(
            numbers=train.numbers.shape[1],
            flags=train.flags.shape[1],
            level_counts=self._inputs.level_counts,
            hidden=tuple(values["hidden"]),
            activation=values["activation"],
            dropout=values["dropout"],
            batch_norm=values["batch_norm"],
            embedding=values["embedding"],
            members=values["members"],
        )
        bins = max(2, min(most_bins(train.numbers.shape[1]), len(train) // _ROWS_OF_A_BIN))
        return Network(shape, quantile_edges(train.numbers.cpu(), bins), torch.Generator().manual_seed(seed))

    def _error_of(self, watch: EpochWatch) -> Callable[[torch.Tensor, torch.Tensor], float]:
        """Return what tells the RMSE of standardised predictions in target units; the least chooses the best epoch."""

        def error_of(predicted: torch.Tensor, target: torch.Tensor) -> float:
            own = watch.own_error(target, predicted, standardised=True)
            return float((predicted - target).square().mean().sqrt()) * self._std if own is None else own

        return error_of

    def _predict_proba(self, X: pd.DataFrame, **kwargs: Any) -> NDArray[np.float32]:  # noqa: N803
        if self._inputs is None:
            raise ValueError("the network has not been trained yet")
        rows = self._inputs.encoded(self.preprocess(X, **kwargs))
        part = self._part(rows, np.zeros(len(rows)), torch.device(self.get_device()))
        values = predicted(self.model, part).cpu().numpy()
        return np.asarray(values * self._std + self._mean, dtype=np.float32)

    def get_device(self) -> str:
        """Return what the network is computed on."""
        return str(next(self.model.parameters()).device.type)

    def _set_device(self, device: str) -> None:
        self.model = self.model.to(self.to_torch_device(device))

    @classmethod
    def _estimate_memory_usage_static(
        cls,
        *,
        X: pd.DataFrame,  # noqa: N803
        hyperparameters: dict[str, Any] | None = None,
        **_: Any,
    ) -> int:
        """Return the memory of the encoded rows, of what a chunk of them is spread out to, and of the networks."""
        values = BASIC | FEEDFORWARD.defaults() | FEEDFORWARD.sample_settings(len(X), 0) | (hyperparameters or {})
        numbers = X.select_dtypes("number").shape[1]
        levels = sum(X[name].nunique() for name in X.columns if not pd.api.types.is_numeric_dtype(X[name].dtype))
        bins = most_bins(numbers) if values["embedding"] == "piecewise_linear" else 4
        inputs = numbers * bins + levels
        sizes = (inputs, *values["hidden"], 1)
        weights = values["members"] * sum(a * b for a, b in pairwise(sizes))
        outputs = values["members"] * values["batch_size"] * (inputs + 4 * sum(values["hidden"]))
        encoded = len(X) * (4 * 3 * (numbers + levels) + 12 * values["members"])
        # Weights with their gradient, the optimizer's two averages and the copy of the best epoch.
        return int(encoded + kept_bytes(len(X) * inputs) + 4 * (6 * weights + 3 * outputs) + 8e7)

    @classmethod
    def _class_tags(cls) -> dict[str, bool]:
        return {"reset_torch_threads": True}

    def _more_tags(self) -> dict[str, bool]:
        return {"can_refit_full": False}


_LESSON = (
    "optimizer",
    "learning_rate",
    "weight_decay",
    "l1",
    "l2",
    "schedule",
    "warmup",
    "batch_size",
    "epochs",
    "early_stopping",
)


if not ag_model_registry.exists(FeedForwardModel):
    ag_model_registry.add(FeedForwardModel)
