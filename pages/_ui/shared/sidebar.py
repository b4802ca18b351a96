"""Beside every page: what is done, and what is open with its state."""

from __future__ import annotations

import streamlit as st

from dlreg_core.errors import NotFoundError
from dlreg_core.specs import Report, RunState
from dlreg_core.wording import is_keeping, markdown
from pages._ui.shared import services, session

_BADGES = {
    RunState.QUEUED: ("waiting", "gray"),
    RunState.RUNNING: ("training", "blue"),
    RunState.COMPLETED: ("done", "green"),
    RunState.FAILED: ("failed", "red"),
    RunState.CANCELLED: ("cancelled", "gray"),
    RunState.INTERRUPTED: ("interrupted", "orange"),
}
_AFTER_TRAINING = ("leaderboard",)
escaped, as_label = markdown.escaped, markdown.escaped_sparingly


def done_steps() -> frozenset[str]:
    """Return the steps of the way that are done for what is open."""
    done: set[str] = set()
    if session.dataset_id():
        done.add("data")
    if session.run_id():
        done |= {"data", "prepare"}
        try:
            if services.report(session.run_id() or "").result is not None:
                done |= {"train", *_AFTER_TRAINING}
        except NotFoundError:
            return frozenset()
    return frozenset(done)


def show_open() -> None:
    """Show the open data set and run."""
    run = session.run_id()
    dataset = session.dataset_id() or _dataset_of(run)
    if not dataset and not run:
        return
    with st.sidebar:
        st.caption("OPEN")
        if dataset:
            _show_dataset(dataset)
        if run:
            _show_run(run)


def _dataset_of(run_id: str | None) -> str | None:
    """Return the data set of a run that an address names alone."""
    try:
        return services.report(run_id).experiment.dataset_id if run_id else None
    except NotFoundError:
        return None


def _show_dataset(dataset_id: str) -> None:
    try:
        dataset = services.dataset(dataset_id)
    except NotFoundError:
        # The page says so; here there is nothing to show.
        return
    st.markdown(f"**{escaped(dataset.name)}**  \n{dataset.rows:,} rows · {len(dataset.columns)} columns")


@st.fragment
def _show_run(run_id: str) -> None:
    try:
        report = services.report(run_id)
    except NotFoundError:
        return
    if report.state.is_final:
        _badge(report)
    else:
        _live(run_id)


@st.fragment(run_every=2)
def _live(run_id: str) -> None:
    try:
        report = services.report(run_id)
    except NotFoundError:
        # Deleted in another tab: the page says so.
        st.rerun()
    _badge(report)
    if report.state is RunState.RUNNING and report.time_limit:
        st.progress(share_done(report), text="")
    if report.state.is_final:
        st.rerun()


def state_word(state_of_run: RunState, *, has_result: bool = False) -> str:
    """Return what a run's state is called; of one with a result that is live, that it gets more."""
    word = _BADGES[state_of_run][0]
    if not has_result or state_of_run.is_final:
        return word
    return "waiting for more" if state_of_run is RunState.QUEUED else "training more"


def used_seconds(report: Report) -> float:
    """Return how much of its time the running task of a run has used; none while its libraries are loaded."""
    return report.used_seconds if report.begun is not None else 0.0


def share_done(report: Report) -> float:
    """Return the share of its time that a running task has used, between 0 and 1; 0 where it was given none."""
    return min(1.0, max(0.0, used_seconds(report)) / report.time_limit) if report.time_limit else 0.0


def _badge(report: Report) -> None:
    word = state_word(report.state, has_result=report.result is not None)
    if report.state is RunState.RUNNING and (report.finishing or is_keeping(report)):
        word = "finishing"
    colour = _BADGES[report.state][1]
    st.markdown(f"**{escaped(report.experiment.name)}**  :{colour}-badge[{word}]")
