"""Repairs of single values, made before anything else: units, codes for a missing value, labels that mean the same."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from dlreg_core.ingest.inference import in_unit, number_column, seconds_since_midnight
from dlreg_core.specs import Cleaning, Column


def repaired(table: pd.DataFrame, cleaning: Cleaning) -> pd.DataFrame:
    """Return a raw table with numbers in one unit, codes for a missing value taken out, and labels merged.

    Parameters
    ----------
    table : pandas.DataFrame
        Raw rows; columns that aren't there are passed over.
    cleaning : Cleaning
        Says which values of which columns.

    Returns
    -------
    pandas.DataFrame
        The same rows and columns; the table itself is not changed.
    """
    changed = {
        name: in_unit(table[name], unit, cleaning.decimal)
        for name, unit in cleaning.units.items()
        if name in table.columns and table[name].dtype == object
    }
    clocks = [name for name in cleaning.units if name in table.columns and table[name].dtype.kind == "M"]
    changed |= {name: seconds_since_midnight(table[name]) for name in clocks}
    for name, codes in cleaning.missing_codes.items():
        if name in table.columns:
            changed[name] = without_codes(changed.get(name, table[name]), codes)
    for name, labels in cleaning.merged_labels.items():
        if name in table.columns:
            changed[name] = merged(table[name], labels)
    return table.assign(**changed) if changed else table


def without_codes(values: pd.Series, codes: tuple[float, ...]) -> pd.Series:
    """Return numbers with those that stand for a missing value taken out."""
    numbers = pd.to_numeric(values, errors="coerce")
    return values.mask(numbers.isin(codes)) if codes else values


def profile_without(values: pd.Series, codes: tuple[float, ...]) -> Column:
    """Return the profile of a column of numbers without those that stand for a missing value."""
    kept = pa.array(without_codes(values, codes).astype("float64"), pa.float64(), from_pandas=True)
    return number_column(str(values.name), kept)


def merged(values: pd.Series, labels: dict[str, str]) -> pd.Series:
    """Return labels with those that mean the same written in one way."""
    return values.map(lambda label: labels.get(label, label)) if labels else values
