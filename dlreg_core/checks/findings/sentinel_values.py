"""Values of number columns that aren't what they seem: codes for missing values, limits, gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.array_types import Floats
from dlreg_core.checks.findings.finding import Finding, Repair, listed_names, part_words
from dlreg_core.formatting import number
from dlreg_core.specs import Column, ColumnType, Dataset

_NOTABLE_SHARE = 0.005
"""An extreme value that more rows than this share hold is no coincidence."""
_FEWEST_ROWS = 10
_FEWEST_VALUES = 20
_NEIGHBOURS = 10
_LISTED = 3
_LARGEST = float(np.finfo(np.float32).max)
"""Models compute in four bytes a number."""


def missing_codes(dataset: Dataset, table: pd.DataFrame) -> dict[str, frozenset[float]]:
    """Find numbers that stand for a missing value, such as -999: frequent, lowest or highest, and far from the rest.

    Returns
    -------
    dict of str to frozenset of float
        The codes of each column that has some.
    """
    found = {}
    for column in _numbers(dataset):
        values, counts = _counted(table[column.name])
        codes = frozenset(
            float(values[end])
            for end, rest in ((0, values[1:]), (-1, values[:-1]))
            if _often(int(counts[end]), dataset.rows) and _is_far(float(values[end]), rest)
        )
        if codes:
            found[column.name] = codes
    return found


def disguised(codes: Mapping[str, frozenset[float]]) -> Iterator[Finding]:
    """Tell of codes for missing values, those that several columns share in one finding."""
    holders: dict[float, list[str]] = {}
    for name, values in codes.items():
        for value in sorted(values):
            holders.setdefault(value, []).append(name)
    for value, names in holders.items():
        where = "all other values" if len(names) == 1 else "all other values of these columns"
        text = f"{number(value)} is frequent and far from {where}: it looks like a code for a missing value."
        repair = "Mark such cells as missing, or the networks will take them for measurements."
        label = f"Take {number(value)} for missing in {_listed(names)}"
        step = Repair(label, missing_codes=dict.fromkeys(names, (value,)))
        yield Finding(tuple(names), text, "disguised-missing", "high", repair, step)


def _listed(names: list[str]) -> str:
    return listed_names(names) if len(names) <= _LISTED else f"{len(names)} columns"


def _is_far(value: float, rest: Floats) -> bool:
    low, high = float(rest.min()), float(rest.max())
    gap = min(abs(value - low), abs(value - high))
    spread = high - low
    # A negative number among others that never are is a code from a smaller distance on.
    negative_alone = value < 0 <= low and value == round(value)
    return gap > spread or (negative_alone and gap > 0.05 * spread and abs(value) >= 9)


def capped(dataset: Dataset, table: pd.DataFrame, target: str | None = None) -> Iterator[Finding]:
    """Find columns whose highest value is shared by many rows, while the values below it aren't."""
    for column in _numbers(dataset):
        values, counts = _counted(table[column.name])
        share, usual = int(counts[-1]), float(np.median(counts[-1 - _NEIGHBOURS : -1]))
        # A value far beyond the others is no limit, but a code.
        if _often(share, dataset.rows) and share > 3 * usual and not _is_far(float(values[-1]), values[:-1]):
            highest = number(float(values[-1]), 6)
            text = f"{share:,} rows share the highest value, {highest}, so it may have been cut off there."
            yield _capped_finding(column.name, text, target)


def _capped_finding(name: str, text: str, target: str | None) -> Finding:
    if name != target:
        return Finding((name,), text, "capped")
    repair = "Leave these rows out if it was: no model can tell how far above it they really are."
    return Finding((name,), text, "capped-target", "high", repair)


def too_large(dataset: Dataset, table: pd.DataFrame, target: str | None = None) -> Iterator[Finding]:
    """Find numbers that no model can compute with; of the target, only those whose squares are infinite."""
    for column in dataset.columns:
        if column.type is not ColumnType.NUMBER or column.name == target:
            continue
        values = table[column.name].to_numpy(dtype=np.float64, na_value=np.nan)
        beyond = values[np.abs(values) > _LARGEST]
        if len(beyond):
            value, is_, counts = ("value", "is", "counts") if len(beyond) == 1 else ("values", "are", "count")
            text = (
                f"{len(beyond):,} {value} {is_} beyond ±3.4e+38, such as {beyond[0]:g}: too large for models to "
                f"compute with, so that {'it' if len(beyond) == 1 else 'they'} {counts} as missing."
            )
            yield Finding((column.name,), text, "too-large", "medium", "Correct what is a slip in the file.")


def missing(dataset: Dataset) -> Iterator[Finding]:
    """Tell how many values are missing; of many columns in one line."""
    holed = [c for c in dataset.columns if c.missing and c.type is not ColumnType.CONSTANT]
    if len(holed) > _LISTED:
        holed.sort(key=lambda c: -c.missing)
        share = part_words(holed[0].missing, dataset.rows)
        text = f"values are missing, up to {holed[0].missing:,} ({share})."
        yield Finding(tuple(c.name for c in holed), text, "missing")
        return
    for column in holed:
        share = part_words(column.missing, dataset.rows)
        verb = "value is" if column.missing == 1 else "values are"
        yield Finding((column.name,), f"{column.missing:,} {verb} missing ({share}).", "missing")


def _numbers(dataset: Dataset) -> Iterator[Column]:
    for column in dataset.columns:
        if column.type is ColumnType.NUMBER and column.distinct >= _FEWEST_VALUES:
            yield column


def _counted(values: pd.Series) -> tuple[Floats, NDArray[np.int64]]:
    distinct, counts = np.unique(values.dropna().to_numpy(dtype=np.float64), return_counts=True)
    return distinct, counts.astype(np.int64)


def _often(count: int, rows: int) -> bool:
    return count >= _FEWEST_ROWS and count > _NOTABLE_SHARE * rows
