"""Train: how much time to spend, then what comes of it."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dlreg_core.errors import DlregError, RecipeError
from dlreg_core.networks import BASELINES
from dlreg_core.recipe import draft_of, experiment_of
from dlreg_core.specs import Dataset, Recipe, Report, TrainPlan
from dlreg_core.wording import drawn_words, plan_words, recipe_words, run_budget_words, standing_words
from pages._ui.prepare import draft_session
from pages._ui.shared import error_display, services, session, sidebar
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import go_to, header, lead, need_dataset, need_run, say_next
from pages._ui.train import finished_run, live_run, plan_form, run_forecast


def set_up(
    dataset: Dataset, recipe: Recipe, start: TrainPlan, key: str, *, label: str, primary: bool = True
) -> TrainPlan | None:
    """Let a person choose the plan and start; return the plan."""
    plan = plan_form.choose_plan(start, key)
    try:
        counts = draft_session.counts(dataset, recipe, (plan or start).time_limit)
    except RecipeError as exc:
        error_display.show(exc)
        lead("Change the preparation", "prepare")
        return plan
    if plan is not None:
        outlook = run_forecast.known(dataset, recipe, plan)
        will = plan_words(plan, len(BASELINES), counts.train, len(recipe.features), outlook)
        st.markdown(f"**What will happen:** {will} {drawn_words(dataset, counts)}".strip())
        run_forecast.show(dataset, recipe, plan)
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    impossible = plan is None or run_forecast.refused(dataset, recipe, plan)
    # With a key it stays the same button while what stands around it changes, so that no click is lost.
    clicked = st.button(label, type=kind, icon=":material/play_arrow:", disabled=impossible, key=f"start_{key}")
    if clicked and plan is not None:
        start_run(dataset, recipe, plan)
    standing = services.run_service().stand_by((plan or start).device)
    if standing is not None and standing.ready:
        st.caption(standing_words(standing.memory_mb))
    return plan


def start_run(dataset: Dataset, recipe: Recipe, plan: TrainPlan) -> None:
    """Queue a run and open it."""
    try:
        run_id = services.run_service().submit(experiment_of(dataset, recipe, plan))
    except DlregError as exc:
        error_display.show(exc)
        return
    session.open_run(run_id, dataset.id)
    st.rerun()


def new_run() -> None:
    """Show what a run of the open data set needs."""
    header("Train", "Choose how much time to spend. You can leave this page while the networks learn.")
    dataset = need_dataset()
    live_runs(dataset)
    draft, recipe = draft_session.draft(dataset), draft_session.current_recipe(dataset)
    if draft is None or recipe is None:
        st.info("It isn't settled yet what to predict from this table.", icon=":material/tune:")
        lead("Prepare", "prepare")
        return
    st.markdown(escaped(recipe_words(recipe)))
    plan = set_up(dataset, recipe, draft.plan, f"new_{dataset.id}", label="Start training")
    if plan is not None and plan != draft.plan:
        draft_session.change(draft, plan=plan)


def live_runs(dataset: Dataset) -> None:
    """Lead to the runs of this table that wait or train."""
    for run in services.run_service().list(dataset.id):
        word = sidebar.state_word(run.state, has_result=run.best_model is not None)
        if not run.state.is_final and st.button(
            f"{escaped(run.name)} is {word}: watch it",
            type="tertiary",
            icon=":material/model_training:",
            key=f"watch_{run.run_id}",
        ):
            session.open_run(run.run_id, dataset.id)
            st.rerun()


def again(report: Report, *, primary: bool) -> None:
    """Offer to train again, with the same settings or with others."""
    st.subheader("Train again", anchor=False)
    recipe, plan = report.experiment.recipe, report.experiment.plan
    with error_display.shown():
        dataset = services.dataset(report.experiment.dataset_id)
        if draft_session.current_recipe(dataset) not in (None, recipe):
            st.markdown("What is chosen on Prepare differs from what this run was trained with.")
            if st.button("Train with what is prepared now", type="tertiary", icon=":material/arrow_forward:"):
                session.open_run(None)
                st.rerun()
        change(report)
        set_up(dataset, recipe, plan, report.run_id, label="Train again", primary=primary)


def change(report: Report) -> None:
    """Offer to begin anew from what a run was trained with."""
    if st.button("Change what this run was trained with", type="tertiary", icon=":material/tune:"):
        with error_display.shown():
            dataset = services.dataset(report.experiment.dataset_id)
            draft_session.keep(draft_of(dataset, report.experiment.recipe).changed(plan=report.experiment.plan))
            session.open_run(None)
            go_to("prepare")


def page() -> None:
    """Show the page: a new run, a live one, or one that has ended."""
    if session.run_id() is None:
        new_run()
        return
    report = need_run()
    if live_run.has_got_result(report):
        say_next("The networks are trained.")
        go_to("leaderboard")
    header("Train", escaped(f"{report.experiment.name}: {run_budget_words(report)}"))
    if not report.state.is_final:
        live_run.watch(report)
        return
    finished_run.show(report)
    if not services.has_data(report):
        return
    # One place to choose more time is enough: where nothing can be gone on from, that is training again.
    if report.result is not None or not report.can_go_on:
        # Going on from what there is comes before training again.
        again(report, primary=not report.can_go_on)
    else:
        change(report)


page()
