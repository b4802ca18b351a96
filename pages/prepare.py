"""Prepare: what to predict, from what, repaired and divided how."""

from __future__ import annotations

from contextlib import suppress

import streamlit as st

from dlreg_core.errors import RecipeError
from dlreg_core.recipe import Draft
from dlreg_core.specs import Dataset
from pages._ui.prepare import (
    draft_session,
    relation_picture,
    repairs_form,
    split_form,
    starting_split,
    steps_form,
    suggestions_form,
    target_form,
)
from pages._ui.shared import error_display, services, session
from pages._ui.shared.widgets import go_to, header, lead, need_dataset


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
    draft = target_form.target(dataset, draft)
    st.subheader("Columns to predict from", anchor=False)
    draft = target_form.orders(dataset, target_form.columns(dataset, draft))
    relation_picture.relation(dataset, draft)
    st.subheader("Repairs", anchor=False)
    try:
        # The repairs don't depend on the split, which may not be complete yet.
        plain = draft_session.recipe_without_split(dataset, draft)
    except RecipeError as exc:
        error_display.show(exc)
        return
    suggested = suggestions_form.suggestions(dataset, draft)
    draft = repairs_form.repairs(dataset, draft, plain, more=suggested)
    draft = steps_form.steps(dataset, draft)
    st.subheader("Split", anchor=False, help="Models are judged on rows that they have never seen.")
    draft = split_form.split(dataset, draft)
    possible = split_form.outcome(dataset, draft)
    if st.button("Continue: train", type="primary", disabled=not possible):
        leave(dataset, draft)


def leave(dataset: Dataset, draft: Draft) -> None:
    """Go on to Train; the open run is closed, since what was chosen here is for a new one."""
    starting_split.settled(dataset, draft)
    session.open_run(None)
    go_to("train")


def stand_by(dataset: Dataset) -> None:
    """Have loaded what a run needs, since whoever prepares one will start it.

    Not before it is measured how to split: a person waits for that, and both would share the processor.
    """
    draft = draft_session.draft(dataset)
    with suppress(RecipeError):
        if draft is not None and starting_split.begin(dataset, draft):
            services.run_service().stand_by(draft.plan.device)


def page() -> None:
    """Show the page."""
    header("Prepare", "Choose what to predict and from what. The suggestions are a good start.")
    dataset = need_dataset()
    draft = draft_session.draft(dataset)
    if draft is None:
        nothing_to_predict(dataset)
    else:
        choose(dataset, draft)
        stand_by(dataset)


page()
