"""What the pages before a run share: the draft of its recipe, and the core's answers about it, cached."""

from __future__ import annotations

from typing import Any, Literal

import streamlit as st

from dlreg_core.charts.data.before_after import BeforeAfter
from dlreg_core.checks import RowNeeds, SplitMeasure, TwinsHonesty, measure_split, twins_honesty
from dlreg_core.checks import row_needs as row_needs_of
from dlreg_core.checks.findings import Finding, findings
from dlreg_core.cleaning import coerce_column, profile_without
from dlreg_core.cleaning import merged as merged_labels
from dlreg_core.errors import RecipeError
from dlreg_core.ingest.inference import MOST, any_order, in_seconds, is_clock
from dlreg_core.recipe import (
    ColumnChoice,
    Draft,
    StepPreview,
    column_choices,
    is_used,
    level_order_of,
    load_draft,
    measured_recipe,
    preview_steps,
    recipe_of,
    save_draft,
    start_draft,
)
from dlreg_core.recipe.step_previews import preview_transform, sample_of
from dlreg_core.specs import (
    Column,
    ColumnType,
    Dataset,
    Recipe,
    RowCounts,
    TransformName,
)
from dlreg_core.splitting import foreseen_counts, own_test_table, prepare_table
from dlreg_core.wording import TRANSFORM_WORDS
from pages._ui.prepare import starting_split
from pages._ui.prepare.cached_previews import key_of
from pages._ui.shared import services, session


def draft(dataset: Dataset) -> Draft | None:
    """Return what a person has chosen so far, or what to start from; None when nothing here can be predicted."""
    found: Draft | None = session.draft("draft")
    if found is None:
        # A reload of the browser begins a new session: what was chosen before is on the disk.
        found = load_draft(services.settings().home, services.owner(), dataset.id) or start_draft(dataset)
        session.keep("draft", found)
    return found


def keep(chosen: Draft) -> None:
    """Remember choices for the open data set, so that they survive going to another page, and a reload."""
    session.keep("draft", chosen)
    identifier = session.dataset_id()
    if identifier is not None:
        save_draft(services.settings().home, services.owner(), identifier, chosen)


def change(chosen: Draft, **updates: Any) -> Draft:
    """Return a draft with some choices changed, and remember it."""
    changed = chosen.changed(**updates)
    keep(changed)
    return changed


def recipe(dataset: Dataset, chosen: Draft) -> Recipe:
    """Return the recipe that the choices make; `RecipeError` where they make none."""
    made = recipe_of(dataset, chosen)
    session.keep("recipe", made)
    return made


def recipe_without_split(dataset: Dataset, chosen: Draft) -> Recipe:
    """Return the recipe with a random split, for what doesn't depend on the split."""
    # Neither does it depend on earlier rows, of which those of the target need a split by time.
    plain: dict[str, Any] = {"kind": "random", "column": None, "validation": 0.15, "test": 0.15, "history": None}
    return recipe_of(dataset, chosen.changed(**plain))


def recipe_by_time(dataset: Dataset, chosen: Draft) -> Recipe:
    """Return the recipe as if its split were by time, for pictures of earlier rows."""
    order = chosen.history.order if chosen.history is not None else None
    return recipe_of(dataset, chosen.changed(kind="time" if order else "random", column=order))


def current_recipe(dataset: Dataset) -> Recipe | None:
    """Return the recipe of the open data set, None when nothing can be predicted or a choice is missing."""
    chosen = draft(dataset)
    if chosen is None:
        return None
    try:
        return recipe(dataset, starting_split.settled(dataset, chosen))
    except RecipeError:
        return None


def remarks(dataset: Dataset, target: str | None = None) -> tuple[Finding, ...]:
    """Return what to look at in a table; with a target, also what gives it away."""
    return _remarks(*services.place(), dataset.id, target)


