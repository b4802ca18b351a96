"""Predicting: one row from a form, and many from a file."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dlreg_core.charts.shap import importance
from dlreg_core.cleaning import Value, form_fields, row_frame, row_values, typical_row
from dlreg_core.formatting import about, estimate, observed, quantity
from dlreg_core.report import rounded
from dlreg_core.scoring import PredictedTable, Scored, predict_table
from dlreg_core.specs import LeaderboardRow, Report
from pages._ui.data.upload_form import TYPES
from pages._ui.results import row_form
from pages._ui.results.shap_views import live_waterfall
from pages._ui.shared import error_display, services, session
from pages._ui.shared.result_header import quantity_column, raw_columns, read_alike
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import csv_bytes, picture

_WAIT = "Predicting. The first time, loading the models takes about 10 s."
_TYPICAL = -1
_TEST_ROWS = 20
_SHOWN = 200


@st.fragment
def one_row(report: Report, model: LeaderboardRow, best_model: str) -> None:
    """Let a person fill in one row, and show its prediction and why."""
    cleaner = services.cleaner(report.run_id)
    found = services.explanation(report.run_id, model.model) or services.explanation(report.run_id, best_model)
    fields = form_fields(cleaner, importance(found.values)["feature"] if found is not None else ())
    left, right = st.columns([1, 1.15], gap="large")
    with left:
        start = _choose_start(report)
        values = typical_row(cleaner.schema_)
        if start != _TYPICAL:
            values = row_values(cleaner.schema_, services.test_rows(report.run_id).iloc[[start]])
        values = {**values, **row_form.ask(fields, values, f"form_{report.run_id}_{start}")}
    with right, error_display.shown():
        _show_prediction(report, model, values, start)


def _choose_start(report: Report) -> int:
    if not services.has_data(report):
        return _TYPICAL
    part, unit = services.predictions(report.run_id), report.experiment.recipe.unit
    step = max(1, len(part.rows) // _TEST_ROWS)
    places = [_TYPICAL, *range(0, len(part.rows), step)][: _TEST_ROWS + 1]

    def named(place: int) -> str:
        if place == _TYPICAL:
            return "a typical row"
        return f"test row {part.rows[place]}, which was {observed(float(part.actual[place]), unit)}"

    start: int = st.selectbox("Start from", places, format_func=named, key=f"start_{report.run_id}")
    return start


def _show_prediction(report: Report, model: LeaderboardRow, values: dict[str, Value], start: int) -> None:
    cleaner, unit = services.cleaner(report.run_id), report.experiment.recipe.unit
    row = row_frame(cleaner.schema_, values)
    with st.spinner(_WAIT, show_time=True):
        scored = services.predict_row(report.run_id, model.model, row.to_json(orient="records", date_format="iso"))
    st.caption(f"{escaped(report.experiment.recipe.target)}, predicted by {escaped(model.model)}")
    st.markdown(f"## {escaped(_in_words(scored, unit))}")
    if start != _TYPICAL:
        part = services.predictions(report.run_id)
        st.caption(f"This test row was {escaped(quantity(float(part.actual[start]), unit))} before any change here.")
    for warning in scored.warnings:
        st.warning(escaped(warning), icon=":material/warning:")
    if services.has_data(report):
        picture(live_waterfall(report, model.model, row), key="predicted-row")


def _in_words(scored: Scored, unit: str) -> str:
    value = scored.predictions[0]
    if scored.low is None or scored.high is None:
        return quantity(value, unit)
    return estimate(value, scored.low[0], scored.high[0], unit)


def many_rows(report: Report, model: LeaderboardRow) -> None:
    """Predict the rows of a file, show them and hand them out."""
    st.subheader("Many rows", anchor=False)
    needed = services.cleaner(report.run_id).needed
    names = ", ".join(needed[:12]) + (f" and {len(needed) - 12} more" if len(needed) > 12 else "")
    st.markdown(escaped(f"A table (CSV, Excel, Parquet and others) with the columns {names}. Other columns are kept."))
    services.expect_file()
    upload = st.file_uploader("File with rows to predict", type=TYPES, label_visibility="collapsed", key="many_file")
    if upload is None:
        return
    with error_display.shown():
        predicted = _predicted(report, model, upload)
        _show_many(report, predicted, upload.name)


def _predicted(report: Report, model: LeaderboardRow, upload: Any) -> PredictedTable:
    key = (upload.file_id, report.run_id, services.result_number(report.run_id), model.model)
    kept: tuple[object, PredictedTable] | None = session.recall("many_rows")
    if kept is not None and kept[0] == key:
        return kept[1]
    cleaner = services.cleaner(report.run_id)
    with st.spinner("Reading the file.", show_time=True):
        rows = services.reader_store().raw_rows(upload.getvalue(), services.run_folder(report.run_id))
    time = about(len(rows) / (model.predict_rows_per_second or 1000.0))
    words = f"Predicting {len(rows):,} rows: {time}, and about 10 s more where the models aren't loaded yet."
    with st.spinner(words, show_time=True):
        predicted = predict_table(services.scorer(), services.run_folder(report.run_id), rows, cleaner, model.model)
    session.remember("many_rows", (key, predicted))
    return predicted


def _show_many(report: Report, predicted: PredictedTable, file_name: str) -> None:
    table, unit, added = predicted.table, report.experiment.recipe.unit, list(predicted.added)
    low, high = (quantity(float(end), unit) for end in (table[added[0]].min(), table[added[0]].max()))
    st.markdown(escaped(f"{table[added[0]].notna().sum():,} rows predicted, from {low} to {high}."))
    for warning in predicted.warnings:
        st.warning(escaped(warning), icon=":material/warning:")
    shown = table.head(_SHOWN)
    shown = shown.assign(**{name: rounded(shown[name], 4, like=shown[added[0]]) for name in added})
    config = raw_columns(shown) | {name: quantity_column(name, unit, shown[added[0]]) for name in added}
    order = [*added, *(name for name in shown.columns if name not in added)]
    looked_at, config = read_alike(shown, config)
    st.dataframe(
        looked_at,
        hide_index=True,
        column_order=order,
        column_config=config,
        height=282,
        placeholder="",
        alt="Predicted rows.",
    )
    if len(table) > _SHOWN:
        st.caption(f"The first {_SHOWN} rows; the file holds all of them.")
    stem = file_name.rsplit(".", 1)[0]
    st.download_button(
        "Download predictions",
        lambda: csv_bytes(table),
        f"{stem}-predictions.csv",
        "text/csv",
        on_click="ignore",
        icon=":material/download:",
    )
