"""Explain: what drives the predictions of a model, column by column and row by row."""

from __future__ import annotations

import streamlit as st

from pages._ui import core, drivers, errors, explaining
from pages._ui.results import open_result
from pages._ui.sidebar import escaped
from pages._ui.widgets import choose_model, lead, say_gone


def page() -> None:
    """Show the page."""
    report, result = open_result("Explain", "What drives the predictions of a model, and why a row got its own.")
    with st.columns([1, 2])[0]:
        row = choose_model(result)
    if say_gone(report):
        lead("Predict new rows", "predict")
        return
    with errors.shown():
        found = core.explanation(report.run_id, row.model)
        going_on = explaining.running(report.run_id)
        asked = drivers.asked_row(report.run_id) is not None
        if asked:
            # Whoever comes for a row sees it first.
            drivers.one_row(report, row.model, found)
        if found is None:
            st.markdown(f"**{escaped(row.model)}** is not explained on many rows yet.")
        else:
            drivers.overview(found, report.experiment.recipe.unit)
        if going_on is not None:
            explaining.watch(report.run_id, going_on.number)
        else:
            explaining.show_failed(report.run_id)
            explaining.offer(report.run_id, row, found, primary=found is None)
        if found is not None:
            drivers.dependence(found, report.experiment.recipe.unit)
            if not asked:
                drivers.one_row(report, row.model, found)
            lead("Predict new rows", "predict")


page()
