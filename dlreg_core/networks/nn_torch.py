"""The NN Torch family, and where it starts.

It keeps its predictions within the range of the training target by a sigmoid, and starts in the middle of that range.
Where a few rows lie far above the others, all of its first steps lead down together, and further than to the others:
onto a part of the sigmoid that is flat to the last digit, where it can't learn any more and predicts the lower end of
the range for every row. A smaller learning rate puts that off, and doesn't prevent it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from dlreg_core.networks.network_family import Cost, Family, Loss, Patch, Size
from dlreg_core.networks.setting_spec import MOST_LAYERS, Setting
from dlreg_core.networks.shared_settings import (
    ACTIVATION_HELP,
    GOAL,
    LEARNING,
    LOSS_HELP,
    NEVER,
    WIDTHS_HELP,
    batch_size,
    choice,
    dropout,
    early_stopping,
    epochs,
    huber_delta,
    learning_rate,
    weight_decay,
)

if TYPE_CHECKING:
    from autogluon.core.models import AbstractModel

    from dlreg_core.networks.epoch_watch import EpochWatch

_AMIDST = 0.25
"""A target whose mean lies further than this share of its range from both ends needs no other start.

Trainings were lost up to 0.09 (log-normal targets) and 0.17 (most of them 0), and slow in coming up to about 0.25.
"""

MARGIN = 0.2
"""How far beyond the training target predictions can go, in its standard deviations.

AutoGluon's 0.05, and none beyond 0, leaves a target of which most values are the least one at the flat end. With 0.5
and more, small differences between many low values are learned worse.
"""

_SETTINGS: tuple[Setting, ...] = (
    Setting("layers", "Hidden layers", "How many there are.", "int", 4, 1, MOST_LAYERS, target="num_layers"),
    Setting("width", "Units in each layer", WIDTHS_HELP, "int", 256, 1, 4096, target="hidden_size"),
    choice("activation", "Activation", ACTIVATION_HELP, "relu", ("relu", "elu", "tanh")),
    Setting(
        "batch_norm",
        "Batch normalisation",
        "Scale what enters each layer by its mean and spread over the rows of a step.",
        "bool",
        False,
        target="use_batchnorm",
    ),
    dropout("dropout_prob", 0.1),
    weight_decay("weight_decay", 1e-6),
    early_stopping(None, "longer and longer", translate=lambda n: {"epochs_wo_improve": n or NEVER}),
    choice("loss", "Loss", f"{LOSS_HELP}.", "mae", ("mse", "mae", "huber"), group=GOAL, target="loss_function"),
    huber_delta(),
    choice(
        "optimizer",
        "Optimizer",
        "The rule by which a step follows the gradient; sgd wants a larger learning rate.",
        "adam",
        ("adam", "adamw", "sgd"),
        group=LEARNING,
    ),
    learning_rate("learning_rate", 1e-3),
    batch_size("batch_size"),
    epochs("num_epochs"),
)


class _NNTorch(Family):
    """AutoGluon's own network."""

    def places(self, watch: EpochWatch) -> list[Patch]:

        from autogluon.core.models.abstract import abstract_model
        from autogluon.core.utils.early_stopping import AdaptiveES, NoES, SimpleES
        from autogluon.tabular.models.tabular_nn.torch.tabular_nn_torch import TabularNeuralNetTorchModel
        from autogluon.tabular.models.tabular_nn.torch.torch_network_modules import EmbedNet

        from dlreg_core.networks.epoch_watch import own_metric

        original_loss, original_score = EmbedNet.compute_loss, TabularNeuralNetTorchModel.score
        validation, planned = math.nan, None

        @functools.wraps(original_loss)
        def compute_loss(self: Any, *args: Any, **kwargs: Any) -> Any:
            loss = original_loss(self, *args, **kwargs)
            watch.stepped(loss)
            return loss

        @functools.wraps(original_score)
        def score(self: Any, *args: Any, **kwargs: Any) -> Any:
            nonlocal validation, planned
            value = original_score(self, *args, **kwargs)
            # Only the training loop asks for a score without resetting the threads.
            if kwargs.get("_reset_threads") is False:
                validation, planned = -float(value), self.params.get("num_epochs")
            return value

        def updating(original: Callable[..., bool]) -> Callable[..., bool]:
            @functools.wraps(original)
            def update(self: Any, *args: Any, **kwargs: Any) -> bool:
                # Asked once an epoch, when the best network has been put by; True leaves the loop.
                own = original(self, *args, **kwargs)
                return watch.passed(validation, planned) or own

            return update

        return [
            (abstract_model, "compute_metric", own_metric(abstract_model.compute_metric, watch)),
            (EmbedNet, "compute_loss", compute_loss),
            (TabularNeuralNetTorchModel, "score", score),
            *((strategy, "update", updating(strategy.update)) for strategy in (AdaptiveES, NoES, SimpleES)),
        ]

    def model_settings(self, settings: Mapping[str, Any], target_std: float) -> dict[str, Any]:
        """Return the settings with a loss of torch; Huber's delta is the spread of the target where none was chosen."""
        from torch import nn

        found = dict(settings)
        delta = found.pop("huber_delta", None)
        loss = found.get("loss_function")
        if isinstance(loss, str):
            # The target of this family isn't standardised: a delta in its unit is one as it stands.
            losses = {"mse": nn.MSELoss, "mae": nn.L1Loss}
            found["loss_function"] = losses[loss]() if loss in losses else nn.HuberLoss(delta=delta or target_std)
        return found

    @contextmanager
    def training(self, model: AbstractModel, watch: EpochWatch | None) -> Iterator[None]:
        """Let `watch` hear of a fit, which starts well where the target's mean lies near an end of its range."""
        with well_started(), super().training(model, watch):
            yield


