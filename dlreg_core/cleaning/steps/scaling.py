"""Bringing numbers to a scale, as scikit-learn's scalers do it, kept as plain numbers."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats
from dlreg_core.cleaning.steps.step_helpers import mean_and_spread
from dlreg_core.specs import ScaleMethod, Spec

_MOST_QUANTILES = 200
_MOST = 1e30


class ScaleNumbers(Spec):
    """Bring columns of numbers to a scale.

    Notes
    -----
    As ``StandardScaler``, ``MinMaxScaler``, ``RobustScaler`` and ``QuantileTransformer`` (to equal shares) do. Values
    beyond those of the training rows lie beyond 0 and 1 on the second scale, and at its ends on the last.
    """

    kind: Literal["scale_numbers"] = "scale_numbers"
    linear: dict[str, tuple[float, float]]
    """By column, what is taken away and what is divided by."""
    quantiles: dict[str, tuple[float, ...]]
    """By column, values below which equal shares of the training rows lie."""

    @classmethod
    def fit(cls, frame: pd.DataFrame, methods: dict[str, ScaleMethod]) -> ScaleNumbers:
        """Look at training rows."""
        linear: dict[str, tuple[float, float]] = {}
        quantiles: dict[str, tuple[float, ...]] = {}
        for name, method in methods.items():
            known = frame[name].dropna().to_numpy(dtype=np.float64)
            if method == "quantile":
                shares = np.linspace(0, 1, max(2, min(_MOST_QUANTILES, len(known))))
                quantiles[name] = tuple(np.maximum.accumulate(np.quantile(known, shares)).tolist())
            else:
                shift, width = _shift_and_width(known, method)
                linear[name] = (shift, width if width > 0 else 1.0)
        return cls(linear=linear, quantiles=quantiles)

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the columns scaled; what is missing stays so."""
        found: dict[str, pd.Series | Floats] = {}
        for name, (shift, width) in self.linear.items():
            with np.errstate(over="ignore"):
                # Networks compute in single precision, which knows no larger numbers.
                found[name] = ((frame[name] - shift) / width).clip(-_MOST, _MOST)
        for name, values in self.quantiles.items():
            found[name] = _shares(frame[name].to_numpy(dtype=np.float64), np.array(values))
        return frame.assign(**found)


def _shift_and_width(known: Floats, method: ScaleMethod) -> tuple[float, float]:
    if method == "standard":
        return mean_and_spread(known)
    if method == "minmax":
        return float(known.min()), float(np.ptp(known))
    low, middle, high = np.quantile(known, [0.25, 0.5, 0.75])
    return float(middle), float(high - low)


def _shares(values: Floats, quantiles: Floats) -> Floats:
    shares = np.linspace(0, 1, len(quantiles))
    # From both ends, so that a value that many rows share gets the middle of their shares.
    from_below = np.interp(values, quantiles, shares)
    from_above = -np.interp(-values, -quantiles[::-1], -shares[::-1])
    found = np.asarray((from_below + from_above) / 2)
    # At the ends as well, where a lower one is the lowest share and not the middle of several.
    found[values <= quantiles[0]] = 0.0
    found[values >= quantiles[-1]] = 1.0
    return np.where(np.isnan(values), np.nan, found)
