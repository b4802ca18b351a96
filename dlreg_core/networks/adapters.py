"""From settings that can be kept as JSON to what a model of AutoGluon is made with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autogluon.core.models import AbstractModel
from autogluon.tabular.registry import ag_model_registry
from torch import nn

# Importing it makes AutoGluon use this program's classes of the pre-trained families.
from dlreg_core.networks import pretrained_adapters  # noqa: F401
from dlreg_core.networks.feedforward import KEY, FeedForwardModel


def network_class(key: str) -> type[AbstractModel]:
    """Return AutoGluon's class for a family, the family of this program among them."""
    found: type[AbstractModel] = FeedForwardModel if key == KEY else ag_model_registry.key_to_cls(key)
    return found


def for_fit(key: str, settings: Mapping[str, Any], target_std: float) -> dict[str, Any]:
    """Return settings as a model takes them: what only torch can express becomes one of its modules.

    Parameters
    ----------
    key : str
        The family.
    settings : mapping
        Settings from `sample_settings` and `to_autogluon`, plain values all of them.
    target_std : float
        Standard deviation of the training target, which Huber's delta is where none was chosen.
    """
    found = dict(settings)
    if key == "NN_TORCH":
        delta = found.pop("huber_delta", None)
        loss = found.get("loss_function")
        if isinstance(loss, str):
            # The target of this family isn't standardised: a delta in its unit is one as it stands.
            losses = {"mse": nn.MSELoss, "mae": nn.L1Loss}
            found["loss_function"] = losses[loss]() if loss in losses else nn.HuberLoss(delta=delta or target_std)
    return found
