"""Columns that teach nothing, that repeat each other, or that have levels with few rows."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from scipy.sparse.csgraph import connected_components

from dlreg_core.checks.findings.finding import Finding, Repair, Severity, listed_names
from dlreg_core.checks.findings.row_sample import RowSample
from dlreg_core.formatting import number
from dlreg_core.ingest.inference import common_unit, converted, units_of
from dlreg_core.ingest.inference.times import UNIT
from dlreg_core.names import MOST_CHARACTERS
from dlreg_core.specs import ColumnType, Dataset

_UNUSED = (ColumnType.CONSTANT, ColumnType.IDENTIFIER)
_FEWEST_ROWS = 10
_LISTED = 3
_SAME = 0.98
_REPAIRS: dict[str, tuple[Severity, str]] = {
    "mixed-units": ("medium", "Write all of them in one unit in the file, so that they can be compared."),
    "ambiguous-dates": ("medium", "Choose the other order if that is wrong."),
    "not-numbers": ("medium", "Write numbers in the file where these values stand for one, such as 0."),
    "no-results": ("high", ""),
    "exchanged-dates": ("high", "Go back to the file that the workbook was made from, or write all dates as texts."),
    "half-dates": ("medium", "Compare some of them with what they should be, and write all dates in one way."),
    "not-dates": ("medium", "Correct these values in the file, or count them as missing."),
    "not-times": ("medium", "Correct these values in the file, or count them as missing."),
    "not-durations": ("medium", "Correct these values in the file, or count them as missing."),
    "maybe-dates": ("medium", "Read them as dates if they are."),
    "open-dates": (
        "medium",
        "Where a gap has a meaning of its own, say so in a column of its own, such as open: yes or no.",
    ),
}
_READ_AS: dict[str, str] = {
    "not-dates": "dates, and count all else as missing",
    "not-times": "times of day, and count all else as missing",
    "maybe-dates": "dates",
    "not-durations": "",
    "times": "",
}
_SECONDS = ("not-durations", "times")
"""Codes of columns that can be a number of seconds."""


def column_findings(sample: RowSample, target: str | None = None) -> Iterator[Finding]:
    """Look at the columns as features; at the target only for what the reader of the file noted."""
    yield from _correlated(sample, target)
    yield from _useless(sample.dataset)
    yield from _rare_levels(sample.dataset)
    yield from _notes(sample)
    yield from _doubtful_marks(sample.dataset)
    yield from _renamed(sample.dataset)


def _correlated(sample: RowSample, target: str | None) -> Iterator[Finding]:
    """Find groups of columns in which each goes with another one in a straight line."""
    features = [place for place, name in enumerate(sample.names) if name != target]
    if len(features) < 2:
        return
    strength = np.abs(sample.correlations[np.ix_(features, features)])
    np.fill_diagonal(strength, 0.0)
    groups, labels = connected_components(strength > _SAME, directed=False)
    for group in range(groups):
        members = np.flatnonzero(labels == group)
        if len(members) < 2:
            continue
        names = tuple(sample.names[features[member]] for member in members)
        # The weakest of the links that hold the group together.
        least = float(strength[np.ix_(members, members)].max(axis=1).min())
        # Rounded down, so that only a straight line has a correlation of 1.
        told = f"{math.floor(least * 1000 + 1e-6) / 1000:g} or more" if least < 1 - 1e-9 else "1"
        text = f"they carry nearly the same information: their correlation is {told}."
        repair = "Keep one of them where you want to read how much each column matters; accuracy hardly changes."
        yield Finding(names, text, "correlated", "low", repair)


def _useless(dataset: Dataset) -> Iterator[Finding]:
    codes = {ColumnType.CONSTANT: "constant", ColumnType.IDENTIFIER: "identifier"}
    for column in dataset.columns:
        if column.type in codes and column.note_code != "no-results":
            yield Finding((column.name,), f"{column.note} It is left out.", codes[column.type], "low")


def _rare_levels(dataset: Dataset) -> Iterator[Finding]:
    for column in dataset.columns:
        # With more levels than the profile lists, the rarest ones aren't known.
        if column.type is not ColumnType.CATEGORY or column.distinct > len(column.levels):
            continue
        rare = [level for level in column.levels if level.count < _FEWEST_ROWS]
        if rare:
            named = ", ".join(f"{level.value} ({level.count})" for level in rare[:_LISTED])
            more = f" and {len(rare) - _LISTED} more" if len(rare) > _LISTED else ""
            text = f"few rows to learn from for {named}{more}."
            repair = "Add rows of them, or give them one name in the file, such as other."
            yield Finding((column.name,), text, "rare-levels", "low", repair)


def _notes(sample: RowSample) -> Iterator[Finding]:
    for column in sample.dataset.columns:
        if column.note and (column.type not in _UNUSED or column.note_code == "no-results"):
            severity, repair = _REPAIRS.get(column.note_code, ("low", ""))
            step = None
            if column.note_code == "mixed-units":
                repair, step = _conversion(sample, column.name, repair)
            elif column.note_code == "not-numbers" and column.type is not ColumnType.NUMBER:
                repair, step = _others_missing(sample, column.name)
            elif column.note_code in _READ_AS:
                step = _read_as(column.name, column.note_code)
            yield Finding((column.name,), column.note, column.note_code or "note", severity, repair, step)


def _doubtful_marks(dataset: Dataset) -> Iterator[Finding]:
    """Tell of numbers such as 12.450 where no column shows whether the point is a decimal mark."""
    dialect = dataset.dialect
    names = tuple(name for name in dialect.doubtful if name in dataset.column_names) if dialect is not None else ()
    if dialect is None or not names:
        return
    mark, group = ("comma", "point") if dialect.decimal == "," else ("point", "comma")
    text = (
        f"all numbers here fit both decimal marks. They are read with a decimal {mark}, since semicolons separate the "
        f"columns: a {group} groups thousands."
    )
    repair = f"Choose the decimal {group} under Read it differently if that is wrong."
    yield Finding(names, text, "ambiguous-decimals", "medium", repair)


def _renamed(dataset: Dataset) -> Iterator[Finding]:
    """Tell of names that stand otherwise in the file."""
    names = dataset.dialect.renamed if dataset.dialect is not None else ()
    names = tuple(name for name in names if name in dataset.column_names)
    if names:
        them, stand = ("this name", "stands") if len(names) == 1 else ("these names", "stand")
        text = (
            f"{them} {stand} otherwise in the file: with characters that can't be seen, or longer than "
            f"{MOST_CHARACTERS} characters. Where names would have become equal, a mark in brackets tells them apart."
        )
        yield Finding(names, text, "renamed", "low", "Files of new rows may have the names as in the file, or as here.")


def _others_missing(sample: RowSample, name: str) -> tuple[str, Repair | None]:
    """Return how to read a column as numbers, where those have one unit at most: the other values are missing then."""
    dialect = sample.dataset.dialect
    rows = units_of(sample.table[name], dialect.decimal if dialect is not None else ".")
    if len(rows) > 1 and common_unit(rows) is None:
        return "Correct these values in the file if the column is one of numbers.", None
    unit = max(rows, key=lambda item: item[1])[0] if rows else ""
    label = f"Read {name} as numbers, and count the other values as missing"
    return "Read it as numbers: the other values count as missing then.", Repair(label, units={name: unit})


def _read_as(name: str, code: str) -> Repair:
    """Return how to read a column of texts as what most of them are, or times of day as durations."""
    if code in _SECONDS:
        return Repair(f"Read {name} as a number of seconds", units={name: UNIT})
    return Repair(f"Read {name} as {_READ_AS[code]}", types={name: ColumnType.DATETIME})


def _conversion(sample: RowSample, name: str, otherwise: str) -> tuple[str, Repair | None]:
    """Return how to bring numbers into one unit, where all of them can be."""
    dialect = sample.dataset.dialect
    rows = units_of(sample.table[name], dialect.decimal if dialect is not None else ".")
    unit = common_unit(rows)
    if unit is None:
        return otherwise, None
    others = [other for other, _ in rows if other and other != unit]
    bare = " Numbers without a unit are taken for it." if any(not other for other, _ in rows) else ""
    if not others:
        return f"Take the numbers without {unit} for {unit} too.", Repair(
            f"Read {name} in {unit}, as numbers", units={name: unit}
        )
    told = listed_names([f"1 {other} is {number(converted(1, other, unit), 6)} {unit}" for other in others])
    return f"Convert all of them into {unit}: {told}.{bare}", Repair(
        f"Convert {name} into {unit}, as numbers", units={name: unit}
    )
