"""What several steps share: names of columns that they add, flags, and spreads that can't overflow."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray


def marked_name(name: str, frame: pd.DataFrame) -> str:
    """Return `name`, marked where the table has a column of that name already; the same for every table."""
    while name in frame.columns:
        name += "'"
    return name


def missing_flags(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a column of 0 and 1 for each of some columns: where its value is missing."""
    flags = {marked_name(f"{c}: was missing", frame): frame[c].isna().astype("float64") for c in columns}
    return pd.DataFrame(flags, index=frame.index)


def mean_and_spread(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and the standard deviation of known numbers, however large they are."""
    most = float(np.max(np.abs(values), initial=0.0))
    if most == 0:
        return 0.0, 0.0
    # The squares of very large numbers are infinite, and those of very small ones 0.
    scaled = values / most
    return float(scaled.mean() * most), float(scaled.std() * most)
