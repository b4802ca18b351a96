"""The pre-trained families as this program trains and keeps them: what AutoGluon has, with three differences.

- A model that was saved holds its weights. AutoGluon keeps a path for some of them, so that a model file would not work
  on another machine, or once the weights were moved.
- The same row is predicted the same, alone and among others, today and tomorrow.
- They run on a processor beside a GPU where that was chosen.

Importing this module makes AutoGluon use these classes. The packages of the families are imported only by a fit.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from autogluon.tabular.models.mitra.mitra_model import MitraModel
from autogluon.tabular.models.nori.nori_model import NoriModel
from autogluon.tabular.models.tabdpt.tabdpt_model import TabDPTModel
from autogluon.tabular.models.tabicl.tabicl_model import TabICLModel
from autogluon.tabular.registry import ag_model_registry
from numpy.typing import NDArray


class KeptTabICLModel(TabICLModel):  # type: ignore[misc]
    """TabICL, whose weights are saved with it."""

    def _fit(self, *args: Any, **kwargs: Any) -> None:
        super()._fit(*args, **kwargs)
        self._carry()

    @classmethod
    def load(cls, *args: Any, **kwargs: Any) -> KeptTabICLModel:
        """Load a model that was saved, wherever it is now."""
        found: KeptTabICLModel = super().load(*args, **kwargs)
        found._carry()
        return found

    def _carry(self) -> None:
        # The estimator looks for this when it is pickled, and takes its weights along.
        if self.model is not None:
            self.model._save_model_weights = True


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


class KeptTabDPTModel(TabDPTModel):  # type: ignore[misc]
    """TabDPT; it holds its weights as it is."""

    minimum_num_gpus = 0


class KeptMitraModel(MitraModel):  # type: ignore[misc]
    """Mitra, which reads its context in the same order every time and computes in full precision."""

    def _fit(
        self,
        X: pd.DataFrame,  # noqa: N803
        y: pd.Series,
        X_val: pd.DataFrame | None = None,  # noqa: N803
        y_val: pd.Series | None = None,
        **kwargs: Any,
    ) -> None:
        if not self._get_model_params().get("fine_tune", True) and X_val is not None and y_val is not None:
            # Without fine-tuning nothing depends on them, and on a processor predicting them takes minutes.
            X_val, y_val = X_val.iloc[:2], y_val.iloc[:2]  # noqa: N806
        seed = int(self._get_model_params().get(self.seed_name) or 0)
        # It mirrors columns at random, and takes the process's own source of randomness for it.
        with _seeded(seed):
            super()._fit(X=X, y=y, X_val=X_val, y_val=y_val, **kwargs)
        for trainer in self.model.trainers:
            trainer.rng = _SameDraw(seed)
            trainer.cfg.hyperparams["precision"] = "float32"


class _SameDraw:
    """Stands for a source of randomness, and draws the same whenever it is asked the same."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def choice(self, count: int, size: int, *, replace: bool = False) -> NDArray[np.int64]:
        """Return `size` of the first `count` numbers, in rising order."""
        drawn = np.random.RandomState(self._seed).choice(count, size=size, replace=replace)
        return np.sort(drawn).astype(np.int64)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed NumPy's shared source of randomness, and leave it afterwards as it was."""
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)


KEPT: tuple[type[Any], ...] = (KeptTabICLModel, KeptNoriModel, KeptTabDPTModel, KeptMitraModel)


def register() -> None:
    """Make AutoGluon use these classes for their keys; a second call changes nothing."""
    for kept in KEPT:
        present = ag_model_registry.key_to_cls(kept.ag_key)
        if present is not kept:
            ag_model_registry.remove(present)
            ag_model_registry.add(kept)


register()
