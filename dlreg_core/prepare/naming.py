"""Names of columns that steps add."""

from __future__ import annotations

import pandas as pd


def free_name(name: str, frame: pd.DataFrame) -> str:
    """Return `name`, marked where the table has a column of that name already; the same for every table."""
    while name in frame.columns:
        name += "'"
    return name


def missing_flags(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """Return a column of 0 and 1 for each of some columns: where its value is missing."""
    flags = {free_name(f"{c}: was missing", frame): frame[c].isna().astype("float64") for c in columns}
    return pd.DataFrame(flags, index=frame.index)
