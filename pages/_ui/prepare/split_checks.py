"""Prepare: whether test rows are known by heart, and whether they are like the rows that train."""

from __future__ import annotations

import streamlit as st

from dlreg_core.checks import ColumnShift, TwinCheck, column_shifts, twin_check
from dlreg_core.recipe import Draft
from dlreg_core.specs import Dataset, Recipe
from dlreg_core.splitting import own_test_table, prepare_table
from dlreg_core.wording import shift_words, twin_words
from pages._ui.prepare import draft_session
from pages._ui.shared import services
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import folded

_MOST_ROWS = 200_000
"""Of larger tables it is worked out only when somebody asks."""


def checks(dataset: Dataset, draft: Draft, recipe: Recipe) -> bool:
    """Show what is wrong about the test rows, and let a person repair it; return whether something is known to be."""
    if dataset.rows <= _MOST_ROWS:
        return _checks(dataset, draft, recipe)
    part = folded("Are the test rows fit to judge?", "rule", f"checks_{dataset.id}_{draft.target}")
    if part.open:
        with part:
            return _checks(dataset, draft, recipe)
    return False


def _checks(dataset: Dataset, draft: Draft, recipe: Recipe) -> bool:
    cleaning = recipe.cleaning.model_copy(update={"orders": {}})
    plain = recipe.model_copy(update={"unit": "", "cleaning": cleaning})
    twins, moved = _found(*services.place(), dataset.id, plain.model_dump_json())
    _twins(dataset, draft, twins)
    told = shift_words(moved) if draft.kind == "own" else ""
    if told:
        st.markdown(f":orange[:material/warning:] {escaped(told)}")
    return bool(told) or (twins is not None and twins.matters)


def _twins(dataset: Dataset, draft: Draft, found: TwinCheck | None) -> None:
    own = draft.kind == "own"
    if draft.kind not in ("random", "own") or found is None or not (found.matters or draft.keep_twins):
        return
    if found.matters:
        st.markdown(f":orange[:material/warning:] {escaped(twin_words(found, own=own))}")
    if not own:
        keep = st.checkbox(
            "Keep near twins on one side",
            draft.keep_twins,
            key=f"keep_twins_{dataset.id}",
            help="Rows in which every number differs by less than a hundredth of its standard deviation, and nothing "
            "else differs, stand in the same part and the same fold.",
        )
        if keep != draft.keep_twins:
            draft_session.change(draft, keep_twins=keep)
            st.rerun()


@st.cache_data(show_spinner="Comparing test rows with the others", max_entries=32)
def _found(
    home: str, owner: str, dataset_id: str, recipe_json: str
) -> tuple[TwinCheck | None, tuple[ColumnShift, ...]]:
    store, made = services.store(home, owner), Recipe.model_validate_json(recipe_json)
    own = own_test_table(store, made, sampled=True)
    prepared = prepare_table(store.get(dataset_id), store.sample(dataset_id), made, own)
    return twin_check(prepared), column_shifts(prepared) if own is not None else ()
