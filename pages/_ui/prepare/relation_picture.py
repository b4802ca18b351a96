"""Prepare: how the target goes with a column, as a picture that is drawn only once it is opened."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dlreg_core.charts.data.target_relation import Relation
from dlreg_core.checks import some_rows
from dlreg_core.cleaning import coerce_column, repaired
from dlreg_core.recipe import Draft, is_used, level_order_of, type_of
from dlreg_core.specs import ColumnType, Dataset
from pages._ui.prepare import draft_session
from pages._ui.shared import services
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import folded, picture

_NOT_DRAWN = (ColumnType.TEXT, ColumnType.IDENTIFIER, ColumnType.CONSTANT)


def relation(dataset: Dataset, draft: Draft) -> None:
    """Let a person look at the target against any column, the one that goes with it most closely first."""
    found = sorted(draft_session.choices(dataset, draft), key=lambda choice: -choice.relation)
    names = [
        choice.name
        for choice in found
        if is_used(dataset, draft, choice.name) and type_of(dataset, draft, choice.name) not in _NOT_DRAWN
    ]
    if not names:
        return
    part = folded(f"How does {escaped(draft.target)} go with a column?", "show_chart", f"relation_{dataset.id}")
    if part.open:
        with part:
            name = st.selectbox("Column", names, key=f"relation_of_{dataset.id}_{draft.target}", width=260)
            drawn = _drawn(dataset, draft, name)
            st.markdown(escaped(drawn.alt))
            picture(drawn, key="relation")
            rows = len(drawn.target)
            if rows < dataset.rows:
                st.caption(f"Drawn from {rows:,} random rows of {dataset.rows:,}.")


def _drawn(dataset: Dataset, draft: Draft, name: str) -> Relation:
    rows = repaired(some_rows(services.sample(dataset.id))[[name, draft.target]], draft.cleaning)
    column = dataset.column(name)
    values: pd.Series = coerce_column(
        rows[name], type_of(dataset, draft, name), column.day_first, time_of_day=column.time_of_day
    )
    target = coerce_column(rows[draft.target], ColumnType.NUMBER)
    unit = draft.cleaning.units.get(name, column.unit)
    return Relation(values, target, draft.unit, unit, level_order_of(dataset, draft, name))
