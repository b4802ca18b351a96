"""Train: a run that waits or trains, as it goes on."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dlreg_core.charts.training.error_over_time import LearningProgress
from dlreg_core.charts.training.learning_curves import CurrentLoss, CurrentValidation
from dlreg_core.errors import NotFoundError
from dlreg_core.jobs import cpu_cores
from dlreg_core.runs import RunProgress, TaskFolder, fold
from dlreg_core.specs import Event, Report, RunState, now
from dlreg_core.wording import best_words, clock
from dlreg_core.wording import run_text as words
from pages._ui.shared import error_display, services, session, sidebar
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import lead, picture
from pages._ui.train import model_list

_SECONDS = 2


def watch(report: Report) -> None:
    """Show a live run until it ends, and what can be done with it meanwhile."""
    if session.recall(f"watched_{report.run_id}") is None:
        session.remember(f"watched_{report.run_id}", services.result_number(report.run_id))
    best = _has_best(report)
    _live(report.run_id, report.state, finishing=report.finishing, best=best)
    with st.container(horizontal=True, vertical_alignment="center"):
        # A task that only keeps what there is has nothing to finish early.
        if report.state is RunState.RUNNING and not words.is_keeping(report):
            _finish(report, primary=best)
        _cancel(report)
        if report.result is not None:
            lead("See the results so far", "leaderboard", primary=False)
    if report.state is RunState.RUNNING:
        model_list.log(services.run_folder(report.run_id).train_task())


def _has_best(report: Report) -> bool:
    """Tell whether there is something to keep already."""
    if report.state is not RunState.RUNNING:
        return False
    return fold(events_of(services.run_folder(report.run_id).train_task())).best is not None


def has_got_result(report: Report) -> bool:
    """Return True once for a run that was watched here until it had another result."""
    if not report.state.is_final:
        return False
    before = session.take(f"watched_{report.run_id}")
    return before is not None and services.result_number(report.run_id) > before


def events_of(task: TaskFolder) -> tuple[Event, ...]:
    """Return a task's events; only the new ones are read."""
    key = f"events_{task.run.id}_{task.number}"
    kept: tuple[int, tuple[Event, ...]] = session.recall(key, (0, ()))
    offset, known = kept
    log = task.events(offset)
    if log.events:
        known = (*known, *log.events)
        session.remember(key, (log.offset, known))
    return known


@st.fragment(run_every=_SECONDS)
def _live(run_id: str, shown: RunState, *, finishing: bool, best: bool) -> None:
    """Show how far a run is; where what stands around this no longer holds, the whole page is shown again."""
    try:
        report = services.report(run_id)
    except NotFoundError:
        # Deleted in another tab: the page says so.
        st.rerun()
    if (report.state, report.finishing) != (shown, finishing):
        st.rerun()
    if report.state is RunState.QUEUED:
        _queued(run_id)
        return
    task = services.run_folder(run_id).train_task()
    events = events_of(task)
    progress = fold(events)
    if (progress.best is not None) != best:
        st.rerun()
    _bar(report, progress)
    _notes(report, progress)
    unit = report.experiment.recipe.unit
    if not words.is_keeping(report):
        st.markdown(f"**{escaped(best_words(progress.best, unit))}**")
        _pictures(run_id, events, progress, unit)
    model_list.show(progress, unit)
    if progress.resources is not None:
        launch = task.launch()
        cores = launch.cores if launch is not None and launch.cores else cpu_cores()
        st.caption(escaped(words.resource_words(progress.resources, cores)))


def _queued(run_id: str) -> None:
    place = services.run_service().place(run_id)
    when = words.place_words(place.ahead, place.seconds) if place is not None else "It starts in a moment."
    st.info(f"**Waiting for a free place.** {when} You can leave this page and come back.", icon=":material/hourglass:")


def _bar(report: Report, progress: RunProgress) -> None:
    used = sidebar.used_seconds(report)
    if report.begun is None:
        st.progress(0.0, text="Loading the libraries. The time begins when they are loaded.")
        return
    stage = escaped(progress.stage or "Starting")
    if words.is_keeping(report):
        # Nothing is trained, so there is no budget to be part of.
        st.markdown(f":material/hourglass_top: **{clock(used)}** · {stage}")
        return
    left = report.time_limit - used
    parts = [f"**{clock(used)}** of {clock(report.time_limit)}"]
    if not (report.finishing and progress.current is not None):
        parts.append(words.left_words(progress.seconds_left(now(), left), left))
    st.progress(sidebar.share_done(report), text=" · ".join([*parts, stage]))


def _notes(report: Report, progress: RunProgress) -> None:
    """Say what is out of the ordinary."""
    limits = services.settings()
    if report.finishing:
        st.info(escaped(words.finishing_words(progress)), icon=":material/flag:")
    if report.silent_seconds > limits.silence_report_seconds:
        text = words.silence_words(report.silent_seconds, limits.silence_end_seconds)
        st.warning(escaped(text), icon=":material/warning:")


def _pictures(run_id: str, events: tuple[Event, ...], progress: RunProgress, unit: str) -> None:
    """Show how the run gets better over time, and how the network that trains now learns, epoch by epoch."""
    if progress.best is None:
        return
    over_time, validation, loss = st.columns([4, 3, 3], gap="medium")
    with over_time:
        st.markdown("**Error over time**  \n:gray[A dot where a network was finished.]")
        picture(LearningProgress.of(events, unit), key=f"progress_{run_id}")
    begun = [m for m in progress.models if m.epoch and not m.taken]
    if not begun:
        return
    model = (progress.current or begun[-1]).model
    with validation:
        st.markdown(f"**{escaped(model)}, epoch by epoch**  \n:gray[Thin: the networks before it.]")
        picture(CurrentValidation(events, model, unit), key=f"validation_{run_id}")
    with loss:
        st.markdown("**Its training loss**  \n:gray[In the units of its own loss.]")
        picture(CurrentLoss(events, model), key=f"loss_{run_id}")


def _finish(report: Report, *, primary: bool) -> None:
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    # The key keeps it the same button when it becomes the first choice, so that a click at that moment isn't lost.
    key = f"finish_{report.run_id}"
    if st.button("Finish now, keep the best", type=kind, icon=":material/flag:", disabled=report.finishing, key=key):
        with error_display.shown():
            services.run_service().finish(report.run_id)
            st.rerun()


@st.fragment
def _cancel(report: Report) -> None:
    with st.popover("Cancel", icon=":material/cancel:"):
        st.markdown(words.cancel_words(waits=report.state is RunState.QUEUED, has_result=report.result is not None))
        if st.button("Cancel this run", key=f"cancel_{report.run_id}"):
            with error_display.shown():
                services.run_service().cancel(report.run_id)
                st.rerun()
