"""Leaderboard: how the chosen model does on later rows, and on what only the test rows have."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dlreg_core.charts.base.theme import model_colour
from dlreg_core.charts.results.later_predictions import LaterRows
from dlreg_core.report import rounded
from dlreg_core.specs import ROW_ORDER, ErrorsOverTime, Report, TrainResult
from dlreg_core.wording import later_rows_text
from pages._ui.results import cached_results
from pages._ui.shared import error_display, services
from pages._ui.shared.result_header import quantity_column
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import picture


def show(report: Report, result: TrainResult) -> None:
    """Answer whether it will work on later rows, where the rows are divided by time."""
    unit = report.experiment.recipe.unit
    if result.over_time is not None:
        st.subheader("Will it work tomorrow?", anchor=False)
        st.markdown(escaped(later_rows_text.over_time_words(result.over_time, unit)))
        with error_display.shown():
            if result.over_time.column == ROW_ORDER or services.has_data(report):
                _picture(report, result.over_time)
    only_tested(result, unit)
    if result.over_time is not None:
        _table(result.over_time, unit)


def only_tested(result: TrainResult, unit: str) -> None:
    """Say what only the test rows have."""
    for sentence in later_rows_text.unseen_words(result.unseen, unit):
        st.markdown(f":orange[:material/warning:] {escaped(sentence)}")


def _picture(report: Report, found: ErrorsOverTime) -> None:
    part = services.predictions(report.run_id)
    moments = pd.Series(part.rows) if found.column == ROW_ORDER else services.test_rows(report.run_id)[found.column]
    low, high = cached_results.bounds_of(report.run_id, found.model)
    name = "row" if found.column == ROW_ORDER else found.column
    unit, colour = report.experiment.recipe.unit, model_colour(found.model)
    shown = LaterRows(moments, part.actual, part.predicted[found.model], low, high, unit, name, colour=colour)
    picture(shown, key="later_rows")


def _table(found: ErrorsOverTime, unit: str) -> None:
    table = later_rows_text.over_time_table(found)
    shown = table.assign(mae=rounded(table["mae"]), bias=rounded(-table["bias"], like=table["mae"]))
    number, text = st.column_config.NumberColumn, st.column_config.TextColumn
    st.dataframe(
        shown,
        hide_index=True,
        column_config={
            "when": text("When", width="large"),
            "rows": number("Rows", format="%,d"),
            "mae": quantity_column("Off by", unit, shown["mae"], "Mean absolute error of these rows."),
            "bias": quantity_column(
                "Too high", unit, shown["mae"], "Mean of predicted less actual: below 0 predictions are too low."
            ),
            "coverage": number(
                "Within the interval", format="percent", help="Share of the rows within their 90 % interval."
            ),
        },
        alt=f"Errors of {found.model} in {len(shown)} periods of the test rows.",
    )
