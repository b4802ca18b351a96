"""Prepare: what to predict, from what, repaired and divided how."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from dlreg_core.errors import RecipeError
from dlreg_core.prepare.draft import Draft
from dlreg_core.specs import Dataset
from pages._ui import (
    columns_part,
    core,
    errors,
    preparing,
    relation_part,
    repairs_part,
    split_part,
    split_start,
    state,
    steps_part,
    suggestions_part,
)
from pages._ui.widgets import go_to, header, lead, need_dataset


def nothing_to_predict(dataset: Dataset) -> None:
    """Say that no column of this table can be a target, and lead to another table."""
    st.error(
        f"**No column of this table can be predicted.** None of its {len(dataset.columns)} columns holds numbers that "
        "differ. Open a table with a column of numbers.",
        icon=":material/error:",
    )
    lead("Choose other data", "data")


def choose(dataset: Dataset, draft: Draft) -> None:
    """Show all choices one below the other, and lead on."""
    draft = columns_part.target(dataset, draft)
    st.subheader("Columns to predict from", anchor=False)
    draft = columns_part.orders(dataset, columns_part.columns(dataset, draft))
    relation_part.relation(dataset, draft)
    st.subheader("Repairs", anchor=False)
    try:
        # The repairs don't depend on the split, which may not be complete yet.
        plain = preparing.recipe_without_split(dataset, draft)
    except RecipeError as exc:
        errors.show(exc)
        return
    suggested = suggestions_part.suggestions(dataset, draft)
    draft = repairs_part.repairs(dataset, draft, plain, more=suggested)
    draft = steps_part.steps(dataset, draft)
    st.subheader("Split", anchor=False, help="Models are judged on rows that they have never seen.")
    draft = split_part.split(dataset, draft)
    possible = split_part.outcome(dataset, draft)
    if st.button("Continue: train", type="primary", disabled=not possible):
        leave(dataset, draft)


def leave(dataset: Dataset, draft: Draft) -> None:
    """Go on to Train; the open run is closed, since what was chosen here is for a new one."""
    split_start.settled(dataset, draft)
    state.open_run(None)
    go_to("train")


def stand_by(dataset: Dataset) -> None:
    """Have loaded what a run needs, since whoever prepares one will start it.

    Not before it is measured how to split: a person waits for that, and both would share the processor.
    """
    draft = preparing.draft(dataset)
    with suppress(RecipeError):
        if draft is not None and split_start.begin(dataset, draft):
            core.desk().stand_by(draft.plan.device)


def page() -> None:
    """Show the page."""
    header("Prepare", "Choose what to predict and from what. The suggestions are a good start.")
    dataset = need_dataset()
    draft = preparing.draft(dataset)
    if draft is None:
        nothing_to_predict(dataset)
    else:
        choose(dataset, draft)
        stand_by(dataset)


page()
