"""The prediction intervals of a finished run, read without loading its models."""

from __future__ import annotations

import json

from pydantic import ValidationError

from dlreg_core.errors import NotFoundError
from dlreg_core.evaluation.intervals import PredictionInterval
from dlreg_core.runs.folder import RunFolder


def interval_of(run: RunFolder, model: str) -> PredictionInterval:
    """Return the 90 % prediction intervals of one of a run's models.

    Raises
    ------
    NotFoundError
        If the run has no such model, or its description can't be read.
    """
    try:
        models = json.loads((run.model_path() / "pipeline.json").read_text(encoding="utf-8"))["models"]
        kept = next(one["interval_90"] for one in models if one["name"] == model)
        return PredictionInterval.model_validate(kept)
    except (OSError, StopIteration, KeyError, ValueError, ValidationError) as exc:
        raise NotFoundError(f"Run {run.id} has no intervals of {model}.", "Train it again.") from exc