def say_what_was_seen(dataset: Dataset) -> None:
    """Say where findings come from only some of the rows."""
    seen = len(services.sample(dataset.id))
    if seen < dataset.rows:
        st.caption(
            f"Missing values and repeated rows are counted in all {dataset.rows:,} rows; "
            f"everything else was looked for in {seen:,} of them, drawn at random."
        )


def left_out_by_suggestions(dataset: Dataset, chosen: Draft) -> str:
    """Return which of the columns that findings suggest to leave out are left out, as a part of a widget's key."""
    steps = [finding.step for finding in remarks(dataset, chosen.target) if finding.step is not None]
    names = sorted({name for step in steps for name in step.leave_out if not is_used(dataset, chosen, name)})
    return "|".join(names)


def target_column(dataset: Dataset, chosen: Draft) -> Column:
    """Return the profile of the target, without codes that stand for a missing value."""
    codes = chosen.cleaning.missing_codes.get(chosen.target, ())
    if is_clock(dataset.column(chosen.target)):
        return in_seconds(dataset, services.sample(dataset.id), chosen.target)[0].column(chosen.target)
    if not codes:
        return dataset.column(chosen.target)
    return profile_without(services.sample(dataset.id)[chosen.target], codes)


def transformed(dataset: Dataset, chosen: Draft) -> BeforeAfter:
    """Return the target as it is and as it is learned; `RecipeError` where it can't be transformed so."""
    codes = chosen.cleaning.missing_codes.get(chosen.target, ())
    return _transformed(*services.place(), dataset.id, chosen.target, codes, chosen.target_transform)


def choices(dataset: Dataset, chosen: Draft) -> tuple[ColumnChoice, ...]:
    """Return every other column with its relation to the target, in its type and with its values repaired."""
    names = tuple(name for name in dataset.column_names if name != chosen.target)
    orders = {name: order for name in names if (order := level_order_of(dataset, chosen, name))}
    repairs = chosen.cleaning.repairs
    units = {name: unit for name, unit in repairs.units.items() if chosen.types.get(name) is ColumnType.NUMBER}
    cleaning = repairs.model_copy(update={"orders": orders, "units": units})
    key = Draft(target=chosen.target, types=chosen.types, cleaning=cleaning)
    return _choices(*services.place(), dataset.id, key.model_dump_json())


def levels_of(dataset: Dataset, chosen: Draft, name: str) -> dict[str, int]:
    """Return the levels of a column as categories, the most frequent first, and the rows of each."""
    merged = chosen.cleaning.merged_labels.get(name, {})
    return _levels(*services.place(), dataset.id, name, tuple(merged.items()))


def first_order(dataset: Dataset, chosen: Draft, name: str) -> tuple[str, ...]:
    """Return an order of a column's levels to start from; empty where they are too many, or fewer than two."""
    levels = levels_of(dataset, chosen, name)
    return any_order(levels) if 2 <= len(levels) <= MOST else ()


def steps(dataset: Dataset, made: Recipe) -> tuple[StepPreview, ...]:
    """Return what each repair changes."""
    # Neither the unit nor how gaps are filled changes what there is to repair: those answers are the same.
    return _steps(*services.place(), dataset.id, key_of(made, "orders"))


def counts(dataset: Dataset, made: Recipe, seconds: float) -> RowCounts:
    """Return how many rows train, choose and judge in a run of so many seconds.

    Of a table that is too large to be looked at whole, the numbers are worked out from some of its rows. `RecipeError`
    where the recipe doesn't fit the table.
    """
    removed = {name: rule for name, rule in made.cleaning.outliers.items() if rule.act == "remove"}
    cleaning = made.cleaning.repairs_and("drop_duplicates", "isolation").model_copy(update={"outliers": removed})
    plain = made.model_copy(update={"unit": "", "cleaning": cleaning})
    return _counts(*services.place(), dataset.id, plain.model_dump_json(), seconds)


