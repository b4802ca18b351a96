"""Prepare: what becomes of values that are far from all others."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlreg_core.cleaning import SUGGESTED, worth_clipping
from dlreg_core.errors import RecipeError
from dlreg_core.formatting import number, percent
from dlreg_core.recipe import Draft
from dlreg_core.specs import Dataset, OutlierRule
from pages._ui.prepare import cached_previews, draft_session
from pages._ui.prepare.step_pictures import change
from pages._ui.shared import error_display
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import folded, picture

_RULES = {"iqr": "far from the quartiles", "zscore": "far from the mean"}
_ACTS = {"clip": "bring it to the limit", "remove": "let the row teach nothing"}
_SHARES = [0.0, 0.005, 0.01, 0.02, 0.05, 0.1]
_SUGGESTED = 3
_HELP = (
    "The limits are those of the training rows. **Bring it to the limit** holds for all rows, also new ones. **Let the "
    "row teach nothing** leaves out training rows alone: rows that choose between models and judge them are never "
    "taken away, or the errors would look smaller than they will be."
)
_ISOLATION_HELP = (
    "An isolation forest looks for rows that are unlike all others in their numbers together. So large a part of the "
    "training rows teaches nothing then."
)


def outliers(dataset: Dataset, draft: Draft, names: list[str]) -> Draft:
    """Suggest to clip what sticks out, and let a person choose for every column of numbers."""
    with error_display.shown():
        draft = _suggestions(dataset, draft)
    part = folded("Outliers", "scatter_plot", f"outliers_{dataset.id}")
    with part:
        chosen = st.multiselect(
            "Columns whose outliers are dealt with",
            names,
            [name for name in draft.cleaning.outliers if name in names],
            key=f"outlier_columns_{dataset.id}_{draft.target}_{_clipped(draft)}",
            help=_HELP,
        )
        rules = {name: _rule(dataset, draft, name) for name in chosen}
        isolation = st.select_slider(
            "Rows unlike all others that teach nothing",
            sorted({*_SHARES, draft.cleaning.isolation}),
            value=draft.cleaning.isolation,
            format_func=lambda share: percent(share) if share else "none",
            key=f"isolation_{dataset.id}",
            width=260,
            help=_ISOLATION_HELP,
        )
        draft = change(draft, outliers=rules, isolation=isolation)
        shown = chosen or (names[:1] if isolation else [])
        if shown and part.open:
            _picture(dataset, draft, shown)
    return draft


def _suggestions(dataset: Dataset, draft: Draft) -> Draft:
    """Show a box for each column of which a few values are far from the others."""
    recipe = draft_session.recipe_without_split(dataset, draft)
    found = worth_clipping(cached_previews.outlying(dataset, recipe), dataset.rows)
    for column in sorted(found, key=lambda c: -c.count)[:_SUGGESTED]:
        done = column.name in draft.cleaning.outliers
        values = "value" if column.count == 1 else "values"
        wanted = st.checkbox(
            escaped(f"Clip outliers in {column.name} ({column.count:,} {values})"),
            done,
            key=f"clip_{dataset.id}_{column.name}_{done}",
            help=f"All others lie between {number(column.low)} and {number(column.high)}.",
        )
        if wanted != done:
            rules = {name: rule for name, rule in draft.cleaning.outliers.items() if name != column.name}
            change(draft, outliers=rules | ({column.name: SUGGESTED} if wanted else {}))
            # What is chosen below shows it too.
            st.rerun()
    return draft


def _clipped(draft: Draft) -> str:
    """Return what the boxes have chosen, as a part of a widget's key."""
    return "|".join(sorted(name for name, rule in draft.cleaning.outliers.items() if rule == SUGGESTED))


def _rule(dataset: Dataset, draft: Draft, name: str) -> OutlierRule:
    now = draft.cleaning.outliers.get(name, SUGGESTED)
    key = f"{dataset.id}_{name}"
    options: dict[str, Any] = {"label_visibility": "collapsed"}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(escaped(name), width=160)
        rule = st.selectbox(
            f"Outliers of {name} are",
            list(_RULES),
            index=list(_RULES).index(now.rule),
            format_func=_RULES.__getitem__,
            key=f"rule_{key}",
            width=210,
            **options,
        )
        reach = st.number_input(
            f"How far in {name}",
            0.5,
            100.0,
            min(100.0, max(0.5, now.reach)),
            0.5,
            key=f"reach_{key}",
            width=130,
            help="In interquartile ranges from the quartiles, or in standard deviations from the mean.",
            **options,
        )
        act = st.selectbox(
            f"What to do in {name}",
            list(_ACTS),
            index=list(_ACTS).index(now.act),
            format_func=_ACTS.__getitem__,
            key=f"act_{key}",
            width=230,
            **options,
        )
        made = OutlierRule(rule=rule, reach=reach, act=act)
        _affected(dataset, draft, name, made)
    return made


def _affected(dataset: Dataset, draft: Draft, name: str, rule: OutlierRule) -> None:
    try:
        found = cached_previews.outlying(dataset, draft_session.recipe_without_split(dataset, draft), rule)
    except RecipeError:
        return
    count = next((column.count for column in found if column.name == name), 0)
    st.caption(f"{count:,} {'value' if count == 1 else 'values'}")


def _picture(dataset: Dataset, draft: Draft, names: list[str]) -> None:
    column = names[0]
    if len(names) > 1:
        key = f"shown_outliers_{dataset.id}"
        column = st.selectbox("Column", names, key=key, label_visibility="collapsed", width=260)
    with error_display.shown():
        made = draft_session.recipe_without_split(dataset, draft)
        picture(cached_previews.outlier_picture(dataset, made, column), key=f"picture_outliers_{dataset.id}")
