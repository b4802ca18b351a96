"""Where a model is wrong: the pictures and tables of Diagnostics."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dlreg_core.charts.base.theme import model_colour
from dlreg_core.charts.results.residuals_by_column import GroupedResiduals
from dlreg_core.formatting import number, quantity
from dlreg_core.report import rounded, worst_table
from dlreg_core.specs import Report, TrainResult
from dlreg_core.wording import diagnostics_text, later_rows_text
from pages._ui.results import cached_results
from pages._ui.shared import services, session
from pages._ui.shared.result_header import quantity_column, raw_columns, read_alike
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import go_to, picture, selected_row

_MOST_SEGMENTS = 8


def four_pictures(run_id: str, model: str, unit: str) -> None:
    """Show the four pictures of the errors, each with what is seen in it."""
    seen = cached_results.errors_seen(run_id, model, unit)
    upper, lower = st.columns(2, gap="large"), st.columns(2, gap="large")
    with upper[0]:
        _titled("Predicted against actual", seen["predicted"], "predicted-actual")
    with upper[1]:
        _titled("Error against predicted", seen["residuals"], "residuals-predicted")
    with lower[0]:
        _heading("How the errors spread", seen["histogram"].words)
        # Only the open tab is drawn, so that the other one isn't sent before it is asked for.
        spread, normal = st.tabs(["Histogram", "Q-Q"], on_change="rerun", key="spread")
        if spread.open:
            with spread:
                picture(seen["histogram"], key="residual-histogram")
        if normal.open:
            with normal:
                picture(seen["normal"], key="residual-qq")
    with lower[1]:
        _titled("Error for small and large predictions", seen["quantiles"], "error-quantile")


def _titled(title: str, seen: cached_results.DrawnDisplay, key: str) -> None:
    _heading(title, seen.words)
    picture(seen, key=key)


def _heading(title: str, sentence: str) -> None:
    st.markdown(f"**{title}**  \n{escaped(sentence)}")


def over_time(result: TrainResult, unit: str) -> None:
    """Say when the chosen model's predictions are too low or too high, where the rows are divided by time."""
    if result.over_time is not None:
        st.markdown(f"**Over time**  \n{escaped(later_rows_text.over_time_words(result.over_time, unit))}")


def segments(run_id: str, model: str, unit: str) -> None:
    """Show the groups of rows on which the model is off most."""
    table = cached_results.segments_of(run_id, model)
    st.subheader("Where is it wrong?", anchor=False)
    if table.empty:
        st.markdown("There are too few rows to tell groups apart.")
        _not_looked_at(run_id)
        return
    clear = table[table["ratio_low"] > 1]
    if clear.empty:
        st.markdown("No group of rows is clearly worse than the others.")
    else:
        first = clear.iloc[0]
        st.markdown(
            escaped(
                f"It is off most where {first['where']}: by {quantity(first['mae'], unit)} on average, "
                f"{number(first['ratio'], 2)} × the error of all rows."
            )
        )
    _segment_table(table.head(_MOST_SEGMENTS), unit)
    _not_looked_at(run_id)


def _not_looked_at(run_id: str) -> None:
    told = diagnostics_text.small_groups_words(cached_results.small_groups_of(run_id))
    if told:
        st.caption(escaped(told))


def _segment_table(table: pd.DataFrame, unit: str) -> None:
    shown = table[["where", "rows", "mae", "ratio", "ratio_low", "ratio_high", "bias"]].copy()
    shown["mae"] = rounded(shown["mae"])
    shown["bias"] = [f"{quantity(abs(bias), unit, 2)} {'low' if bias > 0 else 'high'}" for bias in shown["bias"]]
    shown["interval"] = [
        f"{low:.2f}–{high:.2f}" for low, high in zip(shown["ratio_low"], shown["ratio_high"], strict=True)
    ]
    number_column = st.column_config.NumberColumn
    st.dataframe(
        shown.drop(columns=["ratio_low", "ratio_high"]),
        hide_index=True,
        column_order=["where", "rows", "mae", "ratio", "interval", "bias"],
        column_config={
            "where": st.column_config.TextColumn("Where", width="large"),
            "rows": number_column("Rows", format="%,d"),
            "mae": quantity_column("Off by", unit, shown["mae"], "Mean absolute error in this group."),
            "ratio": number_column("× average", format="%.2f", help="This group's error over that of all rows."),
            "interval": st.column_config.TextColumn(
                "95 % interval", help="Of × average, widened so that all groups hold together.", alignment="right"
            ),
            "bias": st.column_config.TextColumn(
                "Too low or high", help="What these predictions are off by in one direction.", alignment="right"
            ),
        },
        alt=f"The {len(shown)} groups of rows with the largest error.",
    )


def worst_rows(report: Report, model: str) -> None:
    """Show the rows that the model is off most on; one that is selected can be explained."""
    recipe = report.experiment.recipe
    table = worst_table(services.test_rows(report.run_id), services.predictions(report.run_id), model, recipe.target)
    st.markdown("Select a row to see why it got its prediction.")
    guessed = ["Predicted", "Off by"]
    # What was observed is shown as it is.
    shown = table.assign(**{name: rounded(table[name], 4, like=table["Actual"]) for name in guessed})
    config = raw_columns(shown) | {name: quantity_column(name, recipe.unit, shown["Actual"]) for name in guessed}
    config["Actual"] = quantity_column("Actual", recipe.unit, table["Actual"], observed=True)
    config["Row"] = st.column_config.NumberColumn("Row", format="%d", help="Row number in the table, from 0.")
    looked_at, config = read_alike(shown, config)
    selected = selected_row(
        looked_at,
        rows=len(shown),
        column_config=config,
        key=f"worst_{model}",
        height=282,
        alt=f"The {len(shown)} test rows with the largest error.",
    )
    hint = "Select a row first." if selected is None else None
    if st.button("Explain this row", disabled=selected is None, help=hint) and selected is not None:
        session.remember("row", (report.run_id, int(table["Row"].iloc[selected])))
        go_to("explain")


def against_column(report: Report, model: str) -> None:
    """Show the errors against any column of the table, also one that the model doesn't see."""
    part, raw = services.predictions(report.run_id), services.test_rows(report.run_id)
    columns = [name for name in raw.columns if name != report.experiment.recipe.target]
    dates = [name for name in columns if pd.api.types.is_datetime64_any_dtype(raw[name])]
    worst = cached_results.segments_of(report.run_id, model)["column"]
    # Over time where there is a time: that is where a model grows old.
    first = dates[0] if dates else str(worst.iloc[0]) if len(worst) else columns[0]
    st.markdown("A pattern here is something the column knows and the model missed.")
    chosen = st.selectbox("Column", columns, index=columns.index(first), key="residual_column")
    residual = part.actual - part.predicted[model]
    shown = GroupedResiduals(raw[chosen], residual, report.experiment.recipe.unit, colour=model_colour(model))
    picture(shown, key="residual-column-chart")
