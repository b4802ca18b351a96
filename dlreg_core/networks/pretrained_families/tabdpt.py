"""TabDPT, pre-trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlreg_core.networks.pretrained_families.pretrained_family import Pretrained

if TYPE_CHECKING:
    from autogluon.core.models import AbstractModel


class _TabDPT(Pretrained):
    """TabDPT with the model class of this program."""

    def model_class(self) -> type[AbstractModel]:
        """Return the class of its networks."""
        from dlreg_core.networks.pretrained_families.tabdpt_model import KeptTabDPTModel

        return KeptTabDPTModel


TABDPT = _TabDPT(
    key="TABDPT",
    title="TabDPT",
    summary=(
        "Reads the training rows as context; trained on real tables with parts of them hidden. "
        "Takes many columns by looking at their main components."
    ),
    paper="Ma et al. 2025, TabDPT: Scaling Tabular Foundation Models on Real Data",
    code_licence="Apache-2.0",
    weights_licence="Apache-2.0",
    commercial=True,
    repository="Layer6/TabDPT",
    files=("tabdpt1_2.safetensors",),
    megabytes=None,
    packages=("tabdpt",),
    path_setting="model_weight_path",
    seed_setting="seed",
    most_rows=100_000,
    most_columns=2_500,
    most_rows_cpu=2_000,
    requirements=("autogluon.tabular[tabdpt]", "torch"),
)
