"""Prepare: columns made of earlier rows, where rows have an order in time."""

from __future__ import annotations

import streamlit as st
from pydantic import ValidationError

from dlreg_core.checks import group_columns, time_columns
from dlreg_core.recipe import Draft
from dlreg_core.specs import Dataset, History, PastColumn
from pages._ui.prepare import cached_previews, draft_session
from pages._ui.shared import error_display
from pages._ui.shared.sidebar import as_label, escaped
from pages._ui.shared.widgets import folded, picture

_KINDS = {
    "lag": "its value some rows before",
    "mean": "its mean in the rows before",
    "smooth": "itself, smoothed: mean of the last rows",
    "exponential": "itself, smoothed: recent rows count more",
}
_HORIZONS = (*range(1, 15), 21, 28, 30, 60, 90, 180, 365)
_HORIZON_HELP = (
    "How long before a row the last value of the target is known, at most. The models learn from earlier values as "
    "they are known that far ahead, are judged so, and have an error and an interval for each step. Rows further ahead "
    "get no prediction."
)
_NO_GROUP = "all rows are one series"
_HELP = (
    "Only rows of an earlier time count, by the column that says when; a smoothed column also takes the row itself, "
    "and stands in the place of the column. Rows of one time count as one, with their mean. The model keeps the last "
    "rows of this table, so that new rows have a past."
)


def past(dataset: Dataset, draft: Draft, names: list[str]) -> Draft:
    """Let a person add lags, means of earlier rows and smoothed columns; nothing where rows have no order."""
    orders = time_columns(dataset, draft.target)
    if not orders:
        return draft
    part = folded("Use earlier rows", "history", f"past_{dataset.id}")
    with part:
        st.caption(_HELP)
        order, group = _order(dataset, draft, orders)
        now = draft.history.columns if draft.history is not None else ()
        kept = [made for made in now if _wanted(dataset, made)]
        added = _new(dataset, draft, names)
        if added is not None and added not in kept:
            kept.append(added)
        horizon = _horizon(dataset, draft, order, group, kept)
        history = History(order=order, group=group, columns=tuple(kept), horizon=horizon) if kept else None
        if history != draft.history:
            draft = draft_session.change(draft, history=history)
            # A box for each is shown above.
            st.rerun()
        _notes(draft, kept)
        if kept and part.open:
            with error_display.shown():
                made = draft_session.recipe_by_time(dataset, draft)
                picture(cached_previews.past_picture(dataset, made, kept[-1]), key=f"picture_past_{dataset.id}")
    return draft


def _order(dataset: Dataset, draft: Draft, orders: tuple[str, ...]) -> tuple[str, str | None]:
    order, group = (draft.history.order, draft.history.group) if draft.history is not None else (orders[0], None)
    groups = [_NO_GROUP, *group_columns(dataset, draft.target)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.selectbox(
            "What says when",
            orders,
            orders.index(order) if order in orders else 0,
            key=f"past_order_{dataset.id}_{draft.target}",
            width=210,
        )
        series = st.selectbox(
            "Rows of one series share",
            groups,
            groups.index(group) if group in groups else 0,
            key=f"past_group_{dataset.id}_{draft.target}",
            width=240,
        )
    return chosen, None if series == _NO_GROUP else series


def _horizon(dataset: Dataset, draft: Draft, order: str, group: str | None, kept: list[PastColumn]) -> int:
    """Ask how many steps ahead will be predicted; 1 where no earlier value of the target is used."""
    if not any(made.column == draft.target for made in kept):
        return 1
    now = draft.history.horizon if draft.history is not None else 1
    span = cached_previews.span(dataset, order, group)
    ahead: int = st.selectbox(
        "Predict how far ahead?",
        sorted({*_HORIZONS, now}),
        index=sorted({*_HORIZONS, now}).index(now),
        format_func=span,
        key=f"past_horizon_{dataset.id}_{draft.target}",
        width=210,
        help=_HORIZON_HELP,
    )
    return ahead


def _wanted(dataset: Dataset, made: PastColumn) -> bool:
    return st.checkbox(as_label(made.name), value=True, key=f"past_{dataset.id}_{made.name}")


def _new(dataset: Dataset, draft: Draft, names: list[str]) -> PastColumn | None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        column = st.selectbox(
            "Take from earlier rows", [*names, draft.target], key=f"past_column_{dataset.id}_{draft.target}", width=210
        )
        kind = st.selectbox(
            "What", list(_KINDS), format_func=_KINDS.__getitem__, key=f"past_kind_{dataset.id}", width=290
        )
        usual = 1 if kind == "lag" else 7
        rows = st.number_input("Rows", 1, 1000, usual, key=f"past_rows_{dataset.id}_{kind}", width=110)
        if not st.button("Add", key=f"add_past_{dataset.id}"):
            return None
    if column == draft.target and kind in ("smooth", "exponential"):
        st.error("**The target can't be smoothed: it is what is predicted.** Use its value some rows before.")
        return None
    try:
        return PastColumn(kind=kind, column=column, rows=int(rows))
    except ValidationError:
        st.error("**Smoothing takes 2 rows at least, and 100 at most where recent ones count more.** Change the rows.")
        return None


def _notes(draft: Draft, kept: list[PastColumn]) -> None:
    """Say what a person must know who predicts with these."""
    if any(made.column == draft.target for made in kept):
        st.warning(
            f"This assumes that earlier values of {escaped(draft.target)} are known when you predict, up to that long "
            "before. Give them in the rows before those to predict, or follow on from the last rows of this table.",
            icon=":material/warning:",
        )
    if kept and draft.kind not in ("time", "own"):
        st.info("Rows that follow each other are best judged with a split by time, below.", icon=":material/info:")
