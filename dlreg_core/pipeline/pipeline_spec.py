"""What a fitted pipeline is without its fitted models: it is read where no model is loaded, too."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from dlreg_core.cleaning import AS_IT_IS, Cleaner, TargetTransform
from dlreg_core.errors import NotFoundError
from dlreg_core.pipeline.horizon_interval import IntervalsAhead
from dlreg_core.pipeline.prediction_interval import PredictionInterval
from dlreg_core.specs import CONSTANTS, Role, Spec, VersionedSpec


class PipelineModel(Spec):
    """One model of a pipeline.

    ``internal`` is the network's folder, or the key of a baseline; ``members`` are the networks of an ensemble with
    their weights. ``half_width_90`` is what models of earlier versions have in place of ``interval_90``.
    """

    name: str
    family: str
    role: Role
    internal: str
    half_width_90: float | None = None
    interval_90: PredictionInterval | None = None
    ahead_90: IntervalsAhead | None = None
    """The same by how many steps ahead a row is, where earlier values of the target are used."""
    members: dict[str, float] = Field(default_factory=dict)

    @property
    def parts(self) -> dict[str, float]:
        """The networks that it takes, and the weight of each; none for a baseline."""
        return {} if self.role == "baseline" else self.members or {self.internal: 1.0}

    @property
    def interval(self) -> PredictionInterval | None:
        """Its 90 % prediction intervals; None before it was judged."""
        if self.interval_90 is None and self.half_width_90 is not None:
            return PredictionInterval(factor=self.half_width_90)
        return self.interval_90

    @property
    def learns_transformed(self) -> bool:
        """False for a model that has learned the target as it is, whatever the others learn: mean and median."""
        return self.family not in CONSTANTS


class PipelineSpec(VersionedSpec):
    """Everything of a pipeline that isn't a fitted model: the content of ``pipeline.json``."""

    target: str
    unit: str
    cleaner: Cleaner
    best_model: str
    models: tuple[PipelineModel, ...]
    transform: TargetTransform = AS_IT_IS
    """From the target to what the models have learned; what they predict is brought back by its inverse."""


def read_pipeline_spec(folder: Path) -> PipelineSpec:
    """Read what stands beside the models of a pipeline.

    Raises
    ------
    NotFoundError
        If it isn't there, is damaged, or was written in a format that this version doesn't know.
    """
    try:
        return PipelineSpec.model_validate_json((folder / "pipeline.json").read_bytes())
    except FileNotFoundError as exc:
        raise NotFoundError("There are no models to use.", "Train them first.") from exc
    except ValidationError as exc:
        raise NotFoundError(
            "The description of the models can't be read: it is damaged or was written by another version of dlreg.",
            "Train them again.",
        ) from exc
