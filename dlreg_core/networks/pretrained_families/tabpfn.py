"""The versions of TabPFN, pre-trained; newer ones may not be used commercially."""

from __future__ import annotations

from typing import Any

from dlreg_core.networks.pretrained_families.pretrained_family import Pretrained

_TABPFN = 'uv pip install "tabpfn>=8,<8.3" "huggingface-hub<2"'
_PRIOR_LABS = "Built with PriorLabs-TabPFN"
_PRIOR_LABS_LICENCE = "Prior Labs License (Apache-2.0 with attribution)"


def _tabpfn(key: str, title: str, summary: str, licence: str, file: str, **facts: Any) -> Pretrained:
    """Return one of the versions of TabPFN; newer ones may not be used commercially."""
    return Pretrained(
        key=key,
        title=title,
        summary=summary,
        code_licence=_PRIOR_LABS_LICENCE,
        weights_licence=licence,
        files=(file,),
        packages=("tabpfn",),
        requirements=("autogluon.tabular[tabpfn]", "torch"),
        install=_TABPFN,
        path_setting="custom_model_dir",
        path_is="folder",
        settings={"zip_model_path": [None, file]},
        seed_setting="random_state",
        **{
            "paper": "Hollmann et al. 2025, Accurate predictions on small data with a tabular foundation model",
            "commercial": False,
            "most_rows_cpu": 1_000,
            **facts,
        },
    )


TABPFN: tuple[Pretrained, ...] = (
    _tabpfn(
        "REALTABPFN-V2",
        "TabPFN v2",
        "Attends to rows and columns in turn; trained on invented tables. Strong on up to some thousand rows.",
        _PRIOR_LABS_LICENCE,
        "tabpfn-v2-regressor-v2_default.ckpt",
        commercial=True,
        condition=f"Whoever passes on the model, or offers a service with it, must show “{_PRIOR_LABS}” prominently.",
        repository="Prior-Labs/TabPFN-v2-reg",
        megabytes=44.0,
        most_rows=10_000,
        most_columns=500,
    ),
    _tabpfn(
        "REALTABPFN-V2.5",
        "TabPFN 2.5",
        "The successor of TabPFN v2, for more rows and columns. For research and evaluation: no commercial use.",
        "tabpfn-2.5-license-v1.1",
        "tabpfn-v2.5-regressor-v2.5_default.ckpt",
        repository="Prior-Labs/tabpfn_2_5",
        megabytes=42.0,
        most_rows=100_000,
        most_columns=2_000,
    ),
    _tabpfn(
        "TABPFN-2.6",
        "TabPFN 2.6",
        "A refinement of TabPFN 2.5 for any number of columns. For research and evaluation: no commercial use.",
        "tabpfn-2.6-license-v1.0",
        "tabpfn-v2.6-regressor-v2.6_default.ckpt",
        repository="Prior-Labs/tabpfn_2_6",
        megabytes=47.0,
        most_rows=100_000,
        most_columns=None,
    ),
    _tabpfn(
        "TABPFN-3",
        "TabPFN 3",
        "Keeps what it read, and so takes many more rows. For research and evaluation: no commercial use.",
        "tabpfn-3-license-v1.0",
        "tabpfn-v3-regressor-v3_default.ckpt",
        paper="Prior Labs 2026, TabPFN-3 (technical report)",
        repository="Prior-Labs/tabpfn_3",
        megabytes=223.0,
        most_rows=500_000,
        most_columns=None,
    ),
)
