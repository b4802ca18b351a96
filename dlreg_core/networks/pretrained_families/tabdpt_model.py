"""TabDPT as AutoGluon trains it, and as this program keeps it."""

from __future__ import annotations

from autogluon.tabular.models.tabdpt.tabdpt_model import TabDPTModel

from dlreg_core.networks.pretrained_families.known_to_autogluon import used_by_autogluon


@used_by_autogluon
class KeptTabDPTModel(TabDPTModel):  # type: ignore[misc]
    """TabDPT; it holds its weights as it is."""

    minimum_num_gpus = 0
