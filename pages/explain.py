"""Explain: what drives the predictions of a model, column by column and row by row."""

from __future__ import annotations

import streamlit as st

from pages._ui.results import explanation_progress, shap_views
from pages._ui.shared import error_display, services
from pages._ui.shared.result_header import open_result
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import choose_model, lead, say_gone


def page() -> None:
    """Show the page."""
    report, result = open_result("Explain", "What drives the predictions of a model, and why a row got its own.")
    with st.columns([1, 2])[0]:
        row = choose_model(result)
    if say_gone(report):
        lead("Predict new rows", "predict")
        return
    with error_display.shown():
        found = services.explanation(report.run_id, row.model)
        going_on = explanation_progress.running(report.run_id)
        asked = shap_views.asked_row(report.run_id) is not None
        if asked:
            # Whoever comes for a row sees it first.
            shap_views.one_row(report, row.model, found)
        if found is None:
            st.markdown(f"**{escaped(row.model)}** is not explained on many rows yet.")
        else:
            shap_views.overview(found, report.experiment.recipe.unit)
        if going_on is not None:
            explanation_progress.watch(report.run_id, going_on.number)
        else:
            explanation_progress.show_failed(report.run_id)
            explanation_progress.offer(report.run_id, row, found, primary=found is None)
        if found is not None:
            shap_views.dependence(found, report.experiment.recipe.unit)
            if not asked:
                shap_views.one_row(report, row.model, found)
            lead("Predict new rows", "predict")


page()
