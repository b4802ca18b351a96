"""TabDPT as AutoGluon trains it, and as this program keeps it."""

from __future__ import annotations

from autogluon.tabular.models.tabdpt.tabdpt_model import TabDPTModel


class KeptTabDPTModel(TabDPTModel):  # type: ignore[misc]
    """TabDPT; it holds its weights as it is."""

    minimum_num_gpus = 0
