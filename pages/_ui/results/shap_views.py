"""What drives the predictions: the pictures of Explain."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dlreg_core.charts.shap import importance
from dlreg_core.charts.shap.beeswarm import ShapBeeswarm
from dlreg_core.charts.shap.dependence_plot import NO_COLOUR, ShapDependence
from dlreg_core.charts.shap.importance_bar import ShapBar
from dlreg_core.charts.shap.waterfall import ShapWaterfall
from dlreg_core.formatting import quantity
from dlreg_core.report import explanation_table
from dlreg_core.runs import Explanation
from dlreg_core.specs import Report
from dlreg_core.wording import context_text, shap_words
from pages._ui.shared import error_display, services, session
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import csv_bytes, picture


def overview(found: Explanation, unit: str) -> None:
    """Show which columns matter, as bars or as a swarm."""
    st.subheader(escaped(shap_words(found.values, unit, found.result.background)), anchor=False)
    tables = (found.values, found.data, found.result.base_value, unit)
    bars, swarm = st.tabs(["Importance", "Every row"], on_change="rerun", key="shap_view")
    if bars.open:
        with bars:
            picture(ShapBar(*tables), key="shap-importance")
    if swarm.open:
        with swarm:
            picture(ShapBeeswarm(*tables), key="shap-every-row")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(escaped(context_text.explanation_words(found.result)))
        st.download_button(
            "Download values",
            csv_bytes(explanation_table(found)),
            "shap-values.csv",
            "text/csv",
            on_click="ignore",
            type="tertiary",
            icon=":material/download:",
        )


def dependence(found: Explanation, unit: str) -> None:
    """Show how one column moves the prediction, value by value."""
    st.subheader("How?", anchor=False)
    features = list(importance(found.values)["feature"])
    left, right = st.columns(2)
    feature = left.selectbox("Column", features, key="shap_feature")
    others = [name for name in features if name != feature]
    # None lets the picture choose the column that interacts most.
    choices: list[str | None] = [None, NO_COLOUR, *others]
    names = ["auto", "none", *others]
    # By place: None as an option would put a cross for "nothing chosen" into the field.
    place = right.selectbox(
        "Coloured by", range(len(choices)), format_func=names.__getitem__, key=f"shap_colour_{feature}"
    )
    colour = choices[place]
    display = ShapDependence(found.values, found.data, found.result.base_value, unit, feature, colour)
    st.markdown(escaped(display.alt))
    picture(display, key="shap-dependence")


def asked_row(run_id: str) -> int | None:
    """Return the row that another page asked to have explained, None where none was."""
    run, row = session.recall("row", (None, None))
    return row if run == run_id else None


def one_row(report: Report, model: str, found: Explanation | None) -> None:
    """Show why one row got its prediction."""
    st.subheader("Why this row?", anchor=False)
    asked = asked_row(report.run_id)
    rows = [int(row) for row in found.rows] if found is not None else []
    choices = rows if asked is None or asked in rows else [asked, *rows]
    part, unit = services.predictions(report.run_id), report.experiment.recipe.unit
    places = {int(row): place for place, row in enumerate(part.rows)}

    def named(row: int) -> str:
        place = places[row]
        actual = quantity(float(part.actual[place]), unit)
        return f"Row {row}: predicted {quantity(float(part.predicted[model][place]), unit)}, was {actual}"

    choices = [row for row in choices if row in places]
    start = choices.index(asked) if asked in choices else 0
    row = st.selectbox("Row", choices, index=start, format_func=named, key=f"why_row_{report.run_id}_{asked}")
    if found is not None and row in rows:
        place = rows.index(row)
        display = ShapWaterfall(found.values, found.data, found.result.base_value, unit, place)
        picture(display, key="shap-row")
        return
    with error_display.shown():
        picture(live_waterfall(report, model, services.test_rows(report.run_id).iloc[[places[row]]]), key="shap-row")


def live_waterfall(report: Report, model: str, raw: pd.DataFrame) -> ShapWaterfall:
    """Ask the prediction process why a row gets its prediction."""
    features = list(services.cleaner(report.run_id).schema_.names)
    record = raw[features].to_json(orient="records", date_format="iso")
    with st.spinner("Explaining this row. The first time, loading the model takes about 10 s.", show_time=True):
        values, base = services.explain_row(report.run_id, model, record)
    data = raw[features].reset_index(drop=True)
    return ShapWaterfall(pd.DataFrame([values], columns=features), data, base, report.experiment.recipe.unit)
