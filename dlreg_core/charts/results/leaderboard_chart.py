"""The models in the order of their error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.frames import row_records
from dlreg_core.formatting import quantity, quantity_range
from dlreg_core.specs import LeaderboardRow


@dataclass(frozen=True)
class LeaderboardChart:
    """A dot a model with the interval of its RMSE; the best on top, baselines grey."""

    rows: tuple[LeaderboardRow, ...]
    unit: str = ""

    def frame(self) -> pd.DataFrame:
        """Return ``model``, ``family``, ``role``, ``rmse``, ``low``, ``high`` and ``mae``, the best first.

        Models without figures are left out; ``low`` and ``high`` are missing where there is no interval.
        """
        lines = [
            {
                "model": row.model,
                "family": row.family,
                "role": row.role,
                "rmse": row.rmse,
                "low": row.rmse_interval.low if row.rmse_interval else np.nan,
                "high": row.rmse_interval.high if row.rmse_interval else np.nan,
                "mae": row.mae if row.mae is not None else np.nan,
            }
            for row in self.rows
            if row.trained
        ]
        table = pd.DataFrame(lines, columns=["model", "family", "role", "rmse", "low", "high", "mae"])
        return table.sort_values("rmse", kind="stable").reset_index(drop=True)

    @property
    def best_baseline(self) -> float | None:
        """The lowest RMSE of a baseline; None when there is no baseline."""
        errors = [row.rmse for row in self.rows if row.role == "baseline" and row.rmse is not None]
        return min(errors, default=None)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        if table.empty:
            return "No model has been judged yet."
        order = ", ".join(f"{line['model']} {quantity(line['rmse'], self.unit)}" for line in row_records(table))
        return f"RMSE on test rows with its interval, the best model first: {order}."

    def plot(self) -> go.Figure:
        """Return the figure; the points carry the model's name as ``customdata[0]``."""
        table = self.frame()
        if table.empty:
            return theme.nothing("No model has been judged yet.")
        figure = theme.figure(height=90 + 27 * len(table), x=theme.axis_title("RMSE on test rows", self.unit), grid="y")
        figure.add_trace(self._dots(table))
        names = [theme.escape(name) for name in table["model"]]
        figure.update_yaxes(
            categoryorder="array",
            categoryarray=names[::-1],
            range=[-0.6, len(table) - 0.4],
            **theme.name_ticks(table["model"].tolist()),
        )
        if self.best_baseline is not None:
            line = {"line_dash": "dot", "line_color": theme.GREY, "line_width": 2, "layer": "below"}
            figure.add_vline(x=self.best_baseline, annotation_text="best baseline", annotation_position="top", **line)
        return figure

    def _dots(self, table: pd.DataFrame) -> go.Scatter:
        whiskers = {
            "type": "data",
            "symmetric": False,
            "array": (table["high"] - table["rmse"]).fillna(0),
            "arrayminus": (table["rmse"] - table["low"]).fillna(0),
            "color": theme.GREY,
            "thickness": 2,
            "width": 0,
        }
        return go.Scatter(
            x=table["rmse"],
            y=[theme.escape(name) for name in table["model"]],
            mode="markers",
            error_x=whiskers,
            marker={"size": 12, "color": [self._colour(line) for line in row_records(table)], "opacity": 1},
            customdata=np.column_stack([table["model"], self._hover(table)]),
            hovertemplate="%{customdata[1]}<extra></extra>",
        )

    @staticmethod
    def _colour(line: dict[str, object]) -> str:
        return theme.GREY if line["role"] == "baseline" else theme.model_colour(str(line["family"]))

    def _hover(self, table: pd.DataFrame) -> list[str]:
        texts, unit = [], theme.escape(self.unit)
        for line in row_records(table):
            text = f"<b>{theme.escape(line['model'])}</b><br>RMSE {quantity(line['rmse'], unit)}"
            if pd.notna(line["low"]):
                text += f" (95 %: {quantity_range(line['low'], line['high'], unit)})"
            texts.append(text + (f"<br>MAE {quantity(line['mae'], unit)}" if pd.notna(line["mae"]) else ""))
        return texts
