"""Starting an explanation, and watching it while it goes on."""

from __future__ import annotations

import streamlit as st

from dlreg_core.explanation import expected_seconds, expected_speed
from dlreg_core.formatting import about
from dlreg_core.runs import Explanation, TaskFolder
from dlreg_core.specs import ExplainRequest, LeaderboardRow, RunState, TaskKind
from pages._ui.shared import error_display, services, session
from pages._ui.shared.sidebar import escaped

_ROWS = (60, 200, 500, 1000)
_SECONDS = 60.0
_LOADING_SECONDS = 8.0
"""Until a worker has started and loaded the model, where that has not been seen yet."""


def offer(run_id: str, row: LeaderboardRow, found: Explanation | None, *, primary: bool) -> None:
    """Offer to explain a model on more rows, with the time that it will take."""
    available = len(services.predictions(run_id).rows)
    sizes = [size for size in _ROWS if size < available] + ([available] if available <= _ROWS[-1] else [])
    beyond = [size for size in sizes if found is None or size > found.result.rows]
    if not beyond:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        rows = st.selectbox(
            "Rows", beyond, format_func=lambda size: f"{size:,}", key=f"explain_rows_{row.model}", width=110
        )
        label = f"Explain {rows:,} rows: {about(_expected(run_id, row, found, rows))}"
        # The expected time changes while other work goes on; the key keeps it the same button.
        if st.button(label, type="primary" if primary else "secondary", key=f"explain_more_{row.model}"):
            with error_display.shown():
                request = ExplainRequest(model=row.model, rows=rows, time_limit=_SECONDS)
                task = services.run_service().explain(run_id, request)
                session.remember(f"explaining_{run_id}", task.number)
                st.rerun()


def _expected(run_id: str, row: LeaderboardRow, found: Explanation | None, rows: int) -> float:
    """Return how long explaining so many rows will take, by what explaining has taken in this run."""
    features, result = len(services.cleaner(run_id).schema_.names), services.report(run_id).result
    best = result.row(result.best_model) if result is not None else row
    known, known_best = (
        one.result if one is not None else None for one in (found, services.explanation(run_id, best.model))
    )
    speed = expected_speed(row, known, best, known_best)
    return _loading_seconds(run_id) + expected_seconds(features, speed, rows, _SECONDS)


def _loading_seconds(run_id: str) -> float:
    """Return how long a worker takes until it explains: as an earlier explanation of this run did, if any."""
    for task in reversed(services.run_folder(run_id).tasks()):
        done, request = task.done(), task.task().explain
        known = services.explanation(run_id, request.model) if request is not None else None
        if done is not None and done.state is RunState.COMPLETED and known is not None:
            return max(0.0, (done.ended - task.launched()).total_seconds() - known.result.seconds)
    return _LOADING_SECONDS


def running(run_id: str) -> TaskFolder | None:
    """Return the explanation of this run that is going on, from whichever tab it was started."""
    for task in reversed(services.run_folder(run_id).tasks()):
        if task.task().kind is TaskKind.EXPLAIN and not task.state().is_final:
            return task
    return None


def show_failed(run_id: str) -> None:
    """Say so where the explanation that was started here has failed."""
    number = session.recall(f"explaining_{run_id}")
    if number is None:
        return
    done = services.run_folder(run_id).task(number).done()
    if done is None or done.state is RunState.COMPLETED:
        return
    what = "was cancelled" if done.state is RunState.CANCELLED else "failed"
    show = st.info if done.state is RunState.CANCELLED else st.error
    show(f"**The explanation {what}.** {escaped(f'{done.reason} {done.hint}'.strip())}")


@st.fragment(run_every=2)
def watch(run_id: str, number: int) -> None:
    """Show how far an explanation is, until it has ended."""
    task = services.run_folder(run_id).task(number)
    if task.state().is_final:
        services.run_service().dispatcher.tick()
        st.rerun()
    request = task.task().explain
    events = task.events().events
    stage = next((str(e.data["name"]) for e in reversed(events) if e.kind == "stage"), "Starting")
    share = next((float(e.data["share"]) for e in reversed(events) if e.kind == "progress"), 0.0)
    rows = f" on {request.rows:,} rows" if request is not None else ""
    st.progress(min(1.0, share), text=escaped(f"{stage}{rows}: {share:.0%}"))
    st.caption("You can leave this page; it goes on, and is here when you come back.")
    if st.button("Cancel", key=f"cancel_explain_{number}"):
        with error_display.shown():
            services.run_service().cancel(run_id, number)
            st.rerun()
