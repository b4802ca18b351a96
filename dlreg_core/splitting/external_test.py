"""Rows of stored tables in a recipe's units: those of an own test file above all, which may be written in others."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from dlreg_core.cleaning import repaired
from dlreg_core.errors import NotFoundError, RecipeError
from dlreg_core.ingest.datasets import DatasetStore
from dlreg_core.ingest.formats import Source, read_bytes, reads_in_pieces, said_plainly, unpacked
from dlreg_core.ingest.formats.text import reading_like
from dlreg_core.ingest.inference import converted, convertible
from dlreg_core.specs import Cleaning, ColumnType, Dataset, Reading, Recipe


@said_plainly()
def add_own_test(store: DatasetStore, source: Source, name: str, table: Dataset) -> Dataset:
    """Read and keep an own test file: what its cells leave open means what it means in the table it judges models of.

    What is plainly written in another way is read so.

    Parameters
    ----------
    store : DatasetStore
        Keeps it.
    source : Path, str, bytes or binary file object
        The file, or its content.
    name : str
        What to call it.
    table : Dataset
        The table that models learn from.

    Raises
    ------
    TableError
        If the file is no readable table.
    """
    in_pieces = isinstance(source, str | Path) and reads_in_pieces(source)
    content = source if in_pieces else read_bytes(source)
    encoding = None if in_pieces else _encoding_like(store, read_bytes(content), table)
    here_before = {dataset.id for dataset in store.list()}
    readings = [store.add(content, name, Reading(encoding=encoding))]
    chosen = _as_table(store, readings, table, Reading(encoding=encoding))
    # Other readings were only tried; what somebody opened before stays.
    for tried in {dataset.id for dataset in readings} - here_before - {chosen.id}:
        store.delete(tried)
    return chosen


def _as_table(store: DatasetStore, readings: list[Dataset], table: Dataset, reading: Reading) -> Dataset:
    """Read a file again where the table's order of dates, or its decimal mark, fits what was read in another way.

    What is tried is added to the readings, of which the first is there.
    """
    (first,) = readings
    found = [table.column(column) for column in table.column_names if column in first.column_names]
    orders = {column.day_first for column in found if column.day_first is not None}
    if len(orders) == 1:
        reading = reading.model_copy(update={"day_first": orders.pop()})
        if any(column.day_first not in (None, reading.day_first) for column in first.columns):
            first = store.read_again(first.id, reading)
            readings.append(first)
    marks = {column.form.decimal for column in found if column.form is not None}
    if len(marks) != 1 or first.dialect is None or not first.dialect.delimiter or first.dialect.decimal in marks:
        return first
    readings.append(store.read_again(first.id, reading.model_copy(update={"decimal": marks.pop()})))
    # Numbers that the table's mark makes texts of are plainly written with the other one.
    numbers = [column.name for column in first.columns if column.form is not None]
    return readings[-1] if all(readings[-1].column(name).form is not None for name in numbers) else first


def _encoding_like(store: DatasetStore, content: bytes, table: Dataset) -> str | None:
    """Return the encoding that the table's own texts tell of a file; None where they don't."""
    if table.dialect is None or not table.dialect.encoding or content.isascii():
        return None
    texts = [column.name for column in table.columns if column.type in (ColumnType.TEXT, ColumnType.CATEGORY)]
    rows = store.sample(table.id, texts)
    levels = {str(level) for text in texts for level in rows[text].dropna().unique()}
    return reading_like(unpacked(content), table.dialect, table.column_names, levels).encoding


def own_test_table(store: DatasetStore, recipe: Recipe, *, sampled: bool = False) -> pd.DataFrame | None:
    """Return the rows of the own test file with numbers in the recipe's units; None where there is no such file.

    Parameters
    ----------
    store : DatasetStore
        Holds the file.
    recipe : Recipe
        Says which it is, and the units.
    sampled : bool
        Whether the rows that stand for all are enough.

    Raises
    ------
    RecipeError
        If it was deleted, or a column of it has a unit that can't be converted.
    """
    own = recipe.split.test_dataset
    if own is None:
        return None
    try:
        file, rows = store.get(own), store.sample(own) if sampled else store.table(own)
    except NotFoundError as exc:
        raise RecipeError("The own test file was deleted.", "Choose it again, or another split.") from exc
    return in_units(file, rows, recipe.cleaning)


def in_units(file: Dataset, rows: pd.DataFrame, cleaning: Cleaning) -> pd.DataFrame:
    """Return rows of a stored table with numbers in a cleaning's units.

    Parameters
    ----------
    file : Dataset
        The profile of the table, which knows the units that it was written in.
    rows : pandas.DataFrame
        Some of its rows, or all.
    cleaning : Cleaning
        Says which columns shall have which unit.

    Raises
    ------
    RecipeError
        If a column has a unit that can't be converted.
    """
    changed = {}
    for name, unit in cleaning.units.items():
        own = file.column(name).unit if name in file.column_names and name in rows.columns else ""
        if own and own != unit:
            if not convertible(own, unit):
                raise RecipeError(
                    f"The test file has {name} in {own}, which can't be converted into the table's {unit}.",
                    "Write it in the same unit.",
                )
            changed[name] = rows[name].map(lambda one, own=own, unit=unit: converted(one, own, unit))
    units = Cleaning(units=cleaning.units, decimal=cleaning.decimal)
    return repaired(rows.assign(**changed) if changed else rows, units)
