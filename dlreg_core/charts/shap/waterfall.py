"""Why one row got its prediction: from the average to the prediction, feature by feature."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.frames import row_records
from dlreg_core.charts.shap.beeswarm import value_text
from dlreg_core.charts.shap.shap_values import ShapTables, others_name
from dlreg_core.formatting import quantity, signed

AVERAGE, PREDICTION = "Average prediction", "This prediction"


@dataclass(frozen=True, eq=False)
class ShapWaterfall(ShapTables):
    """The SHAP values of one row, stacked from the average prediction to the row's own; `row` is its position."""

    row: int = 0
    at_most: int = 9

    def frame(self) -> pd.DataFrame:
        """Return the steps from top to bottom.

        Returns
        -------
        DataFrame
            ``label``, ``kind`` ("total", "feature" or "others"), ``shap`` (missing for totals), ``start`` and ``end``
            in units of the target. First the average, then the features by their absolute SHAP value, then the rest
            together, then the prediction.

        Raises
        ------
        IndexError
            If there is no such row.
        """
        values = self.values.iloc[self.row].astype("float64")
        order = list(values.abs().sort_values(ascending=False, kind="stable").index)
        # A rest of one column is shown by its name: it needs no more room.
        shown = order if len(order) <= self.at_most + 1 else order[: self.at_most]
        steps = [
            (f"{name} = {value_text(self.data[name].iloc[self.row])}", "feature", float(values[name])) for name in shown
        ]
        if len(shown) < len(order):
            rest = order[len(shown) :]
            steps.append((others_name(len(rest)), "others", float(values[rest].sum())))
        table = pd.DataFrame(steps, columns=["label", "kind", "shap"])
        table["end"] = self.base_value + table["shap"].cumsum()
        table["start"] = table["end"] - table["shap"]
        ends = [(AVERAGE, self.base_value), (PREDICTION, self.base_value + float(values.sum()))]
        first, last = (
            pd.DataFrame([{"label": label, "kind": "total", "shap": float("nan"), "start": 0.0, "end": end}])
            for label, end in ends
        )
        return pd.concat([first, table, last], ignore_index=True)[["label", "kind", "shap", "start", "end"]]

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        lines = row_records(self.frame())
        steps = ", ".join(f"{line['label']} {signed(line['shap'], self.unit)}" for line in lines[1:4] if line["shap"])
        start, end = (quantity(lines[place]["end"], self.unit) for place in (0, -1))
        return f"From the average prediction, {start}, to this one, {end}; the largest steps: {steps}."

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        title = theme.axis_title("Prediction", self.unit)
        figure = theme.figure(height=80 + 28 * len(table), x=title, grid="x")
        total = table["kind"] == "total"
        amounts = table["end"].where(total, table["shap"])
        texts = [
            # The axis names the unit; where there is little room, a long one would run into the next text.
            quantity(line["end"], self.unit) if line["kind"] == "total" else signed(line["shap"], _short(self.unit))
            for line in row_records(table)
        ]
        # By place and not by label, since two columns may read the same.
        figure.add_waterfall(
            orientation="h",
            y=list(range(len(table))),
            x=amounts,
            measure=["absolute", *["relative"] * (len(table) - 2), "total"],
            text=[theme.escape(text) for text in texts],
            textposition="outside",
            cliponaxis=False,
            increasing={"marker": {"color": theme.RISE}},
            decreasing={"marker": {"color": theme.FALL}},
            totals={"marker": {"color": theme.GREY}},
            connector={"line": {"color": theme.GREY, "width": 1, "dash": "dot"}},
            customdata=[theme.escape(label) for label in table["label"]],
            hovertemplate="%{customdata}<br>%{text}<extra></extra>",
        )
        figure.update_xaxes(range=self._span(table))
        figure.update_yaxes(**theme.name_ticks(table["label"].tolist(), range(len(table))), autorange="reversed")
        return figure

    @staticmethod
    def _span(table: pd.DataFrame) -> list[float]:
        """Return the axis range: where the steps are, with room for their texts, and not always down to zero."""
        ends = table["end"]
        low, high = float(ends.min()), float(ends.max())
        room = 0.3 * (high - low) or max(1.0, abs(high)) * 0.1
        # More on the left: there the texts of steps down stand beside the names of the columns.
        return [low - 1.6 * room, high + room]


def _short(unit: str) -> str:
    return unit if len(unit) == 1 else ""
