"""Prepare: steps that a person may add, each folded away until it is wanted."""

from __future__ import annotations

import streamlit as st

from dlreg_core.recipe import Draft, is_used, type_of
from dlreg_core.specs import ColumnType, Dataset, NumberFill
from dlreg_core.wording import FILL_WORDS
from pages._ui.prepare import interactions_form, lags_form, outliers_form, step_pictures
from pages._ui.prepare.repairs_form import FILL_HELP
from pages._ui.prepare.step_pictures import change
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import folded


def steps(dataset: Dataset, draft: Draft) -> Draft:
    """Let a person choose further steps."""
    names = number_columns(dataset, draft)
    if not names:
        return draft
    draft = outliers_form.outliers(dataset, draft, names)
    draft = _fills(dataset, draft, names)
    draft = interactions_form.combinations(dataset, draft, names)
    draft = interactions_form.scales(dataset, draft, names)
    return lags_form.past(dataset, draft, names)


def number_columns(dataset: Dataset, draft: Draft) -> list[str]:
    """Return the columns of numbers that are predicted from."""
    return [
        name
        for name in dataset.column_names
        if name != draft.target and is_used(dataset, draft, name) and type_of(dataset, draft, name) is ColumnType.NUMBER
    ]


def _fills(dataset: Dataset, draft: Draft, names: list[str]) -> Draft:
    part = folded("Fill single columns in another way", "format_color_fill", f"fills_{dataset.id}")
    with part:
        now = draft.cleaning.fills
        chosen = st.multiselect(
            "Columns with a way of their own",
            names,
            [name for name in now if name in names],
            key=f"filled_columns_{dataset.id}_{draft.target}",
            help="All others are filled as chosen above.",
        )
        fills = {name: _fill(dataset, name, now.get(name)) for name in chosen}
        draft = change(draft, fills=fills)
        if chosen and part.open:
            step_pictures.show(dataset, draft, chosen, step_pictures.FILLED[::-1])
    return draft


def _fill(dataset: Dataset, name: str, now: NumberFill | None) -> NumberFill:
    now = now or NumberFill(method="mean")
    key = f"{dataset.id}_{name}"
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(escaped(name), width=160)
        method = st.selectbox(
            f"Fill {name} with",
            list(FILL_WORDS),
            index=list(FILL_WORDS).index(now.method),
            format_func=FILL_WORDS.__getitem__,
            key=f"fill_{key}",
            label_visibility="collapsed",
            width=260,
            help=FILL_HELP,
        )
        constant = now.constant
        if method == "constant":
            constant = st.number_input(
                f"Fixed value of {name}", value=constant, key=f"constant_{key}", label_visibility="collapsed", width=140
            )
        flag = st.checkbox("Tell where it was missing", now.flag, key=f"flag_{key}")
    return NumberFill(method=method, constant=constant, flag=flag)
