"""What a person can choose while preparing, and what each choice will change."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from dlreg_core.cleaning import coerce_column, columns_to_drop, ranked, repaired
from dlreg_core.ingest.inference import is_clock
from dlreg_core.specs import Cleaning, Column, ColumnType, Dataset, Recipe
from dlreg_core.splitting import feature_types, usable_rows

_TARGET_WORDS = re.compile(
    r"(target|price|value|charges|cost|amount|sales|revenue|salary|score|quality|strength|count|cnt|rating|yield|"
    r"delay|duration|demand|consumption|mpg|^y$)",
    re.IGNORECASE,
)
_FEWEST_TARGET_VALUES = 3
_SAMPLE_ROWS = 20_000
_NO_TYPES: Mapping[str, ColumnType] = {}
_NO_REPAIRS = Cleaning()


@dataclass(frozen=True)
class TargetChoice:
    """Whether a column can be predicted here, and why not."""

    name: str
    possible: bool
    reason: str = ""


@dataclass(frozen=True)
class ColumnChoice:
    """A column as a feature: whether it is used unless a person says otherwise, why, and how it goes with the target.

    ``relation`` is between 0 and 1: |Spearman correlation| for numbers and dates, the correlation ratio for the rest.
    """

    name: str
    type: ColumnType
    used: bool
    reason: str
    missing: int
    relation: float


@dataclass(frozen=True)
class StepPreview:
    """What a repair will change."""

    key: str
    title: str
    count: int
    unit: str
    columns: tuple[str, ...] = ()


def target_choices(dataset: Dataset) -> tuple[tuple[TargetChoice, ...], str | None]:
    """Say which columns can be the target, and which is the likeliest.

    Returns
    -------
    choices : tuple of TargetChoice
        One for each column, in the order of the file.
    suggestion : str or None
        A possible column that sounds like a target, else the last possible one; None when there is none.
    """
    choices = tuple(_target_choice(column) for column in dataset.columns)
    # A time of day is a target only where somebody says that it is a duration.
    possible = [
        c.name for c, column in zip(choices, dataset.columns, strict=True) if c.possible and not column.time_of_day
    ]
    named = [name for name in possible if _TARGET_WORDS.search(name)]
    # Where several names fit, the one nearest to the end: people put what they care about last.
    likeliest = named or possible
    return choices, likeliest[-1] if likeliest else None


def column_choices(
    dataset: Dataset,
    table: pd.DataFrame,
    target: str,
    types: Mapping[str, ColumnType] = _NO_TYPES,
    cleaning: Cleaning = _NO_REPAIRS,
) -> tuple[ColumnChoice, ...]:
    """Describe every other column as a feature for `target`.

    Parameters
    ----------
    dataset : Dataset
        The profile of the table.
    table : pandas.DataFrame
        Its rows.
    target : str
        The column to predict.
    types : mapping of str to ColumnType
        Types that a person set; the relation is that of the column in this type.
    cleaning : Cleaning
        Its repairs of single values are made before.
    """
    if len(table) > _SAMPLE_ROWS:
        table = table.sample(_SAMPLE_ROWS, random_state=0)
    table = repaired(table, cleaning)
    y = coerce_column(table[target], ColumnType.NUMBER)
    choices = []
    for column in dataset.columns:
        if column.name == target:
            continue
        used = column.type not in (ColumnType.IDENTIFIER, ColumnType.CONSTANT)
        values = coerce_column(table[column.name], types.get(column.name, column.type), column.day_first)
        order = cleaning.orders.get(column.name, ())
        relation = _relation(ranked(values, order) if order and values.dtype == object else values, y)
        choices.append(ColumnChoice(column.name, column.type, used, column.note, column.missing, relation))
    return tuple(choices)


def preview_steps(dataset: Dataset, table: pd.DataFrame, recipe: Recipe) -> tuple[StepPreview, ...]:
    """Say what each repair of `recipe` would change in this table, also of those that are switched off."""
    everything = recipe.model_copy(update={"cleaning": recipe.cleaning.model_copy(update={"drop_duplicates": True})})
    table = repaired(table, recipe.cleaning)
    _, without_target, duplicates = usable_rows(table, everything)
    types = feature_types(dataset, recipe)
    features = pd.DataFrame({c: coerce_column(table[c], types[c]) for c in recipe.features})
    all_on = recipe.cleaning.model_copy(update={"drop_constant": True, "drop_identifiers": True})
    dropped = columns_to_drop(features, types, all_on)
    identifiers = tuple(c for c in dropped if dropped[c] == "identifier")
    constants = tuple(c for c in dropped if c not in identifiers)
    orders = {c: order for c, order in recipe.cleaning.orders.items() if c in features and order}
    # Levels with an order become numbers, and what is not in it is missing.
    features = features.assign(**{c: features[c].where(features[c].isin(order)) for c, order in orders.items()})
    missing = {c: int(features[c].isna().sum()) for c in features.columns if c not in dropped}
    if len(table) < dataset.rows:
        # Where only some rows are looked at, the profile knows these numbers of all.
        duplicates = dataset.duplicate_rows
        without_target = dataset.column(recipe.target).missing
        missing = {c: dataset.column(c).missing for c in missing}
    numeric = {c for c in missing if types[c] in (ColumnType.NUMBER, ColumnType.DATETIME) or c in orders}
    numbers = tuple(c for c, n in missing.items() if n and c in numeric)
    levelled = (ColumnType.CATEGORY, ColumnType.BOOLEAN)
    levels = tuple(c for c, n in missing.items() if n and types[c] in levelled and c not in numeric)
    return (
        StepPreview("missing_target", f"Drop rows without {recipe.target}", without_target, "rows"),
        StepPreview("drop_duplicates", "Drop repeated rows", duplicates, "rows"),
        StepPreview("drop_constant", "Drop columns that never change", len(constants), "columns", constants),
        StepPreview("drop_identifiers", "Drop identifiers", len(identifiers), "columns", identifiers),
        StepPreview("impute_numbers", "Fill missing numbers", sum(missing[c] for c in numbers), "values", numbers),
        StepPreview("impute_categories", "Fill missing categories", sum(missing[c] for c in levels), "values", levels),
    )


def _target_choice(column: Column) -> TargetChoice:
    reasons = {
        ColumnType.CATEGORY: "holds categories, not numbers",
        ColumnType.TEXT: "holds text, not numbers",
        ColumnType.DATETIME: "holds dates, not numbers",
        ColumnType.BOOLEAN: "holds only yes and no",
        ColumnType.IDENTIFIER: "is an identifier: it names rows",
        ColumnType.CONSTANT: "is the same in every row",
    }
    if column.type is not ColumnType.NUMBER and not is_clock(column):
        return TargetChoice(column.name, possible=False, reason=reasons[column.type])
    if column.distinct < _FEWEST_TARGET_VALUES:
        return TargetChoice(column.name, possible=False, reason=f"has only {column.distinct} different values")
    return TargetChoice(column.name, possible=True)


def _relation(values: pd.Series, y: pd.Series) -> float:
    """Strength of the relation between a column and the target, between 0 and 1."""
    known = values.notna() & y.notna()
    values, y = values[known], y[known]
    if values.nunique() < 2 or y.nunique() < 2:
        return 0.0
    if values.dtype != object:
        return float(abs(values.rank().corr(y.rank())))
    if values.nunique() == len(values):
        # Each row has a level of its own: that says nothing about the target.
        return 0.0
    # Correlation ratio (eta): the share of the target's spread that lies between the levels.
    between = y.groupby(values.to_numpy()).transform("mean")
    levels = values.nunique()
    share = float(np.var(between) / np.var(y))
    # Corrected for chance: many levels explain some of any target.
    corrected = 1 - (1 - share) * (len(y) - 1) / max(1, len(y) - levels)
    return float(np.sqrt(max(0.0, corrected)))
