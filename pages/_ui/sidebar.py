"""Beside every page: what is done, and what is open with its state."""

from __future__ import annotations

import re

import streamlit as st

from dlreg_core.errors import NotFoundError
from dlreg_core.runs import TaskFolder
from dlreg_core.specs import Report, RunState
from pages._ui import core, state

_BADGES = {
    RunState.QUEUED: ("waiting", "gray"),
    RunState.RUNNING: ("training", "blue"),
    RunState.COMPLETED: ("done", "green"),
    RunState.FAILED: ("failed", "red"),
    RunState.CANCELLED: ("cancelled", "gray"),
    RunState.INTERRUPTED: ("interrupted", "orange"),
}
_AFTER_TRAINING = ("leaderboard",)


def done_steps() -> frozenset[str]:
    """Return the steps of the way that are done for what is open."""
    done: set[str] = set()
    if state.dataset_id():
        done.add("data")
    if state.run_id():
        done |= {"data", "prepare"}
        try:
            if core.report(state.run_id() or "").state is RunState.COMPLETED:
                done |= {"train", *_AFTER_TRAINING}
        except NotFoundError:
            return frozenset()
    return frozenset(done)


def show_open() -> None:
    """Show the open data set and run."""
    run = state.run_id()
    dataset = state.dataset_id() or _dataset_of(run)
    if not dataset and not run:
        return
    with st.sidebar:
        st.divider()
        st.caption("OPEN")
        if dataset:
            _show_dataset(dataset)
        if run:
            _show_run(run)


def _dataset_of(run_id: str | None) -> str | None:
    """Return the data set of a run that an address names alone."""
    try:
        return core.report(run_id).experiment.dataset_id if run_id else None
    except NotFoundError:
        return None


def _show_dataset(dataset_id: str) -> None:
    try:
        dataset = core.dataset(dataset_id)
    except NotFoundError:
        # The page says so; here there is nothing to show.
        return
    st.markdown(f"**{escaped(dataset.name)}**  \n{dataset.rows:,} rows · {len(dataset.columns)} columns")


@st.fragment
def _show_run(run_id: str) -> None:
    try:
        report = core.report(run_id)
    except NotFoundError:
        return
    if report.state.is_final:
        _badge(report)
    else:
        _live(run_id)


@st.fragment(run_every=2)
def _live(run_id: str) -> None:
    report = core.report(run_id)
    _badge(report)
    if report.state is RunState.RUNNING and report.started is not None:
        st.progress(share_done(core.run_folder(run_id).train_task(), report), text="")
    if report.state.is_final:
        st.rerun()


def state_word(state_of_run: RunState) -> str:
    """Return what a run's state is called."""
    return _BADGES[state_of_run][0]


def share_done(task: TaskFolder, report: Report) -> float:
    """Return the share of the budget that a running task has used, between 0 and 1."""
    from dlreg_core.specs import now

    used = (now() - task.launched()).total_seconds()
    return min(1.0, used / report.experiment.plan.time_limit)


def _badge(report: Report) -> None:
    word, colour = _BADGES[report.state]
    st.markdown(f"**{escaped(report.experiment.name)}**  :{colour}-badge[{word}]")


def escaped(text: str) -> str:
    """Return `text` so that Markdown shows it as it is: names come from files, and may hold anything."""
    special = "\\`*_{}[]()#+-.!|<>$:~"
    return "".join(f"\\{c}" if c in special else c for c in text)


def as_label(name: str) -> str:
    """Return a name for a widget's label, which screen readers get as it stands: escaped only where it has to be."""
    harmless = re.fullmatch(r"[^\W_]+([ _./%-]+[^\W_]+)*", name)
    return name if harmless else escaped(name)
