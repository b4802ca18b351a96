"""What is kept of a finished run's models, read without loading them: their cleaning and their intervals."""

from __future__ import annotations

import json

from pydantic import ValidationError

from dlreg_core.cleaning import Cleaner
from dlreg_core.errors import NotFoundError
from dlreg_core.pipeline.prediction_interval import PredictionInterval
from dlreg_core.runs.run_folder import RunFolder


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


def load_cleaner(run: RunFolder) -> Cleaner:
    """Read the fitted cleaning of a finished run.

    Raises
    ------
    NotFoundError
        If the run has no models, or their description can't be read.
    """
    path = run.model_path() / "pipeline.json"
    try:
        return Cleaner.model_validate(json.loads(path.read_text(encoding="utf-8"))["cleaner"])
    except FileNotFoundError as exc:
        raise NotFoundError(f"Run {run.id} has no models to use.", "Train it first.") from exc
    except (ValidationError, ValueError, KeyError) as exc:
        raise NotFoundError(f"The models of run {run.id} can't be read: their description is damaged.") from exc
