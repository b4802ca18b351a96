"""Prepare: what a quick model says about splits, and about whether there are enough rows."""

from __future__ import annotations

import streamlit as st

from dlreg_core.charts.data.sample_size_curve import RowNeedsCurve
from dlreg_core.checks import SplitMeasures
from dlreg_core.recipe import Draft
from dlreg_core.specs import Dataset, Recipe
from dlreg_core.wording import measure_words, passed_words, row_needs_words, twins_honesty_words
from pages._ui.prepare import draft_session
from pages._ui.shared import error_display
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import folded, picture


def twins(dataset: Dataset, draft: Draft, recipe: Recipe) -> None:
    """Let a person measure how much better a split looks that has near twins on both sides."""
    part = folded("How much would near twins on both sides flatter?", "balance", f"honesty_{dataset.id}_{draft.target}")
    if part.open:
        with part, error_display.shown():
            found = draft_session.honesty(dataset, recipe)
            mark = ":orange[:material/warning:]" if found.flatters else ":gray[:material/info:]"
            st.markdown(f"{mark} {escaped(twins_honesty_words(found, draft.unit))}")


def measures(dataset: Dataset, draft: Draft, found: SplitMeasures) -> None:
    """Let a person see what was measured of each column."""
    part = folded("What was measured of each column", "balance", f"measures_{dataset.id}_{draft.target}")
    if part.open:
        with part:
            for one in found.measures:
                st.markdown(f"- {escaped(measure_words(one, draft.unit))}")
            others = passed_words(found)
            if others:
                st.markdown(escaped(others))


def one_column(dataset: Dataset, draft: Draft) -> None:
    """Let a person measure the column that they split by, where it wasn't among those that were measured."""
    kind, column = draft.kind, draft.column
    if column is None or kind not in ("time", "group"):
        return
    part = folded("How much would a random split flatter?", "balance", f"column_{dataset.id}_{draft.target}")
    if part.open:
        with part, error_display.shown():
            found = draft_session.measured_column(dataset, draft, "time" if kind == "time" else "group", column)
            if found is None:
                st.markdown("It can't be told: the rows can't be divided so that enough of them learn.")
            else:
                st.markdown(escaped(measure_words(found, draft.unit)))


def enough_rows(dataset: Dataset, draft: Draft, recipe: Recipe) -> None:
    """Let a person see whether more rows would help."""
    part = folded("Would more rows help?", "trending_down", f"row_needs_{dataset.id}_{draft.target}")
    if part.open:
        with part, error_display.shown():
            found = draft_session.row_needs(dataset, recipe)
            if found is None:
                st.markdown("There are too few rows to tell: an eighth of the training rows must be 20 at least.")
                return
            st.markdown(escaped(row_needs_words(found, draft.unit)))
            picture(RowNeedsCurve(found.rows, found.errors, draft.unit), key="row_needs_curve")
