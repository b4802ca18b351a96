"""Diagnostics: where and how a model is wrong."""

from __future__ import annotations

import streamlit as st

from dlreg_core.errors import DlregError
from dlreg_core.specs import LeaderboardRow, Report, TrainResult
from dlreg_core.wording import context_text
from pages._ui.results import error_analysis, later_rows_view
from pages._ui.results.horizon_errors import how_far_ahead
from pages._ui.results.leaderboard_view import HELP
from pages._ui.results.learning_view import learning_curves
from pages._ui.shared import error_display, services
from pages._ui.shared.result_header import open_result
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import choose_model, lead, say_gone


@st.fragment
def details(report: Report, result: TrainResult, row: LeaderboardRow) -> None:
    """Show what is looked at one after the other; only the open part is worked out and sent."""
    rows, column, curves = st.tabs(
        ["Worst rows", "Error against a column", "Learning curves"], on_change="rerun", key="details"
    )
    with error_display.shown():
        if rows.open:
            with rows:
                error_analysis.worst_rows(report, row.model)
        if column.open:
            with column:
                error_analysis.against_column(report, row.model)
        if curves.open:
            with curves:
                learning_curves(report, result, row)


def page() -> None:
    """Show the page."""
    report, result = open_result("Diagnostics", "Where a model is wrong, on rows it has never seen.")
    unit = report.experiment.recipe.unit
    with st.columns([1, 2])[0]:
        row = choose_model(result)
    try:
        services.predictions(report.run_id)
    except DlregError as exc:
        error_display.show(exc)
        return
    measures = f"**RMSE**: {HELP['rmse']}  \n**R²**: {HELP['r2']}"
    st.subheader(escaped(context_text.model_words(row, unit)), anchor=False, help=measures)
    with error_display.shown():
        error_analysis.four_pictures(report.run_id, row.model, unit)
        how_far_ahead(result, row.model, unit)
        later_rows_view.only_tested(result, unit)
        error_analysis.over_time(result, unit)
        if say_gone(report):
            learning_curves(report, result, row)
        else:
            error_analysis.segments(report.run_id, row.model, unit)
            details(report, result, row)
    lead("See what drives it", "explain")


page()
