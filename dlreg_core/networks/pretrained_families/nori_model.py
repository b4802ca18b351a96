"""Nori as AutoGluon trains it, and as this program keeps it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from autogluon.tabular.models.nori.nori_model import NoriModel

from dlreg_core.networks.pretrained_families.known_to_autogluon import used_by_autogluon


@used_by_autogluon
class KeptNoriModel(NoriModel):  # type: ignore[misc]
    """Nori, whose weights are saved beside it."""

    minimum_num_gpus = 0
    _WEIGHTS = "nori.pt"

    def save(self, path: str | None = None, verbose: bool = True) -> str:
        """Save the model and its weights into one folder."""
        if self.model is not None:
            target = Path(path or self.path) / self._WEIGHTS
            source = Path(self.model.model_path)
            if not (target.exists() and target.samefile(source)):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
            # Made anew from the weights by the next prediction; it would be saved a second time.
            self.model._predictor = None
        saved: str = super().save(path=path, verbose=verbose)
        return saved

    @classmethod
    def load(cls, path: str, *args: Any, **kwargs: Any) -> KeptNoriModel:
        """Load a model that was saved, wherever it is now."""
        found: KeptNoriModel = super().load(path, *args, **kwargs)
        if found.model is not None:
            found.model.model_path = str(Path(path) / cls._WEIGHTS)
        return found
