"""Prediction intervals that are the wider the further ahead a row is; kept with a model."""

from __future__ import annotations

import numpy as np

from dlreg_core.array_types import Floats
from dlreg_core.pipeline.prediction_interval import PredictionInterval
from dlreg_core.specs import Spec


class IntervalsAhead(Spec):
    """Prediction intervals of one model by how many steps ahead a row is.

    Attributes
    ----------
    steps : tuple of int
        The steps that they were calibrated at, ascending; those of another step are those of the next one.
    intervals : tuple of PredictionInterval
        One for each.
    """

    steps: tuple[int, ...]
    intervals: tuple[PredictionInterval, ...]

    def bounds(self, predicted: Floats, steps: Floats, times: Floats | None = None) -> tuple[Floats, Floats]:
        """Return the lower and the upper ends, in the target's unit.

        Parameters
        ----------
        predicted : ndarray of float64, shape (rows,)
            Predictions in the target's unit.
        steps : ndarray of float64, shape (rows,)
            How many steps ahead each row is.
        times : ndarray of float64, shape (rows,), optional
            How many times as wide each row's is to be, for what the row lacks.
        """
        chosen = np.minimum(np.searchsorted(self.steps, steps, side="left"), len(self.steps) - 1)
        low, high = np.empty(len(predicted)), np.empty(len(predicted))
        for place in np.unique(chosen):
            rows = chosen == place
            interval = self.intervals[place]
            factors = None if times is None else interval.factor * times[rows]
            low[rows], high[rows] = interval.bounds(predicted[rows], factors)
        return low, high
