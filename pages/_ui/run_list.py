"""The runs as a table, and what can be done with one."""

from __future__ import annotations

from datetime import UTC

import pandas as pd
import streamlit as st

from dlreg_core.charts.numbers import duration, quantity
from dlreg_core.runs import RunSummary
from dlreg_core.specs import RunState
from pages._ui import core, errors, state
from pages._ui.results import zone
from pages._ui.sidebar import escaped, state_word
from pages._ui.widgets import go_to


def table_of(runs: tuple[RunSummary, ...]) -> pd.DataFrame:
    """Return the runs as they are shown, newest first."""
    here = zone() or UTC
    return pd.DataFrame(
        {
            "name": [run.name for run in runs],
            "data": [run.dataset_name for run in runs],
            "target": [run.target for run in runs],
            "state": [state_word(run.state) for run in runs],
            "best": [run.best_model or "" for run in runs],
            "rmse": [quantity(run.best_rmse, run.unit) if run.best_rmse is not None else "" for run in runs],
            "started": [run.created.replace(tzinfo=UTC).astimezone(here).replace(tzinfo=None) for run in runs],
            "took": [duration(run.seconds) if run.seconds is not None else "" for run in runs],
        }
    )


def choose(runs: tuple[RunSummary, ...]) -> RunSummary | None:
    """Show the runs and return the one that is selected; the open one is at first."""
    text, shown = st.column_config.TextColumn, table_of(runs)
    ids = [run.run_id for run in runs]
    opened = state.run_id()
    start = {"selection": {"rows": [ids.index(opened)] if opened in ids else []}}
    chosen = st.dataframe(
        shown,
        hide_index=True,
        on_select="rerun",
        selection_mode="single-row",
        selection_default=start,
        # Another list starts with a selection of its own: a row's number would mean another run there.
        key=f"runs_{hash(tuple(ids))}",
        column_config={
            "name": text("Name"),
            "data": text("Data"),
            "target": text("Predicts"),
            "state": text("State"),
            "best": text("Best model"),
            "rmse": text("RMSE", alignment="right", help="Root mean squared error of the best model on the test rows."),
            "started": st.column_config.DatetimeColumn("Started", format="D MMM YYYY, HH:mm"),
            "took": text("Took", alignment="right"),
        },
        alt=f"{len(runs)} runs, the newest first.",
    )
    rows = chosen["selection"]["rows"]
    return runs[rows[0]] if rows and rows[0] < len(runs) else None


def actions(run: RunSummary | None) -> None:
    """Offer what can be done with the selected run."""
    if run is None:
        st.caption("Select a run to open, cancel or delete it.")
        return
    with st.container(horizontal=True):
        if st.button("Open", type="primary"):
            state.open_run(run.run_id, run.dataset_id)
            go_to("leaderboard" if run.state is RunState.COMPLETED else "train")
        if not run.state.is_final and st.button("Cancel run"):
            with errors.shown():
                core.dispatcher().cancel(run.run_id)
                st.rerun()
        if run.state.is_final:
            with st.popover("Delete", icon=":material/delete:"):
                confirm_delete(run)


def confirm_delete(run: RunSummary) -> None:
    """Ask once more, since a deleted run can't be brought back."""
    st.markdown(
        f"Delete **{escaped(run.name)}** with its models, figures and explanations? The data set stays. "
        "This can't be taken back."
    )
    if st.button("Delete run", key=f"delete_{run.run_id}"):
        with errors.shown():
            core.runs().delete(run.run_id)
            if state.run_id() == run.run_id:
                state.open_run(None)
            state.remember("deleted", run.name)
            st.rerun()
