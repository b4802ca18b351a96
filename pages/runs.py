"""Runs: everything that was trained here, to open again or to throw away."""

from __future__ import annotations

import streamlit as st

from dlreg_core.runs import RunSummary
from pages._ui import core, run_list, state
from pages._ui.sidebar import escaped
from pages._ui.widgets import header, lead


def listed() -> tuple[RunSummary, ...]:
    """Return the runs of this person, newest first."""
    return core.runs().list(core.settings().owner)


@st.fragment(run_every=3)
def watch() -> None:
    """Show the runs, and look again by itself until none of them is going on."""
    runs = listed()
    run_list.actions(run_list.choose(runs))
    if all(run.state.is_final for run in runs):
        st.rerun()


def page() -> None:
    """Show the page."""
    header("Runs", "Everything that was trained here. Open a run to see its results again.")
    deleted = state.take("deleted")
    if deleted:
        st.toast(f"Deleted {escaped(deleted)}.")
    runs = listed()
    if not runs:
        st.info("There are no runs yet.", icon=":material/history:")
        lead("Start with data", "data")
    elif all(run.state.is_final for run in runs):
        run_list.actions(run_list.choose(runs))
    else:
        watch()


page()
