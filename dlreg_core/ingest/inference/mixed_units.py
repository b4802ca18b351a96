"""Numbers with several units, brought into one: only between units that are known to measure the same thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from dlreg_core.ingest.inference.numbers.number_cells import read_measures
from dlreg_core.ingest.inference.numbers.unit_registry import converted, convertible, is_currency, same_unit
from dlreg_core.ingest.inference.times.durations import UNIT, read_durations

__all__ = ["common_unit", "converted", "convertible", "in_unit", "other_units", "units_of"]

_FEW_BARE = 0.05


def common_unit(rows: Sequence[tuple[str, int]]) -> str | None:
    """Return the unit that all others of a column can be converted into: the one that most rows have.

    Parameters
    ----------
    rows : sequence of (str, int)
        Units and their rows; the unit of numbers without one is empty.

    Returns
    -------
    str or None
        None where one can't be converted, or where more than one row in twenty has none, unless the others are money
        of one currency.
    """
    named = [(unit, count) for unit, count in rows if unit]
    bare = sum(count for unit, count in rows if not unit)
    if not named:
        return None
    unit = max(named, key=lambda item: item[1])[0]
    paid = bool(bare) and is_currency(unit)
    if not paid and (len(named) < 2 or bare > _FEW_BARE * sum(count for _, count in rows)):
        return None
    return unit if all(convertible(other, unit) for other, _ in named) else None


def in_unit(values: pd.Series, unit: str, decimal: str = ".") -> pd.Series:
    """Return a column as numbers in a unit.

    Parameters
    ----------
    values : pandas.Series
        Numbers, which are in that unit already, or texts such as "300 m".
    unit : str
        What to convert into.
    decimal : str
        Decimal mark of the texts.

    Returns
    -------
    pandas.Series of float64
        NaN where a text is no number, or has a unit that can't be converted.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        return values.astype("float64")
    found = {value: _number(measure, unit) for value, measure in _measures(values, decimal).items()}
    return values.map(found).astype("float64")


def other_units(values: pd.Series, unit: str) -> dict[str, int]:
    """Count the rows of a column that have another unit than `unit`, by that unit."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return {}
    units = {value: measure[1] for value, measure in _measures(values, ".").items() if measure[0] is not None}
    counts: dict[str, int] = {}
    for value, count in values.value_counts().items():
        found = units.get(value, "")
        if found and not same_unit(found, unit):
            counts[found] = counts.get(found, 0) + int(count)
    return counts


def units_of(values: pd.Series, decimal: str = ".") -> list[tuple[str, int]]:
    """Count the rows of each unit in a column of texts; numbers without one have the unit ""."""
    measures = _measures(values, decimal)
    counts: dict[str, int] = {}
    for value, count in values.value_counts().items():
        number, unit = measures[value]
        if number is not None:
            counts[unit] = counts.get(unit, 0) + int(count)
    return sorted(counts.items(), key=lambda item: -item[1])


def _number(measure: tuple[float | None, str], unit: str) -> float:
    number, own = measure
    if number is None or (own and not convertible(own, unit)):
        return np.nan
    return converted(number, own, unit) if own else number


def _measures(values: pd.Series, decimal: str) -> dict[Any, tuple[float | None, str]]:
    """Read the different values of a column: a number, None where it is none, and the unit beside it."""
    levels = pd.unique(values.dropna()).tolist()
    texts = [level for level in levels if isinstance(level, str)]
    found: dict[Any, tuple[float | None, str]] = {
        level: (float(level), "") for level in levels if isinstance(level, int | float) and not isinstance(level, bool)
    }
    written = pa.array([text.strip() for text in texts], pa.string())
    found |= dict(zip(texts, read_measures(written, decimal), strict=True))
    # 2:09:37 and the like are seconds whatever stands beside them; 45 min is a measure as well.
    lengths = zip(texts, read_durations(written).to_pylist(), strict=True)
    found |= {text: (seconds, UNIT) for text, seconds in lengths if seconds is not None and found[text][0] is None}
    return {level: found.get(level, (None, "")) for level in levels}
