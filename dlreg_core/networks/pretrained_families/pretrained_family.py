"""What a pre-trained family is: trained once on many tables by its authors, it reads the rows of this one as context.

Nothing of it is trained here: one fit loads the weights and keeps the training rows, and every prediction reads those
again. So there are no epochs and no schedule, and a prediction takes longer the more rows there are.

As this program trains and keeps them, three things differ from AutoGluon's own way:

- A model that was saved holds its weights. AutoGluon keeps a path for some of them, so that a model file would not work
  on another machine, or once the weights were moved.
- The same row is predicted the same, alone and among others, today and tomorrow.
- They run on a processor beside a GPU where that was chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from dlreg_core.networks.network_family import BaseFamily

EXTRA = "install dlreg with its extra: uv sync --extra pretrained"
"""How the packages of most of them are installed."""


@dataclass(frozen=True, kw_only=True)
class Pretrained(BaseFamily):
    """One pre-trained family, with what every `BaseFamily` has.

    Attributes
    ----------
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
    install: str = EXTRA
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

    def hyperparameters(self, folder: Path, seed: int) -> dict[str, Any]:
        """Return AutoGluon's settings for weights that are on the disk.

        Parameters
        ----------
        folder : Path
            Where its files are: `dlreg_core.pretrained_weights.weight_store.Weights.folder_of`.
        seed : int
            Seed of what is random in it.

        Returns
        -------
        dict
            Plain values. With them nothing is fetched: a file that isn't there is an error.
        """
        path = folder if self.path_is == "folder" else folder / self.files[0]
        seeds = {self.seed_setting: seed} if self.seed_setting else {}
        return {**self.settings, self.path_setting: str(path), **seeds}
