"""Prepare: the repairs, each with what it changes in this table."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlreg_core.recipe import Draft, StepPreview, is_used, type_of
from dlreg_core.specs import ColumnType, Dataset, Recipe
from dlreg_core.wording import FILL_WORDS, repair_words
from pages._ui.prepare import draft_session, step_pictures
from pages._ui.shared.sidebar import as_label, escaped

_FILLS: dict[str, dict[str, str]] = {
    "impute_numbers": dict(FILL_WORDS.items()),
    "impute_categories": {
        "level": "a category of their own",
        "most_frequent": "the most frequent one",
        "keep": "nothing: leave them empty",
    },
}
FILL_HELP = (
    "**The mean of similar rows** looks for the five rows that differ least in the other numbers, among up to 1,000 "
    "training rows, which are kept in the model file. **What the other columns say** predicts each column from the "
    "other numbers. Both take more time than a fixed value, and pay where columns go together."
)
_IDLE = {
    "drop_duplicates": "Leave out rows that repeat an earlier one",
    "drop_constant": "Leave out columns that never change",
    "impute_numbers": "Fill missing numbers with",
    "impute_categories": "Fill missing categories with",
}


def repairs(dataset: Dataset, draft: Draft, recipe: Recipe, *, more: bool = False) -> Draft:
    """Let a person choose the repairs: first those that change something in this table, the others folded away.

    With `more` there are others above them, so that nothing to do here isn't worth a sentence.
    """
    steps = {step.key: step for step in draft_session.steps(dataset, recipe)}
    dropped = steps.pop("missing_target")
    steps.pop("drop_identifiers", None)  # The table of columns says which identifiers are used.
    if dropped.count:
        st.markdown(f":gray[:material/info:] {escaped(repair_words(dropped))}")
    changes: dict[str, Any] = {}
    busy = [step for step in steps.values() if step.count]
    if not busy and not dropped.count and not more:
        st.markdown("Nothing to repair: no gaps, no repeated rows, no columns that never change.")
    for step in busy:
        changes |= _repair(dataset, draft, step)
    filled = st.container()
    with st.expander("Repairs that change nothing here, but may in new rows", type="compact"):
        for step in steps.values():
            if not step.count:
                changes |= _repair(dataset, draft, step)
        changes["missing_flags"] = st.checkbox(
            "Tell the networks where a number was missing",
            draft.cleaning.missing_flags,
            key=f"missing_flags_{dataset.id}",
            help="Adds a yes/no column for each number column with gaps: that a value is missing often says something.",
        )
    cleaning = draft.cleaning.model_copy(update=changes)
    draft = draft_session.change(draft, cleaning=cleaning) if cleaning != draft.cleaning else draft
    holed = next((step.columns for step in busy if step.key == "impute_numbers"), ())
    # Of a date the parts are filled, each a column of its own.
    shown = [name for name in holed if type_of(dataset, draft, name) is ColumnType.NUMBER]
    if shown and cleaning.impute_numbers != "keep":
        with filled:
            step_pictures.folded_picture(dataset, draft, shown, step_pictures.FILLED, "The numbers that are filled in")
    dates = [
        column.name
        for column in dataset.columns
        if is_used(dataset, draft, column.name) and type_of(dataset, draft, column.name) is ColumnType.DATETIME
    ]
    if dates:
        with filled:
            step_pictures.dates(dataset, draft, dates)
    return draft


def _repair(dataset: Dataset, draft: Draft, step: StepPreview) -> dict[str, Any]:
    """Show one repair; return the choice."""
    chosen = getattr(draft.cleaning, step.key)
    key = f"{step.key}_{dataset.id}"
    if step.key not in _FILLS:
        label = repair_words(step) if step.count else _IDLE[step.key]
        return {step.key: st.checkbox(as_label(label), chosen, key=key)}
    label = f"{repair_words(step)} with" if step.count else _IDLE[step.key]
    fills = _FILLS[step.key]
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(escaped(label), width="content")
        how = st.selectbox(
            label,
            list(fills),
            index=list(fills).index(chosen),
            format_func=fills.__getitem__,
            key=key,
            label_visibility="collapsed",
            width=260,
            help=FILL_HELP if step.key == "impute_numbers" else None,
        )
        found: dict[str, Any] = {step.key: how}
        if how == "constant":
            found["impute_constant"] = st.number_input(
                "Fixed value",
                value=draft.cleaning.impute_constant,
                key=f"impute_constant_{dataset.id}",
                label_visibility="collapsed",
                width=140,
            )
    return found
