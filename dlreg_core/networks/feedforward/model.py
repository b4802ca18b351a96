"""The feed-forward family as a model that AutoGluon can train, keep and load."""

from __future__ import annotations

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

from dlreg_core.networks.feedforward.inputs import Encoded, Inputs
from dlreg_core.networks.feedforward.linear import LinearPath, bends, linear_path
from dlreg_core.networks.feedforward.loop import Lesson, Listener, Part, kept_bytes, predicted, teach
from dlreg_core.networks.feedforward.losses import loss_of
from dlreg_core.networks.feedforward.network import Network, Shape, quantile_edges

KEY = "FEEDFORWARD"

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

    ag_key = KEY
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

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._inputs: Inputs | None = None
        self._line: LinearPath | None = None
        self._mean = 0.0
        self._std = 1.0

    def _set_default_params(self) -> None:
        # Imported here: a model file carries this package along, and only predicts with it.
        from dlreg_core.networks.families import BASIC, family
        from dlreg_core.networks.setting_values import defaults

        for name, value in (BASIC | defaults(KEY) | family(KEY).sizes[0].settings).items():
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
                error_of=self._error,
                listener=Listener(self._begun, self._stepped, self._epoch_ended),
            )
        self.model = network
        self.params_trained["epochs"] = max(1, best)

    def _values(self, rows: int) -> dict[str, Any]:
        """Return all settings of this training; what was chosen is checked, since nobody else may have done it."""
        from dlreg_core.networks.families import family
        from dlreg_core.networks.setting_values import checked_settings, defaults

        usual = {"batch_size": family(KEY).batch_size(rows), "epochs": family(KEY).enough_epochs, self.seed_name: 0}
        values: dict[str, Any] = usual | self._get_model_params()
        known = defaults(KEY) | {self.seed_name: values[self.seed_name]}
        checked = {name: value for name, value in values.items() if name not in known or known[name] != value}
        return values | checked_settings(KEY, checked)

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

    def _error(self, predicted: torch.Tensor, target: torch.Tensor) -> float:
        """Return the RMSE of standardised predictions in target units; the best epoch is the one with the least."""
        return float((predicted - target).square().mean().sqrt()) * self._std

    def _begun(self, validation: float) -> None:
        """Hear of the validation RMSE that the linear path has alone, in target units."""

    def _stepped(self, loss: torch.Tensor, rows: int) -> None:
        """Hear of a training step; nothing is done with it unless somebody watches."""

    def _epoch_ended(self, validation: float, planned: int) -> bool:  # noqa: ARG002
        """Hear of an epoch and its validation RMSE in target units; True ends the training."""
        return False

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
        from dlreg_core.networks.families import BASIC, sample_settings
        from dlreg_core.networks.setting_values import defaults

        values = BASIC | defaults(KEY) | sample_settings(KEY, len(X), 0) | (hyperparameters or {})
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


def register() -> None:
    """Make the family known to AutoGluon; once is enough, and more often does no harm."""
    if not ag_model_registry.exists(FeedForwardModel):
        ag_model_registry.add(FeedForwardModel)
