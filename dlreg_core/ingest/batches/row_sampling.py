"""Some rows that stand for all of a large table, where looking at all would take too long or too much memory."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST_VALUES = 20_000_000
"""Tables of up to so many values, rows times columns, are looked at whole."""

_SAMPLED_VALUES = 4_000_000
_FEWEST_ROWS = 20_000


def sampled_rows(rows: int, columns: int, seed: int = 0) -> NDArray[np.int64] | None:
    """Choose the rows that stand for all, the same ones every time.

    Parameters
    ----------
    rows, columns : int
        How large the table is.
    seed : int
        Of the random choice.

    Returns
    -------
    ndarray of int64 or None
        Places of rows in ascending order; None where all rows are looked at.
    """
    if rows * columns <= MOST_VALUES:
        return None
    count = max(_FEWEST_ROWS, _SAMPLED_VALUES // columns)
    return drawn(rows, count, seed)


def drawn(rows: int, count: int, seed: int) -> NDArray[np.int64]:
    """Draw so many of the rows, each at most once, in ascending order."""
    generator = np.random.default_rng(seed)
    places: NDArray[Any] = generator.choice(rows, min(count, rows), replace=False, shuffle=False)
    return np.sort(places).astype(np.int64)
