"""Prepare: columns made of two others, and columns on another scale."""

from __future__ import annotations

from typing import cast, get_args

import streamlit as st

from dlreg_core.formatting import percent
from dlreg_core.recipe import Draft
from dlreg_core.specs import Combination, Dataset, ScaleMethod
from pages._ui.prepare import cached_previews, draft_session, step_pictures
from pages._ui.prepare.step_pictures import change
from pages._ui.shared import error_display
from pages._ui.shared.sidebar import as_label, escaped
from pages._ui.shared.widgets import folded, picture

_KINDS = {"product": "×", "ratio": "÷", "difference": "−"}
_SCALES: dict[ScaleMethod, str] = {
    "standard": "mean 0, standard deviation 1",
    "minmax": "0 to 1",
    "robust": "median 0, interquartile range 1",
    "quantile": "share of rows below it",
}
_SCALE_HELP = (
    "Networks standardise numbers by themselves, each in its own way, so that this is seldom needed. The **share of "
    "rows below it** spreads values that are crowded; the **interquartile range** isn't moved by outliers."
)
_COMBINE_HELP = (
    "Networks find many such relations by themselves; with few rows it helps to name them. Where a value is divided by "
    "0, the result counts as missing and is filled like any other gap."
)


def combinations(dataset: Dataset, draft: Draft, names: list[str]) -> Draft:
    """Let a person add products, ratios and differences, and suggest some."""
    part = folded("Combine columns", "join_inner", f"combinations_{dataset.id}")
    with part:
        st.caption(_COMBINE_HELP)
        now = [made for made in draft.cleaning.combinations if {made.left, made.right} <= set(names)]
        kept = [made for made in now if _wanted(dataset, made)]
        added = _new(dataset, draft, names)
        if added is not None and added not in kept:
            kept.append(added)
        if part.open:
            suggested = _suggested(dataset, draft, kept)
            if suggested is not None:
                kept.append(suggested)
        if tuple(kept) != draft.cleaning.combinations:
            draft = change(draft, combinations=tuple(kept))
            # A box for each is shown above.
            st.rerun()
        if kept and part.open:
            recipe = draft_session.recipe_without_split(dataset, draft)
            picture(
                cached_previews.combination_picture(dataset, recipe, kept[-1]), key=f"picture_combination_{dataset.id}"
            )
    return draft


def _wanted(dataset: Dataset, made: Combination) -> bool:
    return st.checkbox(as_label(made.name), value=True, key=f"combined_{dataset.id}_{made.name}")


def _new(dataset: Dataset, draft: Draft, names: list[str]) -> Combination | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        left = st.selectbox("First column", names, key=f"left_{dataset.id}_{draft.target}", width=200)
        kind = st.selectbox(
            "Combined by", list(_KINDS), format_func=_KINDS.__getitem__, key=f"combine_{dataset.id}", width=110
        )
        place = min(1, len(names) - 1)
        right = st.selectbox("Second column", names, place, key=f"right_{dataset.id}_{draft.target}", width=200)
        if not st.button("Add", key=f"add_combination_{dataset.id}"):
            return None
    if left == right and kind != "product":
        st.error("**A ratio or a difference needs two different columns.** Choose another one.")
        return None
    return Combination(kind=kind, left=left, right=right)


def _suggested(dataset: Dataset, draft: Draft, kept: list[Combination]) -> Combination | None:
    """Show which combinations promise most; return the one that was chosen."""
    with error_display.shown():
        found = cached_previews.promising(dataset, draft_session.recipe_without_split(dataset, draft))
        for one in found:
            if one.combination in kept:
                continue
            label = f"Add {one.combination.name} (explains {percent(one.share)} of what straight lines leave)"
            if st.button(escaped(label), key=f"promising_{dataset.id}_{one.combination.name}", type="tertiary"):
                return one.combination
    return None


def scales(dataset: Dataset, draft: Draft, names: list[str]) -> Draft:
    """Let a person bring single columns to a scale."""
    part = folded("Scale columns", "straighten", f"scales_{dataset.id}")
    with part:
        now = draft.cleaning.scaling
        chosen = st.multiselect(
            "Columns that aren't left to the network",
            names,
            [name for name in now if name in names],
            key=f"scaled_columns_{dataset.id}_{draft.target}",
            help=_SCALE_HELP,
        )
        scaling = {name: _scale(dataset, name, now.get(name, "standard")) for name in chosen}
        draft = change(draft, scaling=scaling)
        if chosen and part.open:
            step_pictures.show(dataset, draft, chosen, ("scale_numbers",))
    return draft


def _scale(dataset: Dataset, name: str, now: ScaleMethod) -> ScaleMethod:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(escaped(name), width=160)
        chosen = st.selectbox(
            f"Scale of {name}",
            get_args(ScaleMethod),
            index=get_args(ScaleMethod).index(now),
            format_func=_SCALES.__getitem__,
            key=f"scale_{dataset.id}_{name}",
            label_visibility="collapsed",
            width=280,
        )
    return cast(ScaleMethod, chosen)
