"""Raw values of new rows → what the table that was learned from would hold in their place; and what is odd there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from dlreg_core.ingest.inference import How, ReadCells, fits_both, is_clock, read_known
from dlreg_core.specs import ColumnFormat, ColumnType, Dataset, Recipe, TableFormat

_NAMED = 3


@dataclass(frozen=True)
class UnexpectedCells:
    """Rows of a column that were read in another way than as they were expected.

    Attributes
    ----------
    how : str
        In which way.
    rows : int
        How many.
    cells : tuple of (str, int, object)
        The first of them: what is written, in which row counted from 1, and what it was read as.
    unit : str
        The unit that they have, where that is the matter.
    doubtful : int
        Rows of the same column that fit the expected form, but mean something else in the other one.
    doubtful_cells : tuple of (str, int, object)
        The first of those.
    """

    how: How
    rows: int
    cells: tuple[tuple[str, int, Any], ...]
    unit: str = ""
    doubtful: int = 0
    doubtful_cells: tuple[tuple[str, int, Any], ...] = ()


def written_of(dataset: Dataset, table: pd.DataFrame, recipe: Recipe) -> TableFormat | None:
    """Tell how those columns are written that a recipe takes anything from.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows, or some of them, in the types of `DatasetStore.table`.
    recipe : Recipe
        Says which columns.

    Returns
    -------
    TableFormat or None
        None where an earlier version stored the table, and didn't keep how its numbers are written.
    """
    history = recipe.history
    past = () if history is None else (history.order, history.group, *(made.column for made in history.columns))
    wanted = {recipe.target, *recipe.features, *past}
    if dataset.dialect is None:
        return None
    text_file = bool(dataset.dialect.delimiter)
    columns: dict[str, ColumnFormat] = {}
    for column in dataset.columns:
        if column.name not in wanted or column.name not in table.columns:
            continue
        kind = _kind(table[column.name])
        if is_clock(column) and column.name in recipe.cleaning.units:
            # Read as durations, which may be longer than a day.
            kind = "text"
        if kind == "number" and text_file and column.type is ColumnType.NUMBER and column.form is None:
            return None
        form = column.form
        if form is None:
            form = ColumnFormat(kind=kind).form.model_copy(
                update={"decimal": recipe.cleaning.decimal if kind == "text" else dataset.dialect.decimal}
            )
        columns[column.name] = ColumnFormat(
            kind=kind,
            form=form,
            unit=column.unit,
            day_first=column.day_first,
            year_first=column.year_first,
            time_of_day=column.time_of_day,
        )
    for made in () if history is None else history.columns:
        if made.column in columns:
            columns[made.name] = columns[made.column]
    return TableFormat(dialect=dataset.dialect, columns=columns)


def _kind(values: pd.Series) -> Any:
    if pd.api.types.is_numeric_dtype(values.dtype) and values.dtype != bool:
        return "number"
    return "date" if pd.api.types.is_datetime64_any_dtype(values.dtype) else "text"


def as_stored(values: pd.Series, form: ColumnFormat) -> pd.Series:
    """Return raw values as the stored table would hold them: each is read for itself, in the form of its column.

    Parameters
    ----------
    values : pandas.Series
        Texts, or values in their types; both in one column too.
    form : ColumnFormat
        How the column is written that they belong to.

    Returns
    -------
    pandas.Series
        Numbers as float64, dates as datetime64, texts; missing where something can't be read.
    """
    if not _has_texts(values):
        return _typed(values, form)
    values = values.astype(object)
    levels, cells = _read(values, form)
    found: dict[Any, Any] = dict(zip(levels, cells.values, strict=True))
    others = {level for level in pd.unique(values.dropna()) if not isinstance(level, str)}
    if others:
        typed = [_typed(pd.Series([level]), form).iloc[0] for level in others]
        found |= dict(zip(others, typed, strict=True))
    read = values.map(found)
    if form.kind == "number":
        return read.astype("float64")
    return read.astype("datetime64[ns]") if form.kind == "date" else read.astype(object).where(read.notna(), None)


def unexpected_cells(values: pd.Series, form: ColumnFormat) -> tuple[UnexpectedCells, ...]:
    """Tell what is odd about raw values.

    Parameters
    ----------
    values : pandas.Series
        As `as_stored` takes them.
    form : ColumnFormat
        How the column is written that they belong to.
    """
    if not _has_texts(values):
        return _seen_typed(values, form)
    values = values.astype(object)
    levels, cells = _read(values, form)
    places = {level: place for place, level in enumerate(levels)}
    codes = values.map(lambda value: places.get(value, -1) if isinstance(value, str) else -1).to_numpy(dtype=np.int64)
    keys: dict[tuple[How, str], list[int]] = {}
    for place, (how, unit) in enumerate(zip(cells.how, cells.units, strict=True)):
        if how not in ("as-known", "missing"):
            named = unit if how in ("converted", "other-unit") else ""
            keys.setdefault((how, named), []).append(place)
    found = []
    for (how, unit), texts in keys.items():
        rows, first = _rows(np.isin(codes, texts), codes, levels, cells)
        doubtful: tuple[int, tuple[tuple[str, int, Any], ...]] = (0, ())
        if how in ("other-mark", "other-order"):
            doubtful = _rows(np.isin(codes, np.flatnonzero(fits_both(levels, form))), codes, levels, cells)
        found.append(UnexpectedCells(how, rows, first, unit, *doubtful))
    return tuple(found)


def _rows(
    chosen: np.ndarray[Any, np.dtype[np.bool_]],
    codes: np.ndarray[Any, np.dtype[np.int64]],
    levels: list[str],
    cells: ReadCells,
) -> tuple[int, tuple[tuple[str, int, Any], ...]]:
    rows = np.flatnonzero(chosen)
    return len(rows), tuple((levels[codes[row]], int(row) + 1, cells.values[codes[row]]) for row in rows[:_NAMED])


def _has_texts(values: pd.Series) -> bool:
    if isinstance(values.dtype, np.dtype) and values.dtype != object:
        return False
    return any(isinstance(value, str) for value in values.astype(object))


def _read(values: pd.Series, form: ColumnFormat) -> tuple[list[str], ReadCells]:
    levels = [level for level in pd.unique(values.dropna()) if isinstance(level, str)]
    return levels, read_known(levels, form)


def _typed(values: pd.Series, form: ColumnFormat) -> pd.Series:
    """Return values that have types already; those of another type than the column's are missing."""
    dated = pd.api.types.is_datetime64_any_dtype(values.dtype)
    if form.kind == "number" and dated:
        # A moment is no number; as nanoseconds since 1970 it would be one.
        return pd.Series(np.nan, index=values.index, name=values.name)
    return values


def _seen_typed(values: pd.Series, form: ColumnFormat) -> tuple[UnexpectedCells, ...]:
    known = values.notna()
    if form.kind != "number" or not known.any():
        return ()
    read = pd.to_numeric(_typed(values, form), errors="coerce")
    lost = (known & ~np.isfinite(read.astype("float64"))).to_numpy()
    infinite = pd.api.types.is_float_dtype(values.dtype)
    rows = np.flatnonzero(lost)
    first = tuple((str(values.iloc[row]), int(row) + 1, np.nan) for row in rows[:_NAMED])
    return (UnexpectedCells("infinite" if infinite else "unreadable", len(rows), first),) if len(rows) else ()


def forms_of(written: TableFormat | None) -> Mapping[str, ColumnFormat]:
    """Return how columns are written, by their names; empty where that isn't known."""
    return {} if written is None else written.columns
