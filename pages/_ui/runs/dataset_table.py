"""The data sets as a table, and deleting one with all that belongs to it."""

from __future__ import annotations

from datetime import UTC

import pandas as pd
import streamlit as st

from dlreg_core.formatting import size
from dlreg_core.ingest.uploads import KeptData
from dlreg_core.jobs import WithRuns
from dlreg_core.wording import (
    ELSEWHERE,
    KEPT_RUNS,
    copies_words,
    data_space_words,
    deleted_runs_words,
    runs_counted,
    used_by_words,
)
from pages._ui.shared import error_display, services, session
from pages._ui.shared.result_header import zone
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import go_to, say_next, selected_row

_CHOICES: dict[WithRuns, str] = {"delete": "Delete the runs too", "keep": "Keep the runs"}


def show() -> None:
    """Show the data sets, and what can be done with the selected one; nothing where there are none."""
    kept = services.run_service().data.list()
    if not kept:
        return
    st.subheader("Data sets", anchor=False)
    actions(choose(kept))
    taken = sum(one.size_mb for one in kept)
    st.caption(escaped(data_space_words(len(kept), taken, services.settings().keep_days)))


def table_of(kept: tuple[KeptData, ...]) -> pd.DataFrame:
    """Return the data sets as they are shown."""
    here = zone() or UTC
    return pd.DataFrame(
        {
            "name": [one.name for one in kept],
            "rows": pd.array([one.dataset.rows if one.dataset else None for one in kept], "Int64"),
            "columns": pd.array([len(one.dataset.columns) if one.dataset else None for one in kept], "Int64"),
            "size": [one.size_mb for one in kept],
            "opened": [one.opened.astimezone(here).replace(tzinfo=None) for one in kept],
            "used": [used_by_words([run.name for run in one.runs]) for one in kept],
        }
    )


def choose(kept: tuple[KeptData, ...]) -> KeptData | None:
    """Show the data sets and return the one that is selected."""
    text, number, shown = st.column_config.TextColumn, st.column_config.NumberColumn, table_of(kept)
    ids = [one.dataset_id for one in kept]
    chosen = selected_row(
        shown,
        rows=len(kept),
        # Another list starts with a selection of its own: a row's number would mean another one there.
        key=f"data_{hash(tuple(ids))}",
        column_config={
            "name": text("Name"),
            "rows": number("Rows", format="%,d"),
            "columns": number("Columns", format="%,d"),
            "size": number("Size, MB", format="%,.2f", help="Room on the disk: the table, and the file it came from."),
            "opened": st.column_config.DatetimeColumn("Last opened", format="D MMM YYYY, HH:mm"),
            "used": text("Used by", help="Runs that learned from it, or were judged by it."),
        },
        alt=f"{len(kept)} data sets, the one that was opened last first.",
    )
    return None if chosen is None else kept[chosen]


def actions(one: KeptData | None) -> None:
    """Offer what can be done with the selected data set."""
    if one is None:
        st.caption("Select a data set to open or delete it.")
        return
    with st.container(horizontal=True):
        if one.dataset is not None and st.button("Open", key=f"open_{one.dataset_id}"):
            session.open_dataset(one.dataset_id)
            go_to("data")
        if services.run_service().data.is_drafted(one.dataset_id) and st.button(
            "Forget what was prepared",
            key=f"undraft_{one.dataset_id}",
            help="Target, columns, repairs, split and budget begin with the suggestions again. Runs stay as they are.",
        ):
            with error_display.shown():
                services.run_service().data.delete_draft(one.dataset_id)
                session.forget_choices(one.dataset_id)
                say_next(f"Forgot what was prepared of {one.name}.")
                st.rerun()
        with st.popover("Delete", icon=":material/delete:", key=f"ask_{one.dataset_id}"):
            confirm_delete(one)


def confirm_delete(one: KeptData) -> None:
    """Ask once, with all that it means, since what is deleted can't be brought back."""
    st.markdown(
        f"Delete **{escaped(one.name)}**, the file it came from and what was prepared of it? "
        f"{escaped(f'That frees {size(one.size_mb)}.')} This can't be taken back."
    )
    choice: WithRuns | None = "refuse"
    if one.runs:
        counted = used_by_words([run.name for run in one.runs])
        choice = st.radio(
            escaped(f"Used by {counted}."),
            list(_CHOICES),
            format_func=lambda key: _CHOICES[key],
            index=None,
            captions=[escaped(deleted_runs_words(len(one.copies))), escaped(KEPT_RUNS)],
            key=f"runs_of_{one.dataset_id}",
        )
    st.caption(escaped(" ".join(filter(None, (copies_words(len(one.copies)), ELSEWHERE)))))
    label = f"Delete it and {runs_counted(len(one.runs))}" if choice == "delete" else "Delete data set"
    # A click counts for those runs alone that were named; what becomes of them is nobody's default.
    key = f"delete_{one.dataset_id}_{hash(tuple(run.run_id for run in one.runs))}"
    if st.button(label, key=key, disabled=choice is None) and choice is not None:
        with error_display.shown():
            services.run_service().data.delete(one.dataset_id, choice)
            _forget(one, with_runs=choice == "delete")
            st.rerun()


def _forget(one: KeptData, *, with_runs: bool) -> None:
    services.forget_data()
    gone = {run.run_id for run in one.runs} if with_runs else set()
    if session.run_id() in gone:
        session.open_run(None)
    if session.dataset_id() == one.dataset_id:
        session.open_dataset(None)
    say_next(f"Deleted {one.name}{f' and {runs_counted(len(gone))}' if gone else ''}.")
