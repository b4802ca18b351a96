"""What mattered in a run's search for settings: in words, as a picture, and trial by trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import streamlit as st

from dlreg_core.charts.base import is_number
from dlreg_core.charts.training.parallel_coordinates import MOST_AXES, SearchAxis, SearchTrials
from dlreg_core.formatting import UNKNOWN, value_words
from dlreg_core.networks import family
from dlreg_core.report import rounded
from dlreg_core.search import setting_range
from dlreg_core.specs import NumberRange, Report, Search, TrainResult
from dlreg_core.wording import search_text
from pages._ui.results import cached_results
from pages._ui.shared.result_header import quantity_column
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import csv_bytes, picture

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

_HOW = "A line is a trial, blue where its error is low. Drag along an axis to look at a part of it only."


def show(report: Report, result: TrainResult) -> None:
    """Show the section, where the run has searched and any trial was trained."""
    search, unit = report.experiment.plan.search, report.experiment.recipe.unit
    trials = search_text.trial_table(result, search) if search is not None else pd.DataFrame()
    if search is None or trials.empty:
        return
    titles = {name: family(search.family).setting(name).title for name in search.ranges}
    importance = cached_results.setting_importance_of(report.run_id)
    st.subheader("What mattered in the search", anchor=False)
    if importance is not None:
        st.markdown(f"**{escaped(search_text.mattered_words(importance, titles))}**")
        st.caption(escaped(search_text.explained_words(importance)))
    st.markdown(escaped(search_text.best_trial_words(trials, titles, unit)))
    # What mattered most stands beside the error.
    order = (
        list(importance.shares)[::-1] if importance is not None and any(importance.shares.values()) else list(titles)
    )
    axes = tuple(_axis(search, name) for name in order[-MOST_AXES:])
    picture(SearchTrials(trials, axes, unit), key="search-trials")
    st.caption(_HOW)
    _table(trials, search, titles, unit)


def _axis(search: Search, name: str) -> SearchAxis:
    known, range_ = family(search.family).setting(name), search.ranges[name]
    if isinstance(range_, NumberRange):
        return SearchAxis(name, known.title, range_.log, (range_.low, range_.high))
    if known.kind not in ("int", "float"):
        return SearchAxis(name, known.title)
    ends = (min(range_), max(range_))
    return SearchAxis(name, known.title, setting_range(known, *ends).log, ends, tuple(sorted(range_)))


def _table(trials: pd.DataFrame, search: Search, titles: dict[str, str], unit: str) -> None:
    readable = trials.assign(
        **{name: trials[name].map(value_words) for name in search.ranges if not is_number(trials[name])}
    )
    with st.container(horizontal=True, horizontal_alignment="right"):
        st.download_button(
            "Download trials as CSV",
            csv_bytes(readable),
            "trials.csv",
            "text/csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )
    shown = readable.assign(rmse_validation=rounded(readable["rmse_validation"], 4))
    number = st.column_config.NumberColumn
    config: dict[str, ColumnConfig | str] = dict(titles)
    config |= {name: number(title, format="%.4g") for name, title in titles.items() if is_number(trials[name])}
    config["trial"] = number("Trial", width=60)
    config["model"] = st.column_config.TextColumn("Network")
    config["rmse_validation"] = quantity_column("Validation RMSE", unit, shown["rmse_validation"])
    config["fit_seconds"] = number("Fit time", format="%.1f s")
    st.dataframe(
        shown,
        hide_index=True,
        column_config=config,
        height=min(282, 38 + 35 * len(shown)),
        placeholder=UNKNOWN,
        alt=f"{len(shown)} trials of {family(search.family).title} with their settings, the lowest error first.",
    )
