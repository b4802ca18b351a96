"""What all SHAP displays start from: the values, the rows they explain, and the average prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from dlreg_core.charts.base.frames import is_number
from dlreg_core.evaluation import NORMAL_95

MOST_FEATURES = 15


@dataclass(frozen=True, eq=False)
class ShapTables:
    """SHAP values of rows, and the rows themselves.

    Parameters
    ----------
    values : DataFrame of shape (rows, features)
        SHAP values in units of the target.
    data : DataFrame of the same shape and columns
        Raw values of the features.
    base_value : float
        The average prediction that the values start from.
    unit : str
        Unit of the target.

    Raises
    ------
    ValueError
        If the tables differ in shape or columns, have no rows, or a SHAP value is missing.
    """

    values: pd.DataFrame
    data: pd.DataFrame
    base_value: float = 0.0
    unit: str = ""

    def __post_init__(self) -> None:
        if self.values.shape[0] != self.data.shape[0] or list(self.values.columns) != list(self.data.columns):
            raise ValueError("SHAP values and data must have the same rows and columns")
        if self.values.empty:
            raise ValueError("there are no SHAP values")
        if not np.isfinite(self.values.to_numpy(dtype=np.float64)).all():
            raise ValueError("a SHAP value is missing or infinite")

    def ordered(self) -> list[str]:
        """Return the features by their mean absolute SHAP value, the largest first."""
        return list(importance(self.values)["feature"])


def importance(values: pd.DataFrame) -> pd.DataFrame:
    """Return how much each feature moves the prediction on average.

    Parameters
    ----------
    values : DataFrame of shape (rows, features)
        SHAP values in units of the target.

    Returns
    -------
    DataFrame
        A line a feature, the largest first: ``feature``, ``mean_abs`` (mean absolute SHAP value) and its normal 95 %
        interval over the rows, ``low`` and ``high`` (missing for a single row).
    """
    return _with_interval(values.abs()).sort_values("mean_abs", ascending=False, kind="stable").reset_index(drop=True)


def top_importance(values: pd.DataFrame, at_most: int = MOST_FEATURES) -> pd.DataFrame:
    """Return `importance` of the first features, and of all the others together as a last line.

    The others' line, "7 other columns", is the mean over the rows of the sum of their absolute SHAP values. A column
    ``others`` tells it apart.
    """
    table = importance(values).assign(others=False)
    if len(table) <= at_most:
        return table
    rest = values[list(table["feature"][at_most:])].abs().sum(axis=1)
    last = _with_interval(rest.to_frame(others_name(len(table) - at_most))).assign(others=True)
    return pd.concat([table.head(at_most), last], ignore_index=True)


def others_name(count: int) -> str:
    """Return what columns that share a bar are called."""
    return "1 other column" if count == 1 else f"{count} other columns"


def _with_interval(absolute: pd.DataFrame) -> pd.DataFrame:
    mean = absolute.mean()
    reach = NORMAL_95 * absolute.std() / np.sqrt(len(absolute))
    return pd.DataFrame(
        {
            "feature": [str(name) for name in absolute.columns],
            "mean_abs": mean.to_numpy(),
            "low": (mean - reach).clip(lower=0).to_numpy(),
            "high": (mean + reach).to_numpy(),
        }
    )


def ranks(column: pd.Series) -> pd.Series:
    """Return where each value stands in its column, from 0 (lowest) to 1 (highest); missing for categories."""
    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.astype("int64").where(column.notna())
    if not is_number(column):
        return pd.Series(np.nan, index=column.index)
    rank = column.astype("float64").rank(method="average") - 1
    return rank / max(1.0, float(column.notna().sum()) - 1)
