"""Predict: one row from a form, or many from a file."""

from __future__ import annotations

import streamlit as st

from pages._ui.results import predict_forms
from pages._ui.shared import error_display
from pages._ui.shared.result_header import open_result
from pages._ui.shared.widgets import choose_model, lead


def page() -> None:
    """Show the page."""
    report, result = open_result(
        "Predict", "What the model says about new rows: one from the form, or many from a file."
    )
    with st.columns([1, 2])[0]:
        row = choose_model(result)
    with error_display.shown():
        predict_forms.one_row(report, row, result.best_model)
        predict_forms.many_rows(report, row)
    lead("Take the model with you", "export")


page()
