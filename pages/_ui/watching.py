"""Train: a run that waits or trains, as it goes on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dlreg_core.charts.progress import LearningProgress
from dlreg_core.report.plan_words import best_words, budget_words, clock, state_words
from dlreg_core.report.words import duration, quantity
from dlreg_core.runs import TaskFolder
from dlreg_core.runs.progress import ModelState, Progress, fold
from dlreg_core.specs import Event, Report, RunState, now
from pages._ui import core, errors, sidebar, state
from pages._ui.sidebar import escaped
from pages._ui.widgets import picture

_SECONDS = 2
_LOG_LINES = 16 * 24


def watch(run_id: str) -> None:
    """Show a live run until it ends."""
    state.remember(f"watched_{run_id}", True)
    _live(run_id)
    _cancel(run_id)


def was_watched(run_id: str) -> bool:
    """Return True once for a run that this person has watched until its end."""
    watched = bool(state.recall(f"watched_{run_id}", False))
    state.remember(f"watched_{run_id}", False)
    return watched


def events_of(task: TaskFolder) -> tuple[Event, ...]:
    """Return a task's events; only the new ones are read."""
    key = f"events_{task.run.id}_{task.number}"
    offset, known = state.recall(key, (0, ()))
    log = task.events(offset)
    if log.events:
        known = (*known, *log.events)
        state.remember(key, (log.offset, known))
    return known


@st.fragment(run_every=_SECONDS)
def _live(run_id: str) -> None:
    report = core.report(run_id)
    if report.state.is_final:
        st.rerun()
    if report.state is RunState.QUEUED:
        _queued(run_id)
        return
    task = core.run_folder(run_id).train_task()
    events = events_of(task)
    unit = report.experiment.recipe.unit
    progress = fold(events)
    _bar(report, task, progress)
    st.markdown(f"**{escaped(best_words(progress.best, unit))}**")
    if any(event.data.get("validation") is not None for event in events):
        picture(LearningProgress.of(events, unit), key=f"progress_{run_id}")
    models(progress, unit)
    log(task)


def _queued(run_id: str) -> None:
    ahead = core.runs().queue_place(run_id)
    runs = {0: "This run is next.", 1: "1 run starts before this one."}.get(
        ahead, f"{ahead} runs start before this one."
    )
    st.info(f"**Waiting for a free place.** {runs} You can leave this page and come back.", icon=":material/hourglass:")


def _bar(report: Report, task: TaskFolder, progress: Progress) -> None:
    budget = report.experiment.plan.time_limit
    used = (now() - task.launched()).total_seconds()
    stage = progress.stage or "Starting: loading the libraries"
    text = f"**{clock(used)}** of {clock(budget)} · {escaped(stage)}"
    st.progress(sidebar.share_done(task, report), text=text)


def models(progress: Progress, unit: str) -> None:
    """Show a line a model, and why the absent ones are."""
    if not progress.models:
        return
    lines = [
        {
            "model": model.model,
            "state": state_words(model),
            "share": round(model.share, 2),
            "validation": quantity(model.validation, unit) if model.validation is not None else "",
            "seconds": duration(model.seconds) if model.seconds is not None else "",
        }
        for model in progress.models
    ]
    config = {
        "model": st.column_config.TextColumn("Model"),
        "state": st.column_config.TextColumn("State"),
        "share": st.column_config.ProgressColumn(
            "Epochs done", format="percent", min_value=0, max_value=1, help="Passes over the training rows."
        ),
        "validation": st.column_config.TextColumn(
            "Validation RMSE", alignment="right", help="Root mean squared error on the validation rows."
        ),
        "seconds": st.column_config.TextColumn("Time", alignment="right"),
    }
    st.dataframe(pd.DataFrame(lines), hide_index=True, column_config=config, alt="The models and how far they are.")
    for model in progress.models:
        if model.reason:
            word = "skipped" if model.state is ModelState.SKIPPED else "failed"
            st.markdown(f":gray[:material/info: **{escaped(model.model)}** {word}: {escaped(model.reason)}]")


def log(task: TaskFolder) -> None:
    """Show the end of what the libraries printed, folded away."""
    with st.expander("Log", icon=":material/notes:"):
        text = task.log()
        st.code(text or "Nothing was printed yet.", language=None, height=_LOG_LINES)


@st.fragment
def _cancel(run_id: str) -> None:
    with st.popover("Cancel", icon=":material/cancel:"):
        st.markdown("What was trained so far will be lost.")
        if st.button("Cancel this run", key=f"cancel_{run_id}"):
            with errors.shown():
                core.dispatcher().cancel(run_id)
            st.rerun()


def budget_line(report: Report) -> str:
    """Return what a run was about: its networks and its budget."""
    plan = report.experiment.plan
    count = len(plan.models)
    return f"{count} {'network' if count == 1 else 'networks'}, {budget_words(plan.time_limit)}"
