"""The leaderboard as a table."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from dlreg_core.formatting import duration
from dlreg_core.report import rounded
from dlreg_core.specs import TrainResult
from dlreg_core.wording import context_text
from pages._ui.shared.result_header import quantity_column, read_alike
from pages._ui.shared.widgets import selected_row

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

LABELS = {
    "role": "Kind",
    "rmse": "RMSE",
    "mae": "Off by (MAE)",
    "r2": "R²",
    "median_ae": "Median error",
    "mse": "MSE",
    "rmse_validation": "Validation RMSE",
    "coverage_90": "90 % interval holds",
    "fit_seconds": "Fit time",
    "predict_rows_per_second": "Rows/s",
    "size_mb": "Size, MB",
    "note": "Note",
}
FIRST = ["role", "rmse", "mae", "r2", "rmse_validation", "fit_seconds", "predict_rows_per_second"]
HELP = {
    "rmse": "Root mean squared error on the test rows: large errors count more. Smaller is better.",
    "mae": "Mean absolute error on the test rows: how far off a prediction is on average.",
    "r2": "Share of the target's variation that the model explains: 1 is perfect, 0 is no better than the mean.",
    "median_ae": "Half of the predictions are off by less than this.",
    "mse": "Mean squared error on the test rows.",
    "rmse_validation": "RMSE on the validation rows, which chose between the networks; the test rows chose nothing.",
    "coverage_90": "Share of the test rows that lie inside their 90 % prediction interval.",
    "predict_rows_per_second": "Rows predicted in a second, measured on up to 1,000 rows.",
    "note": "What an ensemble is made of, or why there are no figures.",
}
AGAINST = {
    "against": ("Networks against", None),
    "mae": ("Error", "How much lower or higher the mean absolute error of the networks is, on the same test rows."),
    "mae_interval": ("95 %", "Where zero is inside, the difference may be luck (paired bootstrap)."),
    "rmse": ("RMSE", "The same of the root mean squared error, which weighs large errors more."),
    "rmse_interval": ("95 %", "Where zero is inside, the difference may be luck (paired bootstrap)."),
    "fit": ("Training took", "An ensemble takes as long as all its members."),
    "speed": ("Predicting is", "Rows in a second, measured on up to 1,000 rows."),
}
_IN_UNIT = ("rmse", "mae", "median_ae", "rmse_validation")


def choose_columns() -> list[str]:
    """Let a person choose the columns of the table, behind a quiet button."""
    with st.popover("Columns", type="tertiary", icon=":material/view_column:"):
        chosen = st.pills(
            "Columns", list(LABELS), selection_mode="multi", default=FIRST, format_func=LABELS.__getitem__,
            label_visibility="collapsed", key="leaderboard_columns", wrap=True,
        )  # fmt: skip
    return [name for name in LABELS if name in chosen]


def show(table: pd.DataFrame, result: TrainResult, unit: str, columns: list[str]) -> str | None:
    """Show the models that were judged, sortable by any column; return the one whose row is selected."""
    judged = table[table["rmse"].notna()].copy()
    for name in _IN_UNIT:
        judged[name] = rounded(judged[name])
    names = list(judged["model"])
    judged["model"] = [context_text.model_label(result, name) for name in judged["model"]]
    # As numbers of seconds they sort rightly; the words are for reading.
    judged["fit_seconds"] = judged["fit_seconds"].astype("float64")
    shown, config = read_alike(judged[["rank", "model", *columns]], _config(judged, unit))
    if "fit_seconds" in columns:
        # pandas' stubs ask for a function that takes any object, though each gets values of its own column alone.
        in_words: Callable[[Any], str] = duration
        shown = (shown if isinstance(shown, Styler) else shown.style).format(in_words, subset=["fit_seconds"])
    # By keyboard too, which the dots of the chart can't be reached with.
    chosen = selected_row(
        shown,
        rows=len(names),
        column_config=config,
        height="content",
        placeholder="\u2013",
        key="leaderboard_rows",
        alt=f"The models from the lowest test error up, {duration(result.seconds)} of training in all.",
    )
    return None if chosen is None else names[chosen]


def show_against(table: pd.DataFrame) -> None:
    """Show the networks against each simple model; nothing for results that don't tell."""
    if table.empty:
        return
    text = st.column_config.TextColumn
    names = list(AGAINST)
    st.dataframe(
        table[names],
        hide_index=True,
        column_config={name: text(label, help=tip, alignment="left") for name, (label, tip) in AGAINST.items()},
        height="content",
        alt="The best network, or networks, against each simple model: error, training time and speed.",
    )


def _config(table: pd.DataFrame, unit: str) -> dict[str, ColumnConfig]:
    number = st.column_config.NumberColumn
    config = {name: quantity_column(LABELS[name], unit, table[name], HELP[name]) for name in _IN_UNIT}
    config["rank"] = number("", width=40)
    config["model"] = st.column_config.TextColumn("Model")
    config["mse"] = number(LABELS["mse"], format="%.3g", help=HELP["mse"])
    below = bool((table["r2"] < 0).any())
    # A bar can't reach below zero.
    config["r2"] = (
        number(LABELS["r2"], format="%.2f", help=HELP["r2"])
        if below
        else st.column_config.ProgressColumn(
            LABELS["r2"], format="%.2f", min_value=0, max_value=1, help=HELP["r2"], width=120
        )
    )
    config["coverage_90"] = number(LABELS["coverage_90"], format="percent", help=HELP["coverage_90"])
    config["fit_seconds"] = number(LABELS["fit_seconds"])
    config["predict_rows_per_second"] = number(
        LABELS["predict_rows_per_second"], format="%,.0f", help=HELP["predict_rows_per_second"]
    )
    config["size_mb"] = number(LABELS["size_mb"], format="%.2f")
    for name in ("role", "note"):
        config[name] = st.column_config.TextColumn(LABELS[name], help=HELP.get(name))
    return config
