"""Rows of stored tables in a recipe's units: those of an own test file above all, which may be written in others."""

from __future__ import annotations

import pandas as pd

from dlreg_core.errors import RecipeError
from dlreg_core.ingest import DatasetStore
from dlreg_core.ingest.conversions import converted, convertible
from dlreg_core.prepare.repairing import repaired
from dlreg_core.specs import Cleaning, Dataset, Recipe


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
        If a column of it has a unit that can't be converted.
    """
    own = recipe.split.test_dataset
    if own is None:
        return None
    return in_units(store.get(own), store.sample(own) if sampled else store.table(own), recipe.cleaning)


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
