"""What is kept of a finished run's models, read without loading them: their cleaning and their intervals."""

from __future__ import annotations

from dlreg_core.cleaning import Cleaner
from dlreg_core.errors import NotFoundError
from dlreg_core.pipeline import PredictionInterval, read_pipeline_spec
from dlreg_core.runs import RunFolder


def interval_of(run: RunFolder, model: str) -> PredictionInterval:
    """Return the 90 % prediction intervals of one of a run's models.

    Raises
    ------
    NotFoundError
        If the run has no such model, or its description can't be read.
    """
    for kept in read_pipeline_spec(run.model_path()).models:
        if kept.name == model and kept.interval is not None:
            return kept.interval
    raise NotFoundError(f"Run {run.id} has no intervals of {model}.", "Train it again.")


def load_cleaner(run: RunFolder) -> Cleaner:
    """Read the fitted cleaning of a finished run.

    Raises
    ------
    NotFoundError
        If the run has no models, or their description can't be read.
    """
    return read_pipeline_spec(run.model_path()).cleaner
