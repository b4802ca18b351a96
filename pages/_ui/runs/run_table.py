"""The runs as a table, and what can be done with one."""

from __future__ import annotations

from datetime import UTC

import pandas as pd
import streamlit as st

from dlreg_core.formatting import duration, quantity, size
from dlreg_core.recipe import usual_name
from dlreg_core.runs import RunSummary
from dlreg_core.specs import RunState
from dlreg_core.wording import split_name
from pages._ui.shared import error_display, services, session
from pages._ui.shared.result_header import zone
from pages._ui.shared.sidebar import escaped, state_word
from pages._ui.shared.widgets import go_to, say_next, selected_row

_EXPLANATIONS = "They hold rows of the data. The models stay, and can be explained again while the data is here."


def table_of(runs: tuple[RunSummary, ...]) -> pd.DataFrame:
    """Return the runs as they are shown, newest first."""
    here = zone() or UTC
    return pd.DataFrame(
        {
            "name": [run.name for run in runs],
            "data": [run.dataset_name for run in runs],
            "target": [run.target for run in runs],
            "split": [split_name(run.split) for run in runs],
            "state": [state_word(run.state, has_result=run.best_model is not None) for run in runs],
            "best": [run.best_model or "" for run in runs],
            "rmse": [quantity(run.best_rmse, run.unit) if run.best_rmse is not None else "" for run in runs],
            "size": [run.size_mb for run in runs],
            "started": [run.created.replace(tzinfo=UTC).astimezone(here).replace(tzinfo=None) for run in runs],
            "took": [duration(run.seconds) if run.seconds is not None else "" for run in runs],
        }
    )


def columns_of(runs: tuple[RunSummary, ...], shown: pd.DataFrame) -> list[str]:
    """Return which columns are shown at first: data and target stand in the name, unless somebody chose that."""
    named = any(run.name != usual_name(run.dataset_name, run.target) for run in runs)
    return [name for name in shown.columns if named or name not in ("data", "target")]


def choose(runs: tuple[RunSummary, ...]) -> RunSummary | None:
    """Show the runs and return the one that is selected; the open one is at first."""
    text, shown = st.column_config.TextColumn, table_of(runs)
    ids = [run.run_id for run in runs]
    opened = session.run_id()
    start = [ids.index(opened)] if opened in ids else []
    chosen = selected_row(
        shown,
        rows=len(runs),
        selection_default={"selection": {"rows": start}},
        # Another list starts with a selection of its own: a row's number would mean another run there.
        key=f"runs_{hash(tuple(ids))}",
        column_order=columns_of(runs, shown),
        column_config={
            "name": text("Name"),
            "data": text("Data"),
            "target": text("Predicts"),
            "split": text("Split"),
            "state": text("State"),
            "best": text("Chosen"),
            "rmse": text("RMSE", alignment="right", help="Root mean squared error of it on the test rows."),
            "size": st.column_config.NumberColumn("Size, MB", format="%,.1f", help="Room on the disk."),
            "started": st.column_config.DatetimeColumn("Started", format="D MMM YYYY, HH:mm"),
            "took": text("Took", alignment="right"),
        },
        alt=f"{len(runs)} runs, the newest first.",
    )
    return None if chosen is None else runs[chosen]


def actions(run: RunSummary | None) -> None:
    """Offer what can be done with the selected run."""
    if run is None:
        st.caption("Select a run to open, continue, finish, cancel or delete it.")
        return
    with st.container(horizontal=True):
        if st.button("Open", type="primary"):
            _open(run, "train" if run.best_model is None else "leaderboard")
        if run.state.is_final:
            if st.button("Continue", icon=":material/resume:", help="With more time, on the Train page."):
                _open(run, "train")
            with st.popover("Delete", icon=":material/delete:"):
                confirm_delete(run)
        else:
            _end(run)


def _open(run: RunSummary, page: str) -> None:
    session.open_run(run.run_id, run.dataset_id)
    go_to(page)


def _end(run: RunSummary) -> None:
    """Offer to end a live run: with what it has, or without."""
    if run.state is RunState.RUNNING:
        finishing = services.report(run.run_id).finishing
        if st.button("Finishing" if finishing else "Finish now", icon=":material/flag:", disabled=finishing):
            with error_display.shown():
                services.run_service().finish(run.run_id)
                say_next(f"{run.name} finishes now, and keeps the best.")
                st.rerun()
    if st.button("Cancel run", icon=":material/cancel:"):
        with error_display.shown():
            services.run_service().cancel(run.run_id)
            st.rerun()


def confirm_delete(run: RunSummary) -> None:
    """Ask once more, since a deleted run can't be brought back."""
    frees = f" That frees {size(run.size_mb)}." if run.size_mb else ""
    st.markdown(
        f"Delete **{escaped(run.name)}** with its models, figures and explanations?{escaped(frees)} "
        "The data set stays. This can't be taken back."
    )
    if st.button("Delete run", key=f"delete_{run.run_id}"):
        with error_display.shown():
            services.run_service().delete(run.run_id)
            if session.run_id() == run.run_id:
                session.open_run(None)
            services.forget_data()
            say_next(f"Deleted {run.name}.")
            st.rerun()
    if st.button("Delete its explanations only", key=f"explanations_{run.run_id}", help=_EXPLANATIONS):
        with error_display.shown():
            count = services.run_service().delete_explanations(run.run_id)
            services.forget_data()
            what = "1 explanation" if count == 1 else f"{count:,} explanations"
            say_next(f"Deleted {what} of {run.name}.")
            st.rerun()
