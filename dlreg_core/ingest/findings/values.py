"""What a person should look at in a table before anything is learned from it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from dlreg_core.charts.numbers import number, percent
from dlreg_core.specs import Column, ColumnType, Dataset

_NOTABLE_SHARE = 0.005
"""An extreme value that more rows than this share hold is no coincidence."""
_FEWEST_ROWS = 10
_FEWEST_VALUES = 20
_NEIGHBOURS = 10
_LISTED = 3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Finding:
    """One thing to look at.

    Attributes
    ----------
    columns : tuple of str
        The columns that it is about; empty when it is about the rows.
    text : str
        What was found, and what it means, without the names of the columns.
    serious : bool
        True when results will be wrong or worse if nobody looks.
    """

    columns: tuple[str, ...]
    text: str
    serious: bool = True

    @property
    def title(self) -> str:
        """The columns in a few words; empty when it is about the rows."""
        more = len(self.columns) - _LISTED
        return ", ".join(self.columns[:_LISTED]) + (f" and {more} more" if more > 0 else "")


def findings(dataset: Dataset, table: pd.DataFrame) -> tuple[Finding, ...]:
    """Look through a table.

    Parameters
    ----------
    dataset : Dataset
        Its profile.
    table : pandas.DataFrame
        Its rows.

    Returns
    -------
    tuple of Finding
        The serious ones first.
    """
    found = [*_codes(dataset, table), *_capped(dataset, table), *_missing(dataset), *_repeated(dataset)]
    found += [*_useless(dataset), *_rare_levels(dataset), *_notes(dataset)]
    return tuple(sorted(found, key=lambda finding: not finding.serious))


def _codes(dataset: Dataset, table: pd.DataFrame) -> Iterator[Finding]:
    """Find numbers that stand for a missing value, such as -999: frequent, lowest or highest, and far from the rest."""
    holders: dict[float, list[str]] = {}
    for column in _numbers(dataset):
        values, counts = _counted(table[column.name])
        for end, rest in ((0, values[1:]), (-1, values[:-1])):
            if _often(int(counts[end]), dataset.rows) and _is_far(float(values[end]), rest):
                holders.setdefault(float(values[end]), []).append(column.name)
    for value, names in holders.items():
        where = "all other values" if len(names) == 1 else "all other values of these columns"
        text = (
            f"{number(value)} is frequent and far from {where}: it looks like a code for a missing value. "
            "Leave such cells empty in the file, or the networks will take them for measurements."
        )
        yield Finding(tuple(names), text)


def _is_far(value: float, rest: Floats) -> bool:
    low, high = float(rest.min()), float(rest.max())
    gap = min(abs(value - low), abs(value - high))
    spread = high - low
    # A negative number among others that never are is a code from a smaller distance on.
    negative_alone = value < 0 <= low and value == round(value)
    return gap > spread or (negative_alone and gap > 0.05 * spread and abs(value) >= 9)


def _capped(dataset: Dataset, table: pd.DataFrame) -> Iterator[Finding]:
    """Find columns whose highest value is shared by many rows, while the values below it aren't."""
    for column in _numbers(dataset):
        values, counts = _counted(table[column.name])
        share, usual = int(counts[-1]), float(np.median(counts[-1 - _NEIGHBOURS : -1]))
        # A value far beyond the others is no limit, but a code.
        if _often(share, dataset.rows) and share > 3 * usual and not _is_far(float(values[-1]), values[:-1]):
            highest = number(float(values[-1]), 6)
            text = f"{share:,} rows share the highest value, {highest}, so it may have been cut off there."
            yield Finding((column.name,), text)


def _missing(dataset: Dataset) -> Iterator[Finding]:
    holed = [c for c in dataset.columns if c.missing and c.type is not ColumnType.CONSTANT]
    if len(holed) > _LISTED:
        holed.sort(key=lambda c: -c.missing)
        share = percent(holed[0].missing / dataset.rows)
        yield Finding(tuple(c.name for c in holed), f"values are missing, up to {holed[0].missing:,} ({share}).")
        return
    for column in holed:
        share = percent(column.missing / dataset.rows)
        verb = "value is" if column.missing == 1 else "values are"
        yield Finding((column.name,), f"{column.missing:,} {verb} missing ({share}).")


def _repeated(dataset: Dataset) -> Iterator[Finding]:
    if dataset.duplicate_rows:
        verb = "row repeats" if dataset.duplicate_rows == 1 else "rows repeat"
        share = percent(dataset.duplicate_rows / dataset.rows)
        yield Finding((), f"{dataset.duplicate_rows:,} {verb} an earlier row ({share}).")


def _useless(dataset: Dataset) -> Iterator[Finding]:
    for column in dataset.columns:
        if column.type in (ColumnType.CONSTANT, ColumnType.IDENTIFIER):
            yield Finding((column.name,), f"{column.note} It is left out.", serious=False)


def _rare_levels(dataset: Dataset) -> Iterator[Finding]:
    for column in dataset.columns:
        # With more levels than the profile lists, the rarest ones aren't known.
        if column.type is not ColumnType.CATEGORY or column.distinct > len(column.levels):
            continue
        rare = [level for level in column.levels if level.count < _FEWEST_ROWS]
        if rare:
            named = ", ".join(f"{level.value} ({level.count})" for level in rare[:_LISTED])
            more = f" and {len(rare) - _LISTED} more" if len(rare) > _LISTED else ""
            yield Finding((column.name,), f"few rows to learn from for {named}{more}.", serious=False)


def _notes(dataset: Dataset) -> Iterator[Finding]:
    for column in dataset.columns:
        if column.note and column.type not in (ColumnType.CONSTANT, ColumnType.IDENTIFIER):
            yield Finding((column.name,), column.note, serious=False)


def _numbers(dataset: Dataset) -> Iterator[Column]:
    for column in dataset.columns:
        if column.type is ColumnType.NUMBER and column.distinct >= _FEWEST_VALUES:
            yield column


def _counted(values: pd.Series) -> tuple[Floats, NDArray[np.int64]]:
    distinct, counts = np.unique(values.dropna().to_numpy(dtype=np.float64), return_counts=True)
    return distinct, counts.astype(np.int64)


def _often(count: int, rows: int) -> bool:
    return count >= _FEWEST_ROWS and count > _NOTABLE_SHARE * rows
