"""From prepared rows to the arrays that the network takes: scaled numbers, flags and levels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

_ONE_HOT_LEVELS = 8
"""A category with at most so many levels gets a column for each; one with more gets a learned embedding."""

_RAREST_LEVEL = 2
"""Levels that occur less often in the training rows are treated as unknown ones, which are thereby learned as well."""

_CLIP = 3.0
_REACH = 10.0
"""How far the linear path goes beyond the training rows, in ranges of theirs."""
_TINY = 1e-12


@dataclass(frozen=True)
class Encoded:
    """Rows as arrays.

    Attributes
    ----------
    numbers : ndarray of float32, shape (rows, numbers)
        Scaled and smoothly clipped, without gaps.
    flags : ndarray of float32, shape (rows, flags)
        Zeros and ones: missing values, and levels of small categories.
    codes : ndarray of int64, shape (rows, categories)
        Levels of large categories; 0 for an unknown one.
    straight : ndarray of float32, shape (rows, numbers + flags)
        What the linear path sees: numbers in standard deviations, up to ten ranges beyond the training rows, and
        flags.
    """

    numbers: NDArray[np.float32]
    flags: NDArray[np.float32]
    codes: NDArray[np.int64]
    straight: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.numbers)


@dataclass(frozen=True)
class _Number:
    """How a number is filled, centred and scaled, and whether a flag tells that it was missing."""

    name: str
    median: float
    scale: float
    flagged: bool
    low: float
    high: float
    mean: float
    std: float

    def scaled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        z = (self._filled(values) - self.median) / self.scale
        # Close to the value itself near the middle, and never beyond the limit (Holzmüller et al. 2024).
        return np.asarray(z / np.sqrt(1 + (z / _CLIP) ** 2))

    def straight(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        # A line has no end, and a slip of the pen would take it anywhere.
        reach = _REACH * (self.high - self.low)
        kept = np.clip(self._filled(values), self.low - reach, self.high + reach)
        return np.asarray((kept - self.mean) / self.std)

    def _filled(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.where(np.isfinite(values), values, self.median)


@dataclass(frozen=True)
class _Category:
    """The levels of a category that are told apart; missing values are a level where there are enough of them."""

    name: str
    levels: tuple[object, ...]
    missing: bool

    @property
    def count(self) -> int:
        """Levels with the unknown one."""
        return 1 + len(self.levels) + int(self.missing)

    @property
    def embedded(self) -> bool:
        return self.count - 1 > _ONE_HOT_LEVELS

    def codes(self, values: pd.Series) -> NDArray[np.int64]:
        found = pd.Index(self.levels, dtype=object).get_indexer(pd.Index(values.astype(object))).astype(np.int64) + 1
        if self.missing:
            found[values.isna().to_numpy()] = self.count - 1
        return np.asarray(found)


@dataclass(frozen=True)
class Inputs:
    """What was learned from the training rows about their columns.

    Parameters
    ----------
    numbers : tuple
        Columns that hold numbers, in their order.
    categories : tuple
        All other columns.
    """

    numbers: tuple[_Number, ...]
    categories: tuple[_Category, ...]

    @classmethod
    def fitted(cls, frame: pd.DataFrame) -> Inputs:
        """Learn from training rows; columns in which nothing varies are left out."""
        numeric = [name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name].dtype)]
        numbers = [_number(name, _values(frame[name])) for name in numeric]
        categories = [_category(name, frame[name]) for name in frame.columns if name not in set(numeric)]
        return cls(
            tuple(number for number in numbers if number is not None),
            tuple(category for category in categories if category.count > 1),
        )

    @property
    def level_counts(self) -> tuple[int, ...]:
        """Levels of each category that is embedded, with the unknown one."""
        return tuple(category.count for category in self.categories if category.embedded)

    def encoded(self, frame: pd.DataFrame) -> Encoded:
        """Return rows as arrays."""
        scaled, straight, flags, codes = [], [], [], []
        for number in self.numbers:
            values = _values(frame[number.name])
            scaled.append(number.scaled(values))
            straight.append(number.straight(values))
            if number.flagged:
                flags.append(~np.isfinite(values))
        for category in self.categories:
            found = category.codes(frame[category.name])
            if category.embedded:
                codes.append(found)
            else:
                flags.extend(found == code for code in range(1, category.count))
        rows = len(frame)
        return Encoded(
            _columns(scaled, rows).astype(np.float32),
            _columns(flags, rows).astype(np.float32),
            _columns(codes, rows).astype(np.int64),
            _columns([*straight, *flags], rows).astype(np.float32),
        )


def _columns(arrays: Sequence[NDArray[Any]], rows: int) -> NDArray[Any]:
    return np.stack(arrays, axis=1) if arrays else np.zeros((rows, 0))


def _values(column: pd.Series) -> NDArray[np.float64]:
    return np.asarray(column.to_numpy(dtype=np.float64, na_value=np.nan))


def _number(name: str, values: NDArray[np.float64]) -> _Number | None:
    known = values[np.isfinite(values)]
    flagged = 0 < len(known) < len(values)
    if len(known) == 0 or (known.min() == known.max() and not flagged):
        return None
    filled = np.where(np.isfinite(values), values, np.median(known))
    return _Number(
        name,
        median=float(np.median(known)),
        scale=_scale(known),
        flagged=flagged,
        low=float(known.min()),
        high=float(known.max()),
        mean=float(filled.mean()),
        std=float(filled.std()) or 1.0,
    )


def _scale(known: NDArray[np.float64]) -> float:
    """Return the spread of the middle half in units of a normal distribution's, or what is left where that is zero."""
    low, high = np.quantile(known, [0.25, 0.75])
    spread = float(high - low) / 1.349
    if spread <= _TINY * max(1.0, float(np.abs(known).max())):
        spread = float(known.std())
    return spread if spread > 0 else 1.0


def _category(name: str, column: pd.Series) -> _Category:
    counts = column.astype(object).value_counts()
    levels = tuple(sorted((level for level, count in counts.items() if count >= _RAREST_LEVEL), key=str))
    return _Category(name, levels, int(column.isna().sum()) >= _RAREST_LEVEL)
