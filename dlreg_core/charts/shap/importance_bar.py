"""Which features matter, as bars."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.frames import row_records
from dlreg_core.charts.shap.shap_values import MOST_FEATURES, ShapTables, top_importance
from dlreg_core.formatting import quantity, quantity_range


@dataclass(frozen=True, eq=False)
class ShapBar(ShapTables):
    """Mean absolute SHAP value of each feature with its 95 % interval over the rows."""

    at_most: int = MOST_FEATURES

    def frame(self) -> pd.DataFrame:
        """Return ``feature``, ``mean_abs``, ``low``, ``high``, ``others``, as `top_importance` does."""
        return top_importance(self.values, self.at_most)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        lines = row_records(self.frame())[:3]
        first = ", ".join(f"{line['feature']} {quantity(line['mean_abs'], self.unit)}" for line in lines)
        return f"How much each column moves the prediction on average, the largest first: {first}."

    def plot(self) -> go.Figure:
        """Return the figure; bars carry the feature's name as ``customdata[0]``."""
        table = self.frame()
        figure = theme.figure(height=108 + 25 * len(table), grid="x")
        # In two lines: beside long names, on a phone, one is cut off.
        measure = theme.escape(theme.axis_title("on average (mean |SHAP|)", self.unit))
        figure.update_xaxes(title_text=f"Moves the prediction by,<br>{measure}")
        names = [theme.escape(name) for name in table["feature"]]
        figure.add_bar(
            x=table["mean_abs"],
            y=names,
            orientation="h",
            marker={"color": [theme.GREY if other else theme.ACCENT for other in table["others"]], "line_width": 0},
            error_x={
                "type": "data",
                "array": (table["high"] - table["mean_abs"]).fillna(0),
                # Nothing moves a prediction by less than 0.
                "arrayminus": (table["mean_abs"] - table["low"]).fillna(0),
                "color": theme.GREY,
                "thickness": 1.5,
                "width": 0,
            },
            customdata=[[line["feature"], self._hover(line)] for line in row_records(table)],
            hovertemplate="%{customdata[1]}<extra></extra>",
        )
        figure.update_yaxes(
            categoryorder="array", categoryarray=names[::-1], **theme.name_ticks(table["feature"].tolist())
        )
        return figure

    def _hover(self, line: dict[str, object]) -> str:
        unit = theme.escape(self.unit)
        text = f"<b>{theme.escape(str(line['feature']))}</b><br>{quantity(float(str(line['mean_abs'])), unit)}"
        low, high = float(str(line["low"])), float(str(line["high"]))
        return text if pd.isna(low) else f"{text} (95 %: {quantity_range(low, high, unit)})"
