"""Rows as points, and those that are all but equal."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from dlreg_core.array_types import Floats
from dlreg_core.cleaning import coerce_column
from dlreg_core.specs import ColumnType

NEAR = 0.01
"""Near twins differ by less than this share of the standard deviation in every number, and in nothing else."""
_APART = 10.0
_LARGEST_GROUP, _SMALL_GROUP = 0.05, 10

RowNumbers = NDArray[np.int64]


def near_copies(
    frame: pd.DataFrame, types: Mapping[str, ColumnType], day_first: Mapping[str, bool | None]
) -> RowNumbers | None:
    """Return a number for each row, counted by first appearance; near twins, and theirs, have the same.

    Returns
    -------
    ndarray of int64, shape (rows,), or None
        None where so many rows hang together that they could not be divided.
    """
    points = placed(frame, types, day_first)
    different, where = np.unique(points, axis=0, return_inverse=True)
    where = where.ravel()
    pairs = cKDTree(different).query_pairs(NEAR, p=np.inf, output_type="ndarray")
    links = coo_matrix((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(different), len(different)))
    _, labels = connected_components(links, directed=False)
    codes = pd.factorize(labels[where])[0].astype(np.int64)
    largest = int(np.bincount(codes).max(initial=0))
    return codes if largest <= max(_SMALL_GROUP, _LARGEST_GROUP * len(frame)) else None


def placed(frame: pd.DataFrame, types: Mapping[str, ColumnType], day_first: Mapping[str, bool | None]) -> Floats:
    """Return rows as points, so that near ones are alike in everything."""
    columns = []
    for name, kind in types.items():
        if kind in (ColumnType.IDENTIFIER, ColumnType.CONSTANT):
            continue
        values = coerce_column(frame[name], kind, day_first.get(name))
        if kind is ColumnType.NUMBER:
            numbers = values.to_numpy(dtype=np.float64)
            spread = float(np.nanstd(numbers)) if np.isfinite(numbers).any() else 0.0
            scaled = numbers / spread if np.isfinite(spread) and spread > 0 else np.zeros(len(numbers))
            far = float(np.nanmax(np.abs(scaled), initial=0.0)) + _APART
            columns.append(np.where(np.isfinite(scaled), scaled, far))
        else:
            columns.append(pd.factorize(values)[0] * _APART)
    return np.column_stack(columns) if columns else np.zeros((len(frame), 1))
