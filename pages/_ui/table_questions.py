"""Prepare: what a quick model says about the split, and about whether there are enough rows."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dlreg_core.charts.row_needs import RowNeedsCurve
from dlreg_core.prepare.advice import SplitAdvice
from dlreg_core.prepare.draft import Draft
from dlreg_core.prepare.honesty import HonestKind
from dlreg_core.report.split_words import honesty_words, row_needs_words
from dlreg_core.specs import Dataset, Recipe
from pages._ui import errors, preparing
from pages._ui.sidebar import escaped
from pages._ui.widgets import folded, picture


def honesty(dataset: Dataset, draft: Draft, recipe: Recipe, advice: SplitAdvice, *, twins: bool = False) -> None:
    """Let a person measure how much better a random split would look than an honest one.

    That goes by time or group where there is a column for it, else by near twins where there are some.
    """
    kind, column = _honest(draft, advice, twins=twins)
    if kind == "random" or column is None:
        return
    part = folded("How much would a random split flatter?", "balance", f"honesty_{dataset.id}_{draft.target}")
    if part.open:
        with part, errors.shown():
            found = preparing.honesty(dataset, recipe, kind, column)
            mark = ":orange[:material/warning:]" if found.flatters else ":green[:material/check:]"
            st.markdown(f"{mark} {escaped(honesty_words(found, draft.unit))}")


def _honest(draft: Draft, advice: SplitAdvice, *, twins: bool) -> tuple[Literal["random"] | HonestKind, str | None]:
    if draft.kind in ("time", "group"):
        return draft.kind, draft.column
    if advice.kind == "random" and (twins or draft.keep_twins) and draft.kind == "random":
        return "twins", ""
    return advice.kind, advice.column


def enough_rows(dataset: Dataset, draft: Draft, recipe: Recipe) -> None:
    """Let a person see whether more rows would help."""
    part = folded("Would more rows help?", "trending_down", f"row_needs_{dataset.id}_{draft.target}")
    if part.open:
        with part, errors.shown():
            found = preparing.row_needs(dataset, recipe)
            if found is None:
                st.markdown("There are too few rows to tell: an eighth of the training rows must be 20 at least.")
                return
            st.markdown(escaped(row_needs_words(found, draft.unit)))
            picture(RowNeedsCurve(found.rows, found.errors, draft.unit), key="row_needs_curve")
