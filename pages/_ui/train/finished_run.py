"""Train: what became of a run that has ended, and how to go on from there."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dlreg_core.runs import fold
from dlreg_core.specs import Report, RunState, TrainResult
from dlreg_core.wording import GONE_WITHOUT, budget_words, model_text, run_text
from pages._ui.shared import error_display, services
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import lead, say_gone
from pages._ui.train import live_run, model_list, plan_form

_ENDINGS = {
    RunState.FAILED: "This run failed.",
    RunState.CANCELLED: "This run was cancelled.",
    RunState.INTERRUPTED: "This run was interrupted.",
}


def show(report: Report) -> None:
    """Show what became of a run and how to go on from there, and its models."""
    task = services.run_folder(report.run_id).train_task()
    gone = say_gone(report) if report.result is not None else not services.has_data(report)
    if report.result is None:
        _without_result(report)
        if gone:
            st.markdown(GONE_WITHOUT)
        elif report.can_go_on:
            _go_on(report)
    else:
        _with_result(report, report.result, task.state())
    model_list.show(fold(live_run.events_of(task)).ended(), report.experiment.recipe.unit)
    model_list.log(task)
    if report.result is not None and not gone:
        st.subheader("Continue with more time", anchor=False)
        _go_on(report)


def _without_result(report: Report) -> None:
    what = _ENDINGS.get(report.state, "This run has no result.")
    if report.state is RunState.CANCELLED:
        st.info(f"**{what}**", icon=":material/info:")
    else:
        why = escaped(f"{report.reason} {report.hint}".strip())
        st.error(f"**{what}** {why}".strip(), icon=":material/error:")


def _with_result(report: Report, result: TrainResult, last: RunState) -> None:
    st.subheader(escaped(model_text.headline(result, report.experiment.recipe.unit)), anchor=False)
    early = run_text.early_words(report)
    if early:
        st.markdown(early)
    cancelled = last is RunState.CANCELLED
    if last is not RunState.COMPLETED:
        text = escaped(run_text.not_continued_words(report.reason, report.hint, cancelled=cancelled))
        show_it = st.info if cancelled else st.warning
        show_it(text, icon=":material/info:" if cancelled else ":material/warning:")
    lead("See the leaderboard", "leaderboard")


def _go_on(report: Report) -> None:
    """Offer to make a result of what was finished, and to give the run more time; what fits best stands first."""
    names = run_text.new_networks(report)
    interrupted = report.state is RunState.INTERRUPTED
    st.markdown(escaped(run_text.continue_words(names, has_result=report.result is not None)))
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if names and not interrupted:
            _keep(report, names, primary=report.result is None)
        seconds = plan_form.choose_time(report.time_limit or report.experiment.plan.time_limit, f"more_{report.run_id}")
        label = f"Continue for {budget_words(seconds)}"
        kind: Literal["primary", "secondary"] = "primary" if interrupted else "secondary"
        if st.button(label, type=kind, icon=":material/resume:", key=f"go_on_{report.run_id}"):
            with error_display.shown():
                services.run_service().go_on(report.run_id, seconds)
                st.rerun()
        if names and interrupted:
            _keep(report, names, primary=False)


def _keep(report: Report, names: tuple[str, ...], *, primary: bool) -> None:
    label = escaped(run_text.keep_words(names))
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    if st.button(label, type=kind, icon=":material/inventory_2:", key=f"keep_{report.run_id}"):
        with error_display.shown():
            services.run_service().finish(report.run_id)
            st.rerun()
