"""Prepare: what is predicted, and from which columns."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dlreg_core.charts.columns import ColumnHistogram
from dlreg_core.prepare import target_choices
from dlreg_core.prepare.draft import Draft, is_used, type_of
from dlreg_core.prepare.target_transform import impossible
from dlreg_core.report.table_words import TRANSFORM_WORDS, TYPE_WORDS, target_words
from dlreg_core.specs import Column, ColumnType, Dataset
from pages._ui import errors, preparing
from pages._ui.sidebar import escaped
from pages._ui.widgets import picture

_TYPES = {word: kind for kind, word in TYPE_WORDS.items()}
_MOST_ROWS = 20
_HEIGHT = 640
_SCALE_HELP = (
    "Where a few values are far larger than the rest, networks learn better on a scale on which they aren't. "
    "Predictions are brought back, and every error stays in the target's own unit. On the scale of a **logarithm** "
    "errors count in proportion to the value, so that typical ones get smaller and those of the largest values may "
    "grow; **Box-Cox** and **Yeo-Johnson** find by themselves how strongly to bend the scale."
)


def target(dataset: Dataset, draft: Draft) -> Draft:
    """Let a person choose the target and its unit; show how it is distributed."""
    choices, _ = target_choices(dataset)
    possible = [choice.name for choice in choices if choice.possible]
    left, right = st.columns([2, 3], gap="large")
    with left:
        chosen = st.selectbox(
            "What do you want to predict?",
            possible,
            index=possible.index(draft.target) if draft.target in possible else 0,
            key=f"target_{dataset.id}",
        )
        if chosen != draft.target:
            draft = _other_target(dataset, draft, chosen)
        unit = st.text_input(
            "Unit",
            draft.unit,
            key=f"unit_{dataset.id}_{chosen}",
            placeholder="such as $, kg, minutes",
            max_chars=20,
            help="Stands beside every number of the target.",
        ).strip()
        if unit != draft.unit:
            draft = preparing.change(draft, unit=unit)
        column = preparing.target_column(dataset, draft)
        draft = _scale(dataset, draft, column)
        _not_possible([(choice.name, choice.reason) for choice in choices if not choice.possible])
    with right:
        st.caption(f"{escaped(column.name)} in {dataset.rows - column.missing:,} rows")
        _histogram(dataset, draft, column)
        st.markdown(f":gray[{escaped(target_words(column, draft.unit))}]")
    return draft


def _scale(dataset: Dataset, draft: Draft, column: Column) -> Draft:
    """Let a person choose on which scale the target is learned: those that its values allow."""
    least = float(column.minimum) if isinstance(column.minimum, float) else 0.0
    offered = [method for method in TRANSFORM_WORDS if not impossible(method, least)]
    now = draft.target_transform
    chosen = st.selectbox(
        "Learn it as",
        offered,
        index=offered.index(now) if now in offered else 0,
        format_func=TRANSFORM_WORDS.__getitem__,
        # Chosen by the suggestion below, it is another widget: the old one would choose as before.
        key=f"transform_{dataset.id}_{draft.target}_{now}",
        help=_SCALE_HELP,
    )
    return preparing.change(draft, target_transform=chosen) if chosen != now else draft


def _histogram(dataset: Dataset, draft: Draft, column: Column) -> None:
    if draft.target_transform == "none":
        picture(ColumnHistogram(column, height=130), key="target_histogram")
        return
    with errors.shown():
        picture(preparing.transformed(dataset, draft), key="target_before_after")


def _other_target(dataset: Dataset, draft: Draft, chosen: str) -> Draft:
    used = {name: use for name, use in draft.used.items() if name != chosen}
    split: dict[str, Any] = {"kind": "random", "column": None} if draft.column == chosen else {}
    unit = dataset.column(chosen).unit
    fresh: dict[str, Any] = {"unit": unit, "target_transform": "none", "history": None}
    return preparing.change(draft, target=chosen, used=used, **fresh, **split)


def _not_possible(reasons: list[tuple[str, str]]) -> None:
    if not reasons:
        return
    count = len(reasons)
    with st.expander(f"{count} {'column' if count == 1 else 'columns'} can't be predicted", type="compact"):
        st.markdown("\n".join(f"- **{escaped(name)}** {escaped(reason)}" for name, reason in reasons))


def columns(dataset: Dataset, draft: Draft) -> Draft:
    """Let a person choose the columns to predict from, and their types."""
    choices = preparing.choices(dataset, draft.target)
    lines = [
        {
            "used": is_used(dataset, draft, choice.name),
            "name": choice.name,
            "type": TYPE_WORDS[type_of(dataset, draft, choice.name)],
            "relation": choice.relation,
            "missing": round(choice.missing / dataset.rows, 3),
            "note": choice.reason,
        }
        for choice in choices
    ]
    before = pd.DataFrame(lines)
    empty = [name for name in ("missing", "note") if not before[name].any()]
    before = before.drop(columns=empty)
    after = st.data_editor(
        before,
        hide_index=True,
        column_config=_config(draft.target),
        disabled=[name for name in before.columns if name not in ("used", "type")],
        height="content" if len(lines) <= _MOST_ROWS else _HEIGHT,
        # A fresh table where columns were left out elsewhere: the old one would hold on to what it was told.
        key=f"columns_{dataset.id}_{draft.target}_{preparing.left_out_by_suggestions(dataset, draft)}",
        alt=f"The columns that can predict {draft.target}.",
    )
    return changed(dataset, draft, after)


def _config(target_name: str) -> dict[str, Any]:
    relation = (
        f"How closely the column alone goes with {target_name}: 0 not at all, 1 fully. The absolute rank correlation "
        "for numbers and dates, the correlation ratio for the rest. Close to 1 may mean that the column gives the "
        "target away."
    )
    return {
        "used": st.column_config.CheckboxColumn("Use", width="small"),
        "name": st.column_config.TextColumn("Column"),
        "type": st.column_config.SelectboxColumn("Type", options=list(_TYPES), required=True, help="Click to change."),
        "relation": st.column_config.ProgressColumn(
            "Goes with the target", format="%.2f", min_value=0, max_value=1, help=relation
        ),
        "missing": st.column_config.ProgressColumn(
            "Missing", format="percent", min_value=0, max_value=1, color="gray", width="small"
        ),
        "note": st.column_config.TextColumn("Note", width="large"),
    }


def changed(dataset: Dataset, draft: Draft, after: pd.DataFrame) -> Draft:
    """Return the draft with what the edited table says, where it differs from what the profile proposes."""
    used = {name: use for name, use in draft.used.items() if name == draft.target}
    types: dict[str, ColumnType] = {}
    for name, use, word in zip(after["name"], after["used"], after["type"], strict=True):
        column = dataset.column(name)
        kind = _TYPES[word]
        if kind is not column.type:
            types[name] = kind
        # Whoever gives an identifier another type means to use it, without having to tick it as well.
        now_used = bool(use) or (name in types and name not in draft.types and name not in draft.used)
        used[name] = now_used
    plain = Draft(target=draft.target, types=types)
    used = {name: use for name, use in used.items() if use is not is_used(dataset, plain, name)}
    if used == draft.used and types == draft.types:
        return draft
    return preparing.change(draft, used=used, types=types)
