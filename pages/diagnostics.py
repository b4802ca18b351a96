"""Diagnostics: where and how a model is wrong."""

from __future__ import annotations

import streamlit as st

from dlreg_core.errors import DlregError
from dlreg_core.report import context
from pages._ui import core, errors, wrong
from pages._ui.ahead_part import how_far_ahead
from pages._ui.learning import learning_curves
from pages._ui.results import open_result
from pages._ui.sidebar import escaped
from pages._ui.widgets import choose_model, lead


def page() -> None:
    """Show the page."""
    report, result = open_result("Diagnostics", "Where a model is wrong, on rows it has never seen.")
    unit = report.experiment.recipe.unit
    with st.columns([1, 2])[0]:
        row = choose_model(result)
    try:
        part = core.predictions(report.run_id)
    except DlregError as exc:
        errors.show(exc)
        return
    st.subheader(escaped(context.model_words(row, unit)), anchor=False)
    wrong.four_pictures(part.actual, part.predicted[row.model], unit, part.rows)
    how_far_ahead(result, row.model, unit)
    with errors.shown():
        wrong.segments(report.run_id, row.model, unit)
        wrong.worst_rows(report, row.model)
        wrong.against_column(report, row.model)
        learning_curves(report, result, row)
    lead("See what drives it", "explain")


page()
