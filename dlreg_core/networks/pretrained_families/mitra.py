"""Mitra, pre-trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlreg_core.networks.pretrained_families.pretrained_family import Pretrained

if TYPE_CHECKING:
    from autogluon.core.models import AbstractModel


class _Mitra(Pretrained):
    """Mitra with the model class of this program."""

    def model_class(self) -> type[AbstractModel]:
        """Return the class of its networks."""
        from dlreg_core.networks.pretrained_families.mitra_model import KeptMitraModel

        return KeptMitraModel


MITRA = _Mitra(
    key="MITRA",
    title="Mitra",
    summary=(
        "Attends to rows and columns in turn; trained on invented tables of mixed kinds. "
        "For small tables: it is slow, and slower the more columns there are."
    ),
    paper="Zhang et al. 2025, Mitra: Mixed Synthetic Priors for Enhancing Tabular Foundation Models",
    code_licence="Apache-2.0",
    weights_licence="Apache-2.0",
    commercial=True,
    repository="autogluon/mitra-regressor",
    files=("config.json", "model.safetensors"),
    megabytes=303.0,
    packages=("einx", "loguru", "omegaconf", "transformers", "huggingface_hub"),
    path_setting="hf_reg_model",
    path_is="folder",
    # Its fine-tuning would be a training with epochs, for minutes on a GPU.
    settings={"fine_tune": False},
    seed_setting="seed",
    most_rows=10_000,
    most_columns=500,
    most_rows_cpu=300,
    requirements=("autogluon.tabular[mitra]", "torch"),
)
