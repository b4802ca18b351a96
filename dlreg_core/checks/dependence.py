"""Which columns make rows depend on each other, perhaps: those that repeat and those that order the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from dlreg_core.array_types import Floats
from dlreg_core.checks.order_and_groups import is_date
from dlreg_core.cleaning import coerce_column
from dlreg_core.ingest.inference import words
from dlreg_core.specs import ROW_ORDER, Column, ColumnType, Dataset

FEWEST_GROUPS = 10
"""With fewer there are too few that a model has never seen to tell anything of others."""
_FEWEST_MOMENTS = 4
MOST_MISSING = 0.2
_YEARS = (1500, 2200)
_LONGEST_YEARS = 200
_SORTED = 0.999
_YEAR_WORDS = frozenset({"year", "years", "yr", "jahr", "annee", "ano", "anno"})
"""By these words numbers below 100 are years too: 70 to 82."""


@dataclass(frozen=True)
class Candidate:
    """A column that rows may depend on each other by.

    Attributes
    ----------
    kind : {"time", "group"}
        Whether it orders the rows or groups them.
    column : str
        Its name; `ROW_ORDER` for the order in which the rows stand.
    keys : ndarray of float64, shape (rows,)
        When each row is, or the number of its group; NaN where it has none.
    counted : bool
        Of groups: whether they are whole numbers, which may as well be a quantity.
    """

    kind: Literal["time", "group"]
    column: str
    keys: Floats
    counted: bool = False


def candidates(dataset: Dataset, table: pd.DataFrame, target: str) -> tuple[Candidate, ...]:
    """Return what a table could be split by other than at random, from its values: names say nothing here.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Rows with a target.
    target : str
        The column to predict, which rows are never split by.

    Returns
    -------
    tuple of Candidate
        Dates, years, numbers that count the rows, and the order of the rows itself; then categories, short texts,
        identifiers and whole numbers of which each value stands in two rows or more on average. Levels that have an
        order are left out, and so is what has fewer than ten values: of these there will hardly be new ones.
    """
    columns = [c for c in dataset.columns if c.name != target and c.missing <= MOST_MISSING * dataset.rows]
    # Dates first, and the order of the rows last: what says the same as one before it is left out.
    columns.sort(key=lambda column: column.type is not ColumnType.DATETIME)
    orders: list[Candidate] = []
    groups: list[Candidate] = []
    for column in columns:
        one = _ordering(column, table[column.name])
        if one is None:
            group = _grouping(column, table[column.name])
            groups += [group] if group is not None else []
        elif not any(_follows(one.keys, other.keys) for other in orders):
            orders.append(one)
    places = Candidate("time", ROW_ORDER, np.arange(len(table), dtype=np.float64))
    if not any(_follows(places.keys, other.keys) for other in orders):
        orders.append(places)
    groups.sort(key=lambda one: one.counted)
    return (*orders, *groups)


def days_or_numbers(values: pd.Series) -> Floats:
    """Return dates as days, and numbers as they are; NaN where there is none."""
    if pd.api.types.is_datetime64_any_dtype(values):
        days = values.to_numpy().astype("datetime64[s]").astype(np.float64) / 86_400
        return np.where(values.isna(), np.nan, days)
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64)


def _ordering(column: Column, values: pd.Series) -> Candidate | None:
    """Return a column that orders the rows; None where it doesn't."""
    if is_date(column):
        moments = days_or_numbers(coerce_column(values, ColumnType.DATETIME, column.day_first))
    elif column.type in (ColumnType.NUMBER, ColumnType.IDENTIFIER) and column.integer:
        moments = days_or_numbers(values)
        if not (_are_years(moments, column.name) or _counts(moments)):
            return None
    else:
        return None
    known = moments[np.isfinite(moments)]
    return Candidate("time", column.name, moments) if len(np.unique(known)) >= _FEWEST_MOMENTS else None


def _are_years(values: Floats, name: str) -> bool:
    known = values[np.isfinite(values)]
    if not len(known) or np.ptp(known) > _LONGEST_YEARS:
        return False
    if known.min() >= _YEARS[0] and known.max() <= _YEARS[1]:
        return True
    return bool(words(name) & _YEAR_WORDS) and known.min() >= 0 and known.max() < 100


def _counts(values: Floats) -> bool:
    """Tell a number that grows from row to row."""
    return bool(len(values) > 1 and np.isfinite(values).all() and (np.diff(values) > 0).all())


def _follows(moments: Floats, others: Floats) -> bool:
    """Tell whether two columns put the rows in the same order."""
    known = np.isfinite(moments) & np.isfinite(others)
    if known.sum() < 3 or np.ptp(moments[known]) == 0 or np.ptp(others[known]) == 0:
        return False
    one, other = (pd.Series(values[known]).rank().to_numpy() for values in (moments, others))
    return abs(float(np.corrcoef(one, other)[0, 1])) >= _SORTED


def _grouping(column: Column, values: pd.Series) -> Candidate | None:
    """Return a column of levels that repeat; None where it has too few, or hardly any repeats."""
    named = (ColumnType.CATEGORY, ColumnType.TEXT)
    counted = column.type in (ColumnType.NUMBER, ColumnType.IDENTIFIER) and column.integer
    if not (column.type in named or counted) or column.ordered:
        return None
    codes, levels = pd.factorize(values)
    if not FEWEST_GROUPS <= len(levels) <= (codes >= 0).sum() / 2:
        return None
    return Candidate("group", column.name, np.where(codes < 0, np.nan, codes.astype(np.float64)), counted=counted)
