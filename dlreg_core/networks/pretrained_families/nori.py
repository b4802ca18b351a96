"""Nori, pre-trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlreg_core.networks.pretrained_families.pretrained_family import Pretrained

if TYPE_CHECKING:
    from autogluon.core.models import AbstractModel


class _Nori(Pretrained):
    """Nori with the model class of this program."""

    def model_class(self) -> type[AbstractModel]:
        """Return the class of its networks."""
        from dlreg_core.networks.pretrained_families.nori_model import KeptNoriModel

        return KeptNoriModel


NORI = _Nori(
    key="NORI",
    title="Nori",
    summary="A small network for regression alone, trained on invented tables. The smallest download.",
    paper="Synthefy 2026, Nori (model card)",
    code_licence="Apache-2.0",
    weights_licence="Apache-2.0",
    commercial=True,
    repository="Synthefy/Nori",
    files=("nori.pt",),
    megabytes=24.0,
    packages=("synthefy_nori",),
    path_setting="model_path",
    most_rows=50_000,
    most_columns=None,
    most_rows_cpu=500,
    requirements=("autogluon.tabular[nori]", "torch"),
)