@contextmanager
def well_started() -> Iterator[None]:
    """Start fits inside the block well where the target's mean lies near an end of its range.

    They then predict about the mean at first, and have more room at both ends. Other targets are left as they are.
    Nothing of it stays in a saved model but its range and what was learned.
    """
    import torch
    from autogluon.tabular.models.tabular_nn.torch.tabular_nn_torch import TabularNeuralNetTorchModel

    original = TabularNeuralNetTorchModel._get_net

    @functools.wraps(original)
    def get_net(self: Any, train_dataset: Any, params: Mapping[str, Any]) -> None:
        target = np.asarray(train_dataset.data_list[train_dataset.label_index], dtype=np.float64)
        if params.get("y_range") is not None or not lies_aside(target):
            original(self, train_dataset, params)
            return
        low, high = answered_range(target)
        original(self, train_dataset, {**params, "y_range": (low, high)})
        share = (float(target.mean()) - low) / (high - low)
        with torch.no_grad():
            self.model.main_block[-1].bias.fill_(math.log(share / (1 - share)))

    with patch.object(TabularNeuralNetTorchModel, "_get_net", get_net):
        yield


def lies_aside(target: NDArray[np.float64]) -> bool:
    """Tell whether the mean of some targets lies near an end of their range."""
    span = float(np.ptp(target))
    return span > 0 and not _AMIDST <= (float(target.mean()) - float(target.min())) / span <= 1 - _AMIDST


def answered_range(target: NDArray[np.float64]) -> tuple[float, float]:
    """Return the least and the largest prediction that a network can make which learns from these targets."""
    room = MARGIN * float(target.std())
    return float(target.min()) - room, float(target.max()) + room


NN_TORCH = _NNTorch(
    key="NN_TORCH",
    title="NN Torch",
    summary=(
        "AutoGluon's own feed-forward network, trained on the absolute error. "
        "Less moved by a few extreme values than the others."
    ),
    paper="Erickson et al. 2020, AutoGluon-Tabular",
    licence="Apache-2.0",
    epochs_setting="num_epochs",
    batch_setting="batch_size",
    seed_setting="seed_value",
    fewest_epochs=8,
    enough_epochs=500,
    most_epochs=500,
    has_schedule=False,
    weight=1.0,
    # The library's rate of 3e-4 needs more epochs than most budgets hold.
    sizes=(Size({"learning_rate": 1e-3, "hidden_size": 256}),),
    variants=({}, {"loss": "mse"}, {"loss": "huber"}),
    quantiles=True,
    batches=((0, 32), (1_000, 64), (5_000, 128), (20_000, 256), (100_000, 512)),
    cost=Cost(
        fixed=0.5,
        fixed_row=1.2e-5,
        fixed_cell=0.0,
        step=3.4e-3,
        row=3.4e-5,
        cell=0.0,
        libraries_mb=180.0,
        row_kb=0.1,
        process_mb=0.0,
        table_share=1.0,
        disk_mb=0.9,
        feature_disk_mb=0.002,
    ),
    loss=Loss(setting="loss_function", usual="mae", standardised=False),
    offered=_SETTINGS,
)
