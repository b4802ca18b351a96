"""Prediction intervals as they are kept with a model: from a prediction to the two ends.

`dlreg_core.evaluation.conformal` fits them. This module alone turns a prediction into its interval, for the
leaderboard, the pages, the command line and the model file, which carries it along.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from dlreg_core.array_types import Floats
from dlreg_core.cleaning import AS_IT_IS, TargetTransform
from dlreg_core.specs import Spec


class PredictionInterval(Spec):
    """Prediction intervals of one model; kept and loaded as JSON.

    With ``g`` the scale and ``s`` the spread, the interval of a prediction ``f`` holds every value ``y`` with
    ``|g(y) - g(f)| <= factor * s(g(f))``. As it stands, it is ``f`` plus or minus ``factor``.

    Attributes
    ----------
    factor : float
        The score that the level's share of calibration rows doesn't exceed. Where nothing else is given, half the
        width of every interval, in the target's unit.
    scale : TargetTransform
        On which scale errors are measured: the target's own, or one that keeps the ends within what a target can be
        and makes the upper half the longer one.
    floor : float or None
        What a prediction is taken for that lies below it, on a scale of positive numbers.
    knots, spreads : tuple of float
        Predictions on the scale, ascending, and the mean absolute error there; linear between them, constant beyond.
        Empty where errors are as large everywhere.
    least : float or None
        What no end lies below, unless the prediction does: 0 where no known target is negative.
    gaps : dict of str to float
        The factor that takes the place of ``factor`` where a column is missing that no training row lacked, by column;
        columns that it wasn't measured for aren't in it.
    """

    factor: float
    scale: TargetTransform = AS_IT_IS
    floor: float | None = None
    knots: tuple[float, ...] = ()
    spreads: tuple[float, ...] = ()
    least: float | None = None
    gaps: dict[str, float] = Field(default_factory=dict)

    @property
    def varies(self) -> bool:
        """True where the width depends on the prediction."""
        return self.scale.changes or bool(self.knots)

    def bounds(self, predicted: Floats, factors: Floats | None = None) -> tuple[Floats, Floats]:
        """Return the lower and the upper ends, in the target's unit; the prediction is never outside of them.

        Parameters
        ----------
        predicted : ndarray of float64, shape (rows,)
            Predictions in the target's unit.
        factors : ndarray of float64, shape (rows,), optional
            What takes the place of ``factor``, such as `factors_of` returns.
        """
        middle = self.standing(predicted)
        reach = (self.factor if factors is None else factors) * self.spread(middle)
        low, high = self.scale.straightened(middle - reach), self.scale.straightened(middle + reach)
        if self.least is not None:
            low, high = np.maximum(low, self.least), np.maximum(high, self.least)
        # A model may predict what no target is. Nobody believes an interval that its prediction isn't in.
        return np.minimum(low, predicted), np.maximum(high, predicted)

    def factors_of(self, missing: Mapping[str, NDArray[np.bool_]], rows: int) -> Floats:
        """Return each row's factor: what every column that it lacks adds, one upon the other.

        Parameters
        ----------
        missing : mapping of str to ndarray of bool, shape (rows,)
            Which rows lack a column.
        rows : int
            How many there are.

        Notes
        -----
        An error without two columns is at most that with both, and what leaving out the one and then the other moves
        the prediction by. Each addition alone is measured; where columns stand in for each other, so that only the loss
        of both hurts, their sum can be too small.
        """
        factors = np.full(rows, self.factor)
        for name, lacks in missing.items():
            factors += np.where(lacks, max(0.0, self.gaps.get(name, self.factor) - self.factor), 0.0)
        return factors

    def scores(self, actual: Floats, predicted: Floats) -> Floats:
        """Return how far off predictions are, in mean errors on the scale: within the interval is ``<= factor``."""
        middle = self.standing(predicted)
        return np.asarray(np.abs(self.scale.bent(actual) - middle) / self.spread(middle))

    def standing(self, predicted: Floats) -> Floats:
        """Return predictions on the scale."""
        return self.scale.bent(predicted if self.floor is None else np.maximum(predicted, self.floor))

    def spread(self, standing: Floats) -> Floats:
        """Return the mean absolute error at predictions on the scale; 1 where it isn't known."""
        return np.interp(standing, self.knots, self.spreads) if self.knots else np.ones_like(standing)
