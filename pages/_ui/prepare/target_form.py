"""Prepare: what is predicted, and from which columns."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from dlreg_core.charts.data.column_histogram import ColumnHistogram
from dlreg_core.cleaning import impossible
from dlreg_core.ingest.inference import MOST, any_order, unit_of
from dlreg_core.names import MOST_OF_UNIT, clean_name, visible
from dlreg_core.recipe import ColumnEdit, Draft, is_used, level_order_of, target_choices, type_of, with_column_edits
from dlreg_core.specs import Column, ColumnType, Dataset
from dlreg_core.wording import ORDINAL, TRANSFORM_WORDS, TYPE_HELP, TYPE_WORDS, target_words
from pages._ui.prepare import draft_session
from pages._ui.shared import error_display
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import picture

_TYPES = {word: kind for kind, word in TYPE_WORDS.items()} | {ORDINAL: ColumnType.CATEGORY}
_WORDS = sorted(_TYPES, key=lambda word: (list(ColumnType).index(_TYPES[word]), word))
_MOST_ROWS = 20
_HEIGHT = 640
_SHOWN_LEVELS = 6
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
        written = st.text_input(
            "Unit",
            draft.unit,
            key=f"unit_{dataset.id}_{chosen}",
            placeholder="such as $, kg, minutes",
            max_chars=20,
            help="Stands beside every number of the target.",
        )
        unit = clean_name(written, MOST_OF_UNIT)
        if unit != draft.unit:
            draft = draft_session.change(draft, unit=unit)
        column = draft_session.target_column(dataset, draft)
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
    return draft_session.change(draft, target_transform=chosen) if chosen != now else draft


def _histogram(dataset: Dataset, draft: Draft, column: Column) -> None:
    if draft.target_transform == "none":
        picture(ColumnHistogram(column, height=130), key="target_histogram")
        return
    with error_display.shown():
        picture(draft_session.transformed(dataset, draft), key="target_before_after")


def _other_target(dataset: Dataset, draft: Draft, chosen: str) -> Draft:
    used = {name: use for name, use in draft.used.items() if name != chosen}
    split: dict[str, Any] = {"kind": "random", "column": None} if draft.column == chosen else {}
    unit = unit_of(dataset.column(chosen))
    fresh: dict[str, Any] = {"unit": unit, "target_transform": "none", "history": None}
    return draft_session.change(draft, target=chosen, used=used, **fresh, **split)


def _not_possible(reasons: list[tuple[str, str]]) -> None:
    if not reasons:
        return
    count = len(reasons)
    with st.expander(f"{count} {'column' if count == 1 else 'columns'} can't be predicted", type="compact"):
        st.markdown("\n".join(f"- **{escaped(name)}** {escaped(reason)}" for name, reason in reasons))


def columns(dataset: Dataset, draft: Draft) -> Draft:
    """Let a person choose the columns to predict from, and their types."""
    choices = draft_session.choices(dataset, draft)
    lines = [
        {
            "used": is_used(dataset, draft, choice.name),
            "name": choice.name,
            "type": _word(dataset, draft, choice.name),
            "relation": choice.relation,
            "missing": round(choice.missing / dataset.rows, 3),
            "note": _note(dataset, draft, choice.name) or choice.reason,
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
        key=f"columns_{dataset.id}_{draft.target}_{draft_session.left_out_by_suggestions(dataset, draft)}",
        alt=f"The columns that can predict {draft.target}.",
    )
    draft = changed(dataset, draft, after)
    wanted = [str(name) for name, word in zip(after["name"], after["type"], strict=True) if word == ORDINAL]
    for name in wanted:
        if not level_order_of(dataset, draft, name):
            st.warning(
                f"**{escaped(name)} can't be ordinal:** an order has 2 to {MOST} levels. It stays what it was.",
                icon=":material/info:",
            )
    return draft


def _config(target_name: str) -> dict[str, Any]:
    relation = (
        f"How closely the column alone goes with {target_name}: 0 not at all, 1 fully. The absolute rank correlation "
        "for numbers and dates, the correlation ratio for the rest. Close to 1 may mean that the column gives the "
        "target away."
    )
    return {
        "used": st.column_config.CheckboxColumn("Use", width="small"),
        "name": st.column_config.TextColumn("Column"),
        "type": st.column_config.SelectboxColumn(
            "Type", options=_WORDS, required=True, help=f"Click to change. {TYPE_HELP}"
        ),
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
    edits = {
        str(name): ColumnEdit(bool(use), _TYPES[word], word == ORDINAL)
        for name, use, word in zip(after["name"], after["used"], after["type"], strict=True)
    }
    found = with_column_edits(dataset, draft, edits, partial(draft_session.first_order, dataset, draft))
    if found is draft:
        return draft
    return draft_session.change(draft, used=found.used, types=found.types, cleaning=found.cleaning)


def _word(dataset: Dataset, draft: Draft, name: str) -> str:
    return ORDINAL if level_order_of(dataset, draft, name) else TYPE_WORDS[type_of(dataset, draft, name)]


def _note(dataset: Dataset, draft: Draft, name: str) -> str:
    """Return what has become of a column whose numbers had several units; empty for all others."""
    unit = draft.cleaning.units.get(name)
    converted = unit is not None and type_of(dataset, draft, name) is ColumnType.NUMBER
    return f"Converted into {unit}." if converted else ""


def orders(dataset: Dataset, draft: Draft) -> Draft:
    """Let a person put the levels of ordinal columns in their order."""
    for name in dataset.column_names:
        order = level_order_of(dataset, draft, name)
        if name == draft.target or not order or not is_used(dataset, draft, name):
            continue
        label, key = f"{escaped(name)}: {escaped(_from_to(order))}", f"order_part_{dataset.id}_{name}"
        with st.expander(label, icon=":material/sort:", type="compact", key=key):
            draft = _order(dataset, draft, name, order)
    return draft


def _order(dataset: Dataset, draft: Draft, name: str, order: tuple[str, ...]) -> Draft:
    levels = draft_session.levels_of(dataset, draft, name)
    chosen = st.multiselect(
        f"Levels of {escaped(name)} from the lowest to the highest",
        list(any_order({*levels, *order})),
        list(order),
        format_func=visible,
        key=f"order_{dataset.id}_{name}",
        help="Take levels out and choose them again to change their order. The networks get the place of each.",
    )
    out = {level: count for level, count in levels.items() if level not in chosen}
    if out:
        rows = sum(out.values())
        st.caption(f"{rows:,} {'row' if rows == 1 else 'rows'} with other levels count as missing in this column.")
    if len(chosen) < 2:
        st.caption("An order has two levels at least: the one before is kept.")
        return draft
    if tuple(chosen) == order:
        return draft
    changed_orders = draft.cleaning.orders | {name: tuple(chosen)}
    return draft_session.change(draft, cleaning=draft.cleaning.model_copy(update={"orders": changed_orders}))


def _from_to(order: tuple[str, ...]) -> str:
    return " < ".join(order) if len(order) <= _SHOWN_LEVELS else f"{order[0]} < {order[1]} < … < {order[-1]}"
