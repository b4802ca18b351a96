"""Values far from all others: brought to a limit, or their rows kept from teaching."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.cleaning.schema import coerce_column
from dlreg_core.cleaning.steps.step_helpers import mean_and_spread
from dlreg_core.cleaning.steps.value_repairs import repaired
from dlreg_core.errors import RecipeError
from dlreg_core.specs import Cleaning, ColumnType, Dataset, OutlierRule, Recipe, Spec

SUGGESTED = OutlierRule()
"""Tukey's outer fences (1977, *Exploratory Data Analysis*): three interquartile ranges from the quartiles."""

_FEW = 0.01
"""More than this share of the rows aren't outliers but a long tail."""

_FEWEST_TAUGHT = 20

Mask = NDArray[np.bool_]


class ClipOutliers(Spec):
    """Bring numbers beyond a limit to it."""

    kind: Literal["clip_outliers"] = "clip_outliers"
    limits: dict[str, tuple[float, float]]

    @classmethod
    def fit(cls, frame: pd.DataFrame, rules: dict[str, OutlierRule]) -> ClipOutliers:
        """Find the limits of training rows."""
        return cls(limits={name: limits_of(frame[name], rule) for name, rule in rules.items()})

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return `frame` with the limits kept; what is missing stays so."""
        return frame.assign(**{name: frame[name].clip(low, high) for name, (low, high) in self.limits.items()})


def limits_of(values: pd.Series, rule: OutlierRule) -> tuple[float, float]:
    """Return between which values of a column aren't outliers, judged by what is known of it.

    Where half of the values are the same, so that the quartiles don't differ, all are within the limits.
    """
    known = values.dropna().to_numpy(dtype=np.float64)
    if not len(known):
        return 0.0, 0.0
    if rule.rule == "iqr":
        low, high = (float(value) for value in np.quantile(known, [0.25, 0.75]))
        width = high - low
    else:
        middle, width = mean_and_spread(known)
        low = high = middle
    if not width > 0:
        return float(known.min()), float(known.max())
    return low - rule.reach * width, high + rule.reach * width


def outlying_rows(train: pd.DataFrame, types: dict[str, ColumnType], cleaning: Cleaning) -> Mask | None:
    """Tell which raw training rows teach nothing because of outliers; None where nobody asked for that.

    Parameters
    ----------
    train : pandas.DataFrame
        Raw training rows, the features only.
    types : dict of str to ColumnType
        The type of every column.
    cleaning : Cleaning
        Which columns are looked at, by which rule, and the share that isolation leaves out.

    Raises
    ------
    RecipeError
        If too few rows would be left to learn from.

    Notes
    -----
    Isolation forests (Liu, Ting & Zhou 2008) of scikit-learn on all numbers, gaps filled with the median.
    """
    removing = {n: r for n, r in cleaning.outliers.items() if r.act == "remove" and types.get(n) is ColumnType.NUMBER}
    if not removing and not cleaning.isolation:
        return None
    found = np.zeros(len(train), dtype=bool)
    for name, rule in removing.items():
        values = coerce_column(train[name], ColumnType.NUMBER)
        low, high = limits_of(values, rule)
        found |= ((values < low) | (values > high)).to_numpy()
    if cleaning.isolation:
        found |= _isolated(train, types, cleaning.isolation)
    left = int((~found).sum())
    if left < min(_FEWEST_TAUGHT, len(train)):
        raise RecipeError(
            f"Without rows that hold outliers, {left} rows are left to learn from; {_FEWEST_TAUGHT} are needed.",
            "Look for outliers in fewer columns, or clip them.",
        )
    return found


def _isolated(train: pd.DataFrame, types: dict[str, ColumnType], share: float) -> Mask:
    from sklearn.ensemble import IsolationForest

    names = [name for name in train.columns if types[name] is ColumnType.NUMBER]
    values = pd.DataFrame({name: coerce_column(train[name], ColumnType.NUMBER) for name in names})
    values = values.fillna(values.median()).fillna(0.0)
    if not names or not len(train):
        return np.zeros(len(train), dtype=bool)
    scores = IsolationForest(random_state=0).fit(values.to_numpy()).score_samples(values.to_numpy())
    found = np.zeros(len(train), dtype=bool)
    found[np.argsort(scores, kind="stable")[: round(share * len(train))]] = True
    return found


@dataclass(frozen=True)
class OutlyingColumn:
    """A column of numbers, and how many of its values a rule calls outliers."""

    name: str
    count: int
    low: float
    high: float


def outlying_columns(
    dataset: Dataset, table: pd.DataFrame, recipe: Recipe, rule: OutlierRule = SUGGESTED
) -> tuple[OutlyingColumn, ...]:
    """Count the outliers of every column of numbers that is predicted from.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows, or those that stand for all: then counts are worked out from theirs.
    recipe : Recipe
        Which columns, and which of their values stand for a missing one.
    rule : OutlierRule
        What counts as an outlier.

    Returns
    -------
    tuple of OutlyingColumn
        In the order of the file; those without outliers too.
    """
    values = repaired(table, recipe.cleaning)
    found = []
    for name in recipe.features:
        if recipe.types.get(name, dataset.column(name).type) is ColumnType.NUMBER:
            numbers = coerce_column(values[name], ColumnType.NUMBER)
            low, high = limits_of(numbers, rule)
            share = float(((numbers < low) | (numbers > high)).mean())
            found.append(OutlyingColumn(name, round(share * dataset.rows), low, high))
    return tuple(found)


def worth_clipping(columns: tuple[OutlyingColumn, ...], rows: int) -> tuple[OutlyingColumn, ...]:
    """Return those of which a few values are outliers; of a long tail more than a few are."""
    return tuple(column for column in columns if 0 < column.count <= _FEW * rows)
