"""TabICL as AutoGluon trains it, and as this program keeps it."""

from __future__ import annotations

from typing import Any

from autogluon.tabular.models.tabicl.tabicl_model import TabICLModel

from dlreg_core.networks.pretrained_families.known_to_autogluon import used_by_autogluon


@used_by_autogluon
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
