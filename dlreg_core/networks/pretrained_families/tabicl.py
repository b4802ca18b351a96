"""TabICL, pre-trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlreg_core.networks.pretrained_families.pretrained_family import Pretrained

if TYPE_CHECKING:
    from autogluon.core.models import AbstractModel


class _TabICL(Pretrained):
    """TabICL with the model class of this program."""

    def model_class(self) -> type[AbstractModel]:
        """Return the class of its networks."""
        from dlreg_core.networks.pretrained_families.tabicl_model import KeptTabICLModel

        return KeptTabICLModel


TABICL = _TabICL(
    key="TABICL",
    title="TabICL",
    summary=(
        "Summarises columns, then rows, then reads the training rows as context; trained on invented tables. "
        "Among the best on small and middling tables, and the quickest of its kind."
    ),
    paper="Qu et al. 2026, TabICLv2: A better, faster, scalable, and open tabular foundation model",
    code_licence="BSD-3-Clause",
    weights_licence="BSD-3-Clause",
    commercial=True,
    repository="jingang/TabICL",
    files=("tabicl-regressor-v2-20260212.ckpt",),
    megabytes=114.0,
    packages=("tabicl",),
    path_setting="model_path",
    # Half precision is chosen by the size of a batch: a row alone would be predicted differently than among others.
    settings={"allow_auto_download": False, "use_amp": False},
    seed_setting="random_state",
    most_rows=500_000,
    most_columns=2_000,
    most_rows_cpu=2_000,
    requirements=("autogluon.tabular[tabicl]", "torch"),
)
