"""Prepare: folded parts for cleaning steps, and what a step makes of a column, before and after."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from dlreg_core.recipe import Draft
from dlreg_core.specs import Dataset
from pages._ui.prepare import cached_previews, draft_session
from pages._ui.shared import error_display
from pages._ui.shared.widgets import folded, picture

FILLED = ("fill_by_neighbours", "fill_by_regression", "fill_numbers")


def change(draft: Draft, **cleaning: Any) -> Draft:
    """Return a draft with some of its cleaning changed, and remember it."""
    changed = draft.cleaning.model_copy(update=cleaning)
    return draft_session.change(draft, cleaning=changed) if changed != draft.cleaning else draft


def folded_picture(dataset: Dataset, draft: Draft, columns: Sequence[str], kinds: tuple[str, ...], label: str) -> None:
    """Show a folded picture, which is worked out once it is opened."""
    part = folded(label, "compare", _key(dataset, kinds))
    if part.open:
        with part:
            show(dataset, draft, columns, kinds)


def dates(dataset: Dataset, draft: Draft, columns: Sequence[str]) -> None:
    """Show, folded, what the networks get of columns of dates."""
    part = folded("What the networks get of dates", "calendar_month", f"dates_{dataset.id}")
    if not part.open:
        return
    with part, error_display.shown():
        column = columns[0]
        if len(columns) > 1:
            column = st.selectbox("Dates", list(columns), key=f"date_{dataset.id}", width=260)
        found = cached_previews.date_pictures(dataset, draft_session.recipe_without_split(dataset, draft), column)
        if not found:
            st.caption("Nothing: all dates are the same.")
            return
        key = f"date_part_{dataset.id}_{column}"
        chosen = st.segmented_control("Part", list(found), default=next(iter(found)), key=key, required=True)
        picture(found[chosen], key=f"date_picture_{dataset.id}")


def show(dataset: Dataset, draft: Draft, columns: Sequence[str], kinds: tuple[str, ...]) -> None:
    """Show one of some columns before and after a kind of step; the first, unless a person chooses another one."""
    column = columns[0]
    if len(columns) > 1:
        key = f"shown_{_key(dataset, kinds)}"
        column = st.selectbox("Column", list(columns), key=key, label_visibility="collapsed", width=260)
    with error_display.shown():
        recipe = draft_session.recipe_without_split(dataset, draft)
        picture(cached_previews.step_picture(dataset, recipe, column, kinds), key=f"picture_{_key(dataset, kinds)}")


def _key(dataset: Dataset, kinds: tuple[str, ...]) -> str:
    return f"before_after_{kinds[0]}_{dataset.id}"
