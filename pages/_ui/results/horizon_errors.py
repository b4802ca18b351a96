"""How far off a model is by how far ahead it predicts, where earlier values of the target are used."""

from __future__ import annotations

import streamlit as st

from dlreg_core.report import rounded
from dlreg_core.specs import TrainResult
from dlreg_core.wording import horizon_text
from pages._ui.shared.result_header import quantity_column
from pages._ui.shared.sidebar import escaped

_HELP = "Each test row was predicted from that long before it, with the earlier values that were known then."
_HELD = (
    "Share of the test rows that lie inside their 90 % prediction interval, which is as wide as that far ahead needs."
)
_WIDTH = "Half the width of the 90 % prediction interval, in the middle of the test rows."


def how_far_ahead(result: TrainResult, model: str, unit: str) -> None:
    """Show the error and the interval of each step ahead; nothing where there is but one kind of rows."""
    words = horizon_text.ahead_words(result, model, unit)
    if not words:
        return
    st.subheader("How far ahead?", anchor=False)
    st.markdown(escaped(words))
    table = horizon_text.ahead_table(result, model)
    if table.empty:
        return
    st.caption(escaped(horizon_text.how_far_words(result)))
    for name in ("mae", "rmse", "half_width_90"):
        table[name] = rounded(table[name])
    number = st.column_config.NumberColumn
    st.dataframe(
        table,
        hide_index=True,
        column_config={
            "ahead": st.column_config.TextColumn("Ahead", help=_HELP),
            "mae": quantity_column("Off by (MAE)", unit, table["mae"]),
            "rmse": quantity_column("RMSE", unit, table["rmse"]),
            "half_width_90": quantity_column("90 % interval, ±", unit, table["half_width_90"], _WIDTH),
            "coverage_90": number("It holds", format="percent", help=_HELD),
            "rows": number("Test rows", format="%,d"),
        },
        height="content",
        alt="Error and 90 % interval of the model by how far ahead it predicts.",
    )
