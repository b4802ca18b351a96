"""The rows that findings are measured on: few enough to be quick, the same ones every time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats
from dlreg_core.specs import Column, ColumnType, Dataset, Level

_MOST_ROWS = 20_000
_MOST_CELLS = 4_000_000
_ENOUGH_ROWS = 2_000
_FEWEST_SHARED = 30
"""Two columns are compared where both are known; in fewer rows than this, what they have in common may be chance."""


@dataclass(frozen=True)
class RowSample:
    """Some rows of a table, and their numbers with codes for missing values taken out.

    Attributes
    ----------
    dataset : Dataset
        The profile of the whole table.
    table : pandas.DataFrame
        The rows, in the order of the file; none repeats another one.
    names : tuple of str
        The number columns, and the target where it is numeric.
    numbers : ndarray of float64, shape (rows, len(names))
        Their values; NaN where they are missing.
    """

    dataset: Dataset
    table: pd.DataFrame
    names: tuple[str, ...]
    numbers: Floats

    def of(self, name: str) -> Floats:
        """Return the values of a number column."""
        return self.numbers[:, self.names.index(name)]

    @cached_property
    def correlations(self) -> Floats:
        """Pearson's r of each two number columns, shape (len(names), len(names))."""
        return correlations(self.numbers)


def as_seen(dataset: Dataset, table: pd.DataFrame) -> Dataset:
    """Return the profile as it would be if there were only these rows."""
    if len(table) == dataset.rows:
        return dataset
    columns = tuple(_column_as_seen(column, table[column.name]) for column in dataset.columns)
    return dataset.model_copy(update={"rows": len(table), "columns": columns})


def _column_as_seen(column: Column, values: pd.Series) -> Column:
    known = values.dropna()
    seen: dict[str, Any] = {"missing": len(values) - len(known), "distinct": int(known.nunique())}
    if column.type is ColumnType.NUMBER and len(known):
        seen |= {"minimum": float(known.min()), "maximum": float(known.max()), "median": float(known.median())}
    if column.levels:
        counts = known.value_counts().head(len(column.levels))
        seen["levels"] = tuple(Level(value=str(value), count=int(count)) for value, count in counts.items())
    return column.model_copy(update=seen)


def draw(
    dataset: Dataset, table: pd.DataFrame, codes: Mapping[str, frozenset[float]], target: str | None = None
) -> RowSample:
    """Draw the rows to measure on.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        All its rows.
    codes : mapping of str to frozenset of float
        The numbers of each column that stand for a missing value.
    target : str, optional
        The column to predict, which can be one that seems to be an identifier.
    """
    # Of a very wide table fewer rows are enough: the more columns there are, the longer each row takes.
    most = min(_MOST_ROWS, max(_ENOUGH_ROWS, _MOST_CELLS // max(1, len(dataset.columns))))
    if len(table) > most:
        kept = np.random.default_rng(0).choice(len(table), most, replace=False)
        table = table.iloc[np.sort(kept)]
    # A row that stands on both sides of a fold would be known by heart.
    table = table.drop_duplicates(ignore_index=True)
    names = tuple(
        c.name
        for c in dataset.columns
        if c.type is ColumnType.NUMBER or (c.name == target and pd.api.types.is_numeric_dtype(table[target]))
    )
    numbers = np.empty((len(table), len(names)))
    for place, name in enumerate(names):
        values = table[name].to_numpy(dtype=np.float64, na_value=np.nan)
        numbers[:, place] = np.where(np.isin(values, list(codes.get(name, ()))), np.nan, values)
    return RowSample(dataset, table, names, numbers)


def correlations(numbers: Floats) -> Floats:
    """Correlate columns with each other, each pair in the rows where both are known.

    Parameters
    ----------
    numbers : ndarray of float64, shape (rows, columns)
        NaN where a value is missing.

    Returns
    -------
    ndarray of float64, shape (columns, columns)
        Pearson's r; 0 where a column doesn't change, or where fewer than 30 rows are known.
    """
    known = np.isfinite(numbers)
    counts = np.maximum(known.sum(axis=0), 1)
    # Without the mean, or the sums of squares of large numbers would lose the digits that matter.
    centred = np.where(known, numbers, 0.0)
    centred = np.where(known, centred - centred.sum(axis=0) / counts, 0.0)
    with np.errstate(all="ignore"):
        centred /= np.abs(centred).max(axis=0, initial=0.0)
        scaled = centred / np.sqrt((centred**2).sum(axis=0) / counts)
        scaled = np.where(np.isfinite(scaled), scaled, 0.0)
        if known.all():
            r, shared = scaled.T @ scaled / len(scaled), np.full((1, 1), len(scaled))
        else:
            mask = known.astype(np.float64)
            shared = mask.T @ mask
            sums, squares = scaled.T @ mask, (scaled**2).T @ mask
            spreads = shared * squares - sums**2
            r = (shared * (scaled.T @ scaled) - sums * sums.T) / np.sqrt(spreads * spreads.T)
    return np.where(np.isfinite(r) & (shared >= _FEWEST_SHARED), np.clip(r, -1.0, 1.0), 0.0)
