"""The pre-trained networks: trained once on many tables by their authors, they read the rows of this one as context.

Nothing of theirs is trained here: one fit loads the weights and keeps the training rows, and every prediction reads
those again. So there are no epochs and no schedule, and a prediction takes longer the more rows there are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dlreg_core.errors import PlanError
from dlreg_core.networks.families import family

_EXTRA = "install dlreg with its extra: uv sync --extra pretrained"
_TABPFN = 'uv pip install "tabpfn>=8,<8.3" "huggingface-hub<2"'
_PRIOR_LABS = "Built with PriorLabs-TabPFN"
_PRIOR_LABS_LICENCE = "Prior Labs License (Apache-2.0 with attribution)"


@dataclass(frozen=True)
class Pretrained:
    """One pre-trained family.

    Attributes
    ----------
    key : str
        AutoGluon's key.
    title, summary, paper : str
        Its name, what it is in two sentences, and where it was described.
    code_licence, weights_licence : str
        The licences of the package and of the weights.
    commercial : bool
        True where the weights' licence allows commercial use.
    condition : str
        What their licence demands of somebody who passes them on; empty where it is no more than a notice.
    repository : str
        Where the weights are fetched from: a repository of the hub huggingface.co.
    files : tuple of str
        Their files in that repository; on the disk they have the same names.
    megabytes : float or None
        Size of the download; None where its authors don't state it.
    packages : tuple of str
        The modules that must be there.
    install : str
        How they are installed.
    path_setting : str
        AutoGluon's setting for where the weights are.
    path_is : {"file", "folder"}
        What that setting takes.
    settings : mapping
        AutoGluon's other settings.
    seed_setting : str
        AutoGluon's name of the seed; empty where nothing in it is random.
    most_rows, most_columns : int or None
        The largest table that AutoGluon gives it; None where there is no limit but time and memory.
    most_rows_cpu : int
        The same without a GPU, where reading the context takes so long that more rows aren't worth it.
    """

    key: str
    title: str
    summary: str
    paper: str
    code_licence: str
    weights_licence: str
    commercial: bool
    repository: str
    files: tuple[str, ...]
    megabytes: float | None
    packages: tuple[str, ...]
    path_setting: str
    most_rows: int | None
    most_columns: int | None
    most_rows_cpu: int
    install: str = _EXTRA
    condition: str = ""
    path_is: Literal["file", "folder"] = "file"
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed_setting: str = ""

    @property
    def asks_consent(self) -> bool:
        """True where somebody has to accept the licence of the weights before they are used."""
        return not self.commercial or bool(self.condition)

    @property
    def source(self) -> str:
        """Where the weights come from."""
        return f"huggingface.co/{self.repository}"

    @property
    def licence_place(self) -> str:
        """Where the licence of the weights can be read, for people."""
        return f"{self.source}/blob/main/{'LICENSE' if self.asks_consent else 'README.md'}"


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


PRETRAINED: tuple[Pretrained, ...] = (
    Pretrained(
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
    ),
    Pretrained(
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
    ),
    Pretrained(
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
    ),
    Pretrained(
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
    ),
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

_BY_KEY = {known.key: known for known in PRETRAINED}


def is_pretrained(key: str) -> bool:
    """Tell whether a family is a pre-trained one."""
    return key.strip().upper() in _BY_KEY


def pretrained(key: str) -> Pretrained:
    """Return the pre-trained family with that key, in any case.

    Raises
    ------
    PlanError
        If there is none; the message names those that exist.
    """
    found = _BY_KEY.get(key.strip().upper())
    if found is None:
        raise PlanError(f"There is no pre-trained network called {key}.", f"Choose from {', '.join(_BY_KEY)}.")
    return found


def title_of(key: str) -> str:
    """Return the name of a family on the leaderboard, whether it is trained here or was before."""
    return pretrained(key).title if is_pretrained(key) else family(key).title


def hyperparameters_for(key: str, folder: Path, seed: int) -> dict[str, Any]:
    """Return AutoGluon's settings for a pre-trained family whose weights are on the disk.

    Parameters
    ----------
    key : str
        The family.
    folder : Path
        Where its files are: `dlreg_core.weights.weight_store.Weights.folder_of`.
    seed : int
        Seed of what is random in it.

    Returns
    -------
    dict
        Plain values. With them nothing is fetched: a file that isn't there is an error.
    """
    chosen = pretrained(key)
    path = folder if chosen.path_is == "folder" else folder / chosen.files[0]
    seeds = {chosen.seed_setting: seed} if chosen.seed_setting else {}
    return {**chosen.settings, chosen.path_setting: str(path), **seeds}
