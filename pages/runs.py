"""Runs: everything that was trained here and the data it was trained on, to open again, go on with or throw away."""

from __future__ import annotations

import streamlit as st

from dlreg_core.runs import RunSummary
from dlreg_core.wording import space_words
from pages._ui.runs import dataset_table, run_table
from pages._ui.shared import services
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import header, lead


@st.fragment(run_every=3)
def watch() -> None:
    """Show the runs, and look again by itself until none of them is going on."""
    runs = services.run_service().list()
    show(runs)
    if all(run.state.is_final for run in runs):
        st.rerun()


def show(runs: tuple[RunSummary, ...]) -> None:
    """Show the runs, what can be done with the selected one, and how much room they take."""
    run_table.actions(run_table.choose(runs))
    taken = sum(run.size_mb or 0.0 for run in runs)
    st.caption(escaped(space_words(len(runs), taken, services.settings().keep_days)))


def page() -> None:
    """Show the page."""
    header("Runs", "Everything that was trained here, and the data. Open a run to see its results again.")
    runs = services.run_service().list()
    if not runs:
        st.info("There are no runs yet.", icon=":material/history:")
        lead("Start with data", "data")
    elif all(run.state.is_final for run in runs):
        show(runs)
    else:
        watch()
    dataset_table.show()


page()
