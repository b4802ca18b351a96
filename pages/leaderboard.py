"""Leaderboard: how good every model is on rows it has never seen, and whether deep learning was worth it."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from dlreg_core.charts.results.leaderboard_chart import LeaderboardChart
from dlreg_core.report import leaderboard_table
from dlreg_core.specs import LeaderboardRow, TrainResult
from dlreg_core.wording import context_text, horizon_text, model_text, split_line, verdict_text
from pages._ui.results import later_rows_view, leaderboard_view, search_results
from pages._ui.results.horizon_errors import how_far_ahead
from pages._ui.shared import session
from pages._ui.shared.result_header import open_result
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import csv_bytes, go_to, lead, picture

_MEASURES = (
    "**Off by**: the mean absolute error, how far off a prediction is on average.  \n"
    "**RMSE**: the root mean squared error, in which large errors count more.  \n"
    "**R²**: the share of the target's variation that is explained; 1 is perfect, 0 no better than the mean.  \n"
    "**95 %**: if the rows were drawn again and again, 95 of 100 such intervals would hold the true difference."
)


def open_model(name: str) -> None:
    """Lead to a model's errors."""
    session.choose_model(name)
    go_to("diagnostics")


def show_chart(result: TrainResult, unit: str) -> None:
    """Show the models as dots; a click leads to a model's errors."""
    chosen = picture(LeaderboardChart(result.leaderboard, unit), key="leaderboard_dots", on_select="rerun")
    how = (
        "Dots are the error on the test rows, lines its 95 % interval. Click a dot, or select a row of the table "
        "(by keyboard: Shift and Space), to look at that model's errors."
    )
    st.caption(escaped(f"{how} {context_text.chosen_words(result)}"))
    for point in chosen["selection"]["points"]:
        if point.get("customdata"):
            open_model(point["customdata"][0])


def show_table(result: TrainResult, unit: str) -> None:
    """Show the leaderboard as a table, with its columns to choose and a download."""
    table = leaderboard_table(result)
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        columns = leaderboard_view.choose_columns()
        st.download_button(
            "Download CSV",
            csv_bytes(table),
            "leaderboard.csv",
            "text/csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )
    chosen = leaderboard_view.show(table, result, unit, columns)
    if chosen is not None:
        open_model(chosen)


def show_absent(rows: tuple[LeaderboardRow, ...]) -> None:
    """Say which models are missing, and why."""
    absent = [row for row in rows if not row.trained]
    if absent:
        lines = [f"- **{escaped(row.model)}**: {escaped(row.note or 'no reason was given.')}" for row in absent]
        st.warning("Not on the leaderboard:\n\n" + "\n".join(lines), icon=":material/block:")


def show_worth(result: TrainResult) -> None:
    """Answer whether the networks are better than the simple models, and what that costs."""
    answer = " ".join(sentence for sentence in verdict_text.worth_words(result) if sentence)
    if not answer:
        return
    st.subheader("Was deep learning worth it?", anchor=False)
    st.markdown(escaped(answer))
    missing = verdict_text.missing_words(result)
    if missing:
        st.caption(escaped(missing))
    leaderboard_view.show_against(verdict_text.worth_table(result))


def show_basis(result: TrainResult, unit: str) -> None:
    """Say whether the intervals hold, and what the figures rest on."""
    by = horizon_text.width_by(result)
    coverage = model_text.coverage_words(result.row(result.best_model), result.rows, unit, by)
    for sentence in (coverage, context_text.rows_words(result.rows), *result.notes):
        if sentence:
            st.markdown(escaped(sentence))


def lead_on(result: TrainResult) -> None:
    """Lead to the errors of the chosen network; where a baseline is better, that one can be taken along instead."""
    better = context_text.better_baseline(result)
    with st.container(horizontal=True):
        if better is not None:
            name = model_text.in_sentence(better.model)
            if st.button(f"Take {escaped(name)} along", type="primary", help="Predict with it, and export it."):
                session.choose_model(better.model)
                go_to("predict")
        kind: Literal["primary", "secondary"] = "primary" if better is None else "secondary"
        if st.button("Look at its errors", type=kind, key=f"look_at_{result.best_model}"):
            open_model(result.best_model)


def page() -> None:
    """Show the page."""
    report, result = open_result("Leaderboard", "How good every model is on rows it has never seen.", back_to="train")
    unit = report.experiment.recipe.unit
    st.caption(escaped(split_line(report.experiment.recipe.split, result.rows)))
    st.subheader(escaped(model_text.headline(result, unit)), anchor=False, help=_MEASURES)
    st.markdown(escaped(model_text.versus_baseline(result)))
    show_chart(result, unit)
    show_absent(result.leaderboard)
    show_table(result, unit)
    show_worth(result)
    how_far_ahead(result, result.best_model, unit)
    later_rows_view.show(report, result)
    show_basis(result, unit)
    search_results.show(report, result)
    lead_on(result)
    if result.stopped_early:
        lead("Train longer", "train", primary=False)


page()
