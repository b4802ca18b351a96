"""Filling gaps: by a fixed value, or by what the other columns of a row say, from similar rows or by regression.

The latter as scikit-learn has them, on numbers that are standardised first, so that no column counts more because of
its unit. What they have learned is kept as plain numbers.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats
from dlreg_core.cleaning.steps.step_helpers import mean_and_spread, missing_flags
from dlreg_core.specs import Cleaning, NumberFill, Spec

MISSING_LEVEL = "(missing)"

NEIGHBOURS = 5
MOST_KEPT_ROWS, _MOST_KEPT_VALUES = 1_000, 20_000
"""Of so many training rows, and so many numbers in all, those that are similar to a row are looked for."""

_FURTHEST = 1e9
_MOST_DIFFERENCES = 2_000_000
_FITTED_ROWS = 20_000
_ROUNDS = 10
_MOST_PREDICTORS = 15


class _Standard(Spec):
    """Columns of numbers, and what standardises each."""

    columns: tuple[str, ...]
    """All columns that say something, in the order in which they stand."""
    centres: tuple[float, ...]
    spreads: tuple[float, ...]
    filled: tuple[str, ...]
    """Those of which gaps are filled."""
    flags: tuple[str, ...] = ()

    def standardised(self, frame: pd.DataFrame) -> Floats:
        """Return the columns in standard deviations, shape (rows, columns)."""
        values = frame[list(self.columns)].to_numpy(dtype=np.float64)
        with np.errstate(over="ignore"):
            found = (values - np.array(self.centres)) / np.array(self.spreads)
        # Whatever lies further out says no more than that it does, and its square would be infinite.
        return np.asarray(np.clip(found, -_FURTHEST, _FURTHEST))

    def with_filled(self, frame: pd.DataFrame, guessed: Floats) -> pd.DataFrame:
        """Return `frame` with its gaps filled by standardised guesses; what is known stays as it is."""
        back = guessed * np.array(self.spreads) + np.array(self.centres)
        found: dict[str, Any] = {}
        for name in self.filled:
            known = frame[name].to_numpy(dtype=np.float64)
            found[name] = np.where(np.isnan(known), back[:, self.columns.index(name)], known)
        return frame.assign(**found).join(missing_flags(frame, self.flags))


class FillByNeighbours(_Standard):
    """Fill missing numbers with the mean of the five most similar rows that are kept.

    Notes
    -----
    What scikit-learn's ``KNNImputer`` does (Troyanskaya et al. 2001), with random training rows in place of all of
    them; but its choice among equally similar rows is left to rounding, so that a row alone may be filled in another
    way than among others.
    """

    kind: Literal["fill_by_neighbours"] = "fill_by_neighbours"
    rows: tuple[tuple[float | None, ...], ...]
    """The rows that are kept, standardised; None where they have a gap themselves."""

    @classmethod
    def fit(cls, frame: pd.DataFrame, columns: list[str], filled: tuple[str, ...], flags: tuple[str, ...]) -> Any:
        """Keep random training rows."""
        plain = cls(**_standard(frame, columns), filled=filled, flags=flags, rows=())
        most = max(NEIGHBOURS, min(MOST_KEPT_ROWS, _MOST_KEPT_VALUES // len(columns)))
        values = plain.standardised(_some(frame, most))
        rows = tuple(tuple(None if np.isnan(v) else round(float(v), 9) for v in row) for row in values)
        return plain.model_copy(update={"rows": rows})

    @cached_property
    def _kept(self) -> Floats:
        return np.array(self.rows, dtype=np.float64).reshape(len(self.rows), len(self.columns))

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the gaps filled and the flags added."""
        values = self.standardised(frame)
        holed = np.flatnonzero(np.isnan(values).any(axis=1))
        size = max(1, _MOST_DIFFERENCES // max(1, self._kept.size))
        for start in range(0, len(holed), size):
            chosen = holed[start : start + size]
            values[chosen] = self._guessed(values[chosen])
        return self.with_filled(frame, values)

    def _guessed(self, rows: Floats) -> Floats:
        """Return rows with their gaps filled: by the kept rows that differ least in what both know."""
        apart = (rows[:, None, :] - self._kept[None]) ** 2
        shared = (~np.isnan(apart)).sum(axis=2)
        distances = np.where(shared > 0, np.nansum(apart, axis=2) / np.maximum(shared, 1), np.inf)
        found = rows.copy()
        for column in np.flatnonzero(np.isnan(rows).any(axis=0)):
            holed, donors = np.isnan(rows[:, column]), ~np.isnan(self._kept[:, column])
            near = distances[holed][:, donors]
            # Stable: of rows that are equally similar the first ones count, whatever else is filled beside.
            order = np.argsort(near, axis=1, kind="stable")[:, :NEIGHBOURS]
            weights = np.isfinite(np.take_along_axis(near, order, axis=1))
            values = self._kept[donors][order, column]
            # Where no row has anything in common, the mean of all is 0.
            found[holed, column] = (values * weights).sum(axis=1) / np.maximum(1, weights.sum(axis=1))
        return found


class Regression(Spec):
    """What one column is expected to be, given others: positions, and coefficients of standardised values."""

    column: int
    others: tuple[int, ...]
    coefficients: tuple[float, ...]
    intercept: float


class FillByRegression(_Standard):
    """Fill missing numbers with what the other columns say of them, in rounds.

    Each column in turn is predicted from the others, whose own gaps hold what the round before said.

    Notes
    -----
    scikit-learn's ``IterativeImputer`` with Bayesian ridge regression (MICE without draws: van Buuren &
    Groothuis-Oudshoorn 2011). Guesses stay within the values of the training rows.
    """

    kind: Literal["fill_by_regression"] = "fill_by_regression"
    low: tuple[float, ...]
    high: tuple[float, ...]
    sequence: tuple[Regression, ...]

    @classmethod
    def fit(cls, frame: pd.DataFrame, columns: list[str], filled: tuple[str, ...], flags: tuple[str, ...]) -> Any:
        """Fit the regressions of all rounds."""
        import warnings

        from sklearn.exceptions import ConvergenceWarning
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401
        from sklearn.impute import IterativeImputer

        plain = cls(**_standard(frame, columns), filled=filled, flags=flags, low=(), high=(), sequence=())
        values = plain.standardised(_some(frame, _FITTED_ROWS))
        low, high = np.nanmin(values, axis=0, initial=0.0), np.nanmax(values, axis=0, initial=0.0)
        few = _MOST_PREDICTORS if len(columns) > _MOST_PREDICTORS + 1 else None
        imputer = IterativeImputer(
            max_iter=_ROUNDS, n_nearest_features=few, keep_empty_features=True, random_state=0,
            min_value=low - 1e-12, max_value=high + 1e-12,
        )  # fmt: skip
        with warnings.catch_warnings():
            # Ten rounds are enough for guesses.
            warnings.simplefilter("ignore", ConvergenceWarning)
            imputer.fit(values)
        sequence = tuple(
            Regression(
                column=int(step.feat_idx),
                others=tuple(int(other) for other in step.neighbor_feat_idx),
                coefficients=tuple(step.estimator.coef_.tolist()),
                intercept=float(step.estimator.intercept_),
            )
            for step in imputer.imputation_sequence_
        )
        return plain.model_copy(update={"low": tuple(low.tolist()), "high": tuple(high.tolist()), "sequence": sequence})

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the gaps filled and the flags added."""
        values = self.standardised(frame)
        gaps = np.isnan(values)
        # The mean is 0, from which the first round starts.
        values[gaps] = 0.0
        for step in self.sequence:
            holed = gaps[:, step.column]
            if holed.any():
                others = values[holed][:, list(step.others)]
                guessed = others @ np.array(step.coefficients) + step.intercept
                values[holed, step.column] = np.clip(guessed, self.low[step.column], self.high[step.column])
        return self.with_filled(frame, values)


class FillNumbers(Spec):
    """Fill missing numbers with a fixed value, and flag where that was done."""

    kind: Literal["fill_numbers"] = "fill_numbers"
    values: dict[str, float]
    flags: tuple[str, ...] = ()

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the numbers filled and the flags added."""
        return frame.fillna(self.values).join(missing_flags(frame, self.flags))


class FillLevels(Spec):
    """Fill missing categories with a fixed level."""

    kind: Literal["fill_levels"] = "fill_levels"
    values: dict[str, str]

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the categories filled."""
        return frame.fillna(self.values)


Fill = FillByNeighbours | FillByRegression | FillNumbers | FillLevels


def fitted_fills(frame: pd.DataFrame, numbers: list[str], levels: list[str], cleaning: Cleaning) -> list[Fill]:
    """Fit the steps that fill what is missing.

    Every column gets a value, also one without a gap in the training rows: new rows may have one.
    """
    steps: list[Fill] = []
    common = NumberFill(method=cleaning.impute_numbers, constant=cleaning.impute_constant, flag=cleaning.missing_flags)
    fills = {c: cleaning.fills.get(c, common) for c in numbers}
    flagged = [c for c in numbers if fills[c].flag and fills[c].method != "keep" and frame[c].isna().any()]
    # These first: they look at other columns, whose gaps must not have been filled with something else.
    for method, kind in (("knn", FillByNeighbours), ("iterative", FillByRegression)):
        own = tuple(c for c in numbers if fills[c].method == method)
        if own:
            steps.append(kind.fit(frame, numbers, own, tuple(c for c in flagged if c in own)))
    fixed = {c: _fixed(frame[c], fill) for c, fill in fills.items() if fill.method not in ("knn", "iterative", "keep")}
    if fixed:
        steps.append(FillNumbers(values=fixed, flags=tuple(c for c in flagged if c in fixed)))
    if levels and cleaning.impute_categories != "keep":
        most = {c: str(frame[c].mode().iloc[0]) for c in levels}
        own_level = dict.fromkeys(levels, MISSING_LEVEL)
        steps.append(FillLevels(values=most if cleaning.impute_categories == "most_frequent" else own_level))
    return steps


def _fixed(values: pd.Series, fill: NumberFill) -> float:
    if fill.method == "median":
        return float(values.median())
    if fill.method == "mean":
        return float(values.mean())
    if fill.method == "most_frequent":
        return float(values.mode().iloc[0])
    return fill.constant if fill.method == "constant" else 0.0


def _standard(frame: pd.DataFrame, columns: list[str]) -> dict[str, Any]:
    found = [mean_and_spread(frame[name].dropna().to_numpy(dtype=np.float64)) for name in columns]
    return {
        "columns": tuple(columns),
        "centres": tuple(mean for mean, _ in found),
        # A column that never changes says nothing, in whatever unit.
        "spreads": tuple(spread if spread > 0 else 1.0 for _, spread in found),
    }


def _some(frame: pd.DataFrame, most: int) -> pd.DataFrame:
    return frame.sample(most, random_state=0) if len(frame) > most else frame
