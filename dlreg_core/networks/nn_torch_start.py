"""Where NN Torch starts, and within which range it answers.

It keeps its predictions within the range of the training target by a sigmoid, and starts in the middle of that range.
Where a few rows lie far above the others, all of its first steps lead down together, and further than to the others:
onto a part of the sigmoid that is flat to the last digit, where it can't learn any more and predicts the lower end of
the range for every row. A smaller learning rate puts that off, and doesn't prevent it.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import torch
from numpy.typing import NDArray

_AMIDST = 0.25
"""A target whose mean lies further than this share of its range from both ends needs no other start.

Trainings were lost up to 0.09 (log-normal targets) and 0.17 (most of them 0), and slow in coming up to about 0.25.
"""

MARGIN = 0.2
"""How far beyond the training target predictions can go, in its standard deviations.

AutoGluon's 0.05, and none beyond 0, leaves a target of which most values are the least one at the flat end. With 0.5
and more, small differences between many low values are learned worse.
"""


@contextmanager
def well_started(family: str) -> Iterator[None]:
    """Start fits of NN Torch inside the block well where the target's mean lies near an end of its range.

    They then predict about the mean at first, and have more room at both ends. Other families, and other targets, are
    left as they are. Nothing of it stays in a saved model but its range and what was learned.
    """
    if family != "NN_TORCH":
        yield
        return
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
