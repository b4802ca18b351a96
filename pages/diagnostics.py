"""Diagnostics: where and how a model is wrong."""

from __future__ import annotations

import streamlit as st

from dlreg_core.errors import DlregError
from dlreg_core.report import context
from dlreg_core.specs import LeaderboardRow, Report, TrainResult
from pages._ui import core, errors, tomorrow, wrong
from pages._ui.ahead_part import how_far_ahead
from pages._ui.learning import learning_curves
from pages._ui.ranking import HELP
from pages._ui.results import open_result
from pages._ui.sidebar import escaped
from pages._ui.widgets import choose_model, lead, say_gone


@st.fragment
def details(report: Report, result: TrainResult, row: LeaderboardRow) -> None:
    """Show what is looked at one after the other; only the open part is worked out and sent."""
    rows, column, curves = st.tabs(
        ["Worst rows", "Error against a column", "Learning curves"], on_change="rerun", key="details"
    )
    with errors.shown():
        if rows.open:
            with rows:
                wrong.worst_rows(report, row.model)
        if column.open:
            with column:
                wrong.against_column(report, row.model)
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
        core.predictions(report.run_id)
    except DlregError as exc:
        errors.show(exc)
        return
    measures = f"**RMSE**: {HELP['rmse']}  \n**R²**: {HELP['r2']}"
    st.subheader(escaped(context.model_words(row, unit)), anchor=False, help=measures)
    with errors.shown():
        wrong.four_pictures(report.run_id, row.model, unit)
        how_far_ahead(result, row.model, unit)
        tomorrow.only_tested(result, unit)
        wrong.over_time(result, unit)
        if say_gone(report):
            learning_curves(report, result, row)
        else:
            wrong.segments(report.run_id, row.model, unit)
            details(report, result, row)
    lead("See what drives it", "explain")


page()