def honesty(dataset: Dataset, made: Recipe) -> TwinsHonesty:
    """Return what near twins on both sides would hide; `RecipeError` where they can't be kept together."""
    return _honesty(*services.place(), dataset.id, made.model_dump_json())


def measured_column(
    dataset: Dataset, chosen: Draft, kind: Literal["time", "group"], column: str
) -> SplitMeasure | None:
    """Return by how much a random split flatters for one column; None where that can't be measured."""
    made = measured_recipe(dataset, chosen)
    return _measured_column(*services.place(), dataset.id, made.model_dump_json(), kind, column)


def row_needs(dataset: Dataset, made: Recipe) -> RowNeeds | None:
    """Return the errors of a quick model by its training rows; None where there are too few."""
    return _row_needs(*services.place(), dataset.id, made.model_dump_json())


@st.cache_data(show_spinner="Training a quick model on both splits", max_entries=32)
def _honesty(home: str, owner: str, dataset_id: str, recipe_json: str) -> TwinsHonesty:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    return twins_honesty(store.get(dataset_id), store.sample(dataset_id), made)


@st.cache_data(show_spinner="Training quick models on later rows, or on those of other groups", max_entries=32)
def _measured_column(
    home: str, owner: str, dataset_id: str, recipe_json: str, kind: Literal["time", "group"], column: str
) -> SplitMeasure | None:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    return measure_split(store.get(dataset_id), store.sample(dataset_id), made, kind, column)


@st.cache_data(show_spinner="Training a quick model on growing parts of the rows", max_entries=32)
def _row_needs(home: str, owner: str, dataset_id: str, recipe_json: str) -> RowNeeds | None:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    own_test = own_test_table(store, made, sampled=True)
    prepared = prepare_table(store.get(dataset_id), store.sample(dataset_id), made, own_test)
    return row_needs_of(prepared, made.cleaning, made.split.seed)


@st.cache_data(show_spinner="Looking for what is odd", max_entries=32)
def _remarks(home: str, owner: str, dataset_id: str, target: str | None) -> tuple[Finding, ...]:
    store = services.store(home, owner)
    return findings(store.get(dataset_id), store.sample(dataset_id), target)


@st.cache_data(show_spinner=False, max_entries=64)
def _transformed(
    home: str, owner: str, dataset_id: str, target: str, codes: tuple[float, ...], method: TransformName
) -> BeforeAfter:
    values = sample_of(services.store(home, owner).sample(dataset_id, [target]))[target]
    return preview_transform(values, codes, method, f"learned as {TRANSFORM_WORDS[method]}")


@st.cache_data(show_spinner=False, max_entries=64)
def _choices(home: str, owner: str, dataset_id: str, draft_json: str) -> tuple[ColumnChoice, ...]:
    store, chosen = services.store(home, owner), Draft.model_validate_json(draft_json)
    return column_choices(store.get(dataset_id), store.sample(dataset_id), chosen.target, chosen.types, chosen.cleaning)


@st.cache_data(show_spinner=False, max_entries=64)
def _levels(home: str, owner: str, dataset_id: str, name: str, merged: tuple[tuple[str, str], ...]) -> dict[str, int]:
    del home, owner
    values = coerce_column(services.sample(dataset_id)[name], ColumnType.CATEGORY)
    counts = merged_labels(values, dict(merged)).value_counts()
    return {str(level): int(count) for level, count in counts.items()}


@st.cache_data(show_spinner="Counting what each repair changes", max_entries=64)
def _steps(home: str, owner: str, dataset_id: str, recipe_json: str) -> tuple[StepPreview, ...]:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    return preview_steps(store.get(dataset_id), store.sample(dataset_id), made)


@st.cache_data(show_spinner="Dividing the rows", max_entries=64)
def _counts(home: str, owner: str, dataset_id: str, recipe_json: str, seconds: float) -> RowCounts:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    own_test = own_test_table(store, made)
    return foreseen_counts(store.get(dataset_id), store.sample(dataset_id), made, own_test, seconds)
