"""What cleaning steps make of columns, and which of them promise something: the core's answers, cached."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from dlreg_core.charts.data.before_after import BeforeAfter
from dlreg_core.charts.data.lagged_series import LaggedSeries
from dlreg_core.checks import PromisingCombination, promising_combinations
from dlreg_core.cleaning import SUGGESTED, Clock, OutlyingColumn, outlying_columns, repaired, step_of
from dlreg_core.recipe.step_previews import (
    preview_combination,
    preview_date,
    preview_outliers,
    preview_past,
    preview_step,
    sample_of,
)
from dlreg_core.specs import Combination, Dataset, OutlierRule, PastColumn, Recipe
from dlreg_core.splitting import prepare_table
from pages._ui.shared import services


def key_of(made: Recipe, *others: str, **changes: Any) -> str:
    """Return of a recipe what an answer hangs on: its repairs of single values, and of the cleaning what is named."""
    plain = made.model_copy(update={"unit": "", "cleaning": made.cleaning.repairs_and(*others), **changes})
    return plain.model_dump_json()


def step_picture(dataset: Dataset, made: Recipe, column: str, kinds: tuple[str, ...]) -> BeforeAfter:
    """Return a column before and after a kind of step; `RecipeError` where no column is left."""
    plain = made.model_copy(update={"unit": "", "target_transform": "none"})
    return _step_picture(*services.place(), dataset.id, plain.model_dump_json(), column, kinds)


def outlier_picture(dataset: Dataset, made: Recipe, column: str) -> BeforeAfter:
    """Return a column before and after its outliers are dealt with; `RecipeError` where too few rows are left."""
    plain = made.model_copy(update={"unit": "", "target_transform": "none"})
    return _outlier_picture(*services.place(), dataset.id, plain.model_dump_json(), column)


def date_pictures(dataset: Dataset, made: Recipe, column: str) -> dict[str, BeforeAfter]:
    """Return a column of dates beside each number that the models get of it."""
    rows = sample_of(services.sample(dataset.id)[[column]])
    return preview_date(dataset, rows, made, column)


def combination_picture(dataset: Dataset, recipe: Recipe, made: Combination) -> BeforeAfter:
    """Return the first column of a combination, and what is made of both."""
    rows = sample_of(services.sample(dataset.id)[list({made.left, made.right})])
    return preview_combination(repaired(rows, recipe.cleaning), made)


def past_picture(dataset: Dataset, made: Recipe, column: PastColumn) -> LaggedSeries:
    """Return a column over time and what is made of earlier rows; `RecipeError` where it can't be made."""
    return _past_picture(*services.place(), dataset.id, key_of(made, target_transform="none"), column.model_dump_json())


def span(dataset: Dataset, order: str, group: str | None) -> Callable[[float], str]:
    """Return how so many steps of a table's rows are called: "14 days"."""
    clock = _clock(*services.place(), dataset.id, order, group)
    return clock.span if clock is not None else lambda steps: "1 row" if steps == 1 else f"{steps:,.0f} rows"


def promising(dataset: Dataset, made: Recipe) -> tuple[PromisingCombination, ...]:
    """Return the combinations that promise most; `RecipeError` where the recipe doesn't fit the table."""
    return _promising(*services.place(), dataset.id, key_of(made, "drop_duplicates", history=None))


def outlying(dataset: Dataset, made: Recipe, rule: OutlierRule = SUGGESTED) -> tuple[OutlyingColumn, ...]:
    """Return how many outliers each column of numbers has."""
    return _outlying(*services.place(), dataset.id, key_of(made, target_transform="none"), rule.model_dump_json())


@st.cache_data(show_spinner="Looking at some rows", max_entries=64)
def _step_picture(
    home: str, owner: str, dataset_id: str, recipe_json: str, column: str, kinds: tuple[str, ...]
) -> BeforeAfter:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    return preview_step(store.get(dataset_id), sample_of(store.sample(dataset_id)), made, column, kinds)


@st.cache_data(show_spinner="Looking at some rows", max_entries=64)
def _outlier_picture(home: str, owner: str, dataset_id: str, recipe_json: str, column: str) -> BeforeAfter:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    return preview_outliers(store.get(dataset_id), sample_of(store.sample(dataset_id)), made, column)


@st.cache_data(show_spinner="Looking for outliers", max_entries=64)
def _outlying(home: str, owner: str, dataset_id: str, recipe_json: str, rule_json: str) -> tuple[OutlyingColumn, ...]:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    rule = OutlierRule.model_validate_json(rule_json)
    return outlying_columns(store.get(dataset_id), store.sample(dataset_id), made, rule)


@st.cache_data(show_spinner="Looking at the last rows", max_entries=32)
def _past_picture(home: str, owner: str, dataset_id: str, recipe_json: str, column_json: str) -> LaggedSeries:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    column = PastColumn.model_validate_json(column_json)
    if made.history is None:
        raise ValueError("there are no earlier rows to take anything from")
    alone = made.history.model_copy(update={"columns": (column,)})
    wanted = {alone.order, alone.group, column.column}
    dataset = store.get(dataset_id)
    # All rows: of some that are drawn at random, the row before one is another.
    rows = store.table(dataset_id, [name for name in dataset.column_names if name in wanted])
    return preview_past(dataset, rows, made.model_copy(update={"history": alone}), column)


@st.cache_data(show_spinner="Looking at the steps of time", max_entries=32)
def _clock(home: str, owner: str, dataset_id: str, order: str, group: str | None) -> Clock | None:
    store = services.store(home, owner)
    return step_of(store.get(dataset_id), store.table(dataset_id, [order, *([group] if group else [])]), order, group)


@st.cache_data(show_spinner="Looking at pairs of columns", max_entries=32)
def _promising(home: str, owner: str, dataset_id: str, recipe_json: str) -> tuple[PromisingCombination, ...]:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    return promising_combinations(prepare_table(store.get(dataset_id), store.sample(dataset_id), made))
