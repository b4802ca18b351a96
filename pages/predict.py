"""Predict: one row from a form, or many from a file."""

from __future__ import annotations

import streamlit as st

from pages._ui import errors, predicting
from pages._ui.results import open_result
from pages._ui.widgets import choose_model, lead


def page() -> None:
    """Show the page."""
    report, result = open_result(
        "Predict", "What the model says about new rows: one from the form, or many from a file."
    )
    with st.columns([1, 2])[0]:
        row = choose_model(result)
    with errors.shown():
        predicting.one_row(report, row, result.best_model)
        predicting.many_rows(report, row)
    lead("Take the model with you", "export")


page()
