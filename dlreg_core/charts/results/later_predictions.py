"""Actual and predicted values of test rows in the order of time, with the prediction's interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.array_types import Floats
from dlreg_core.charts.base import theme
from dlreg_core.formatting import percent

_MOST_POINTS = 400


@dataclass(frozen=True, eq=False)
class LaterRows:
    """Actual and predicted over the test period; of more than 400 rows, means of neighbours."""

    moments: pd.Series
    actual: Floats
    predicted: Floats
    low: Floats
    high: Floats
    unit: str = ""
    order: str = ""
    height: int = 280
    colour: str = theme.ACCENT

    def frame(self) -> pd.DataFrame:
        """Return a line a point: ``moment``, ``rows``, ``actual``, ``predicted``, ``low`` and ``high``."""
        table = pd.DataFrame(
            {
                "moment": self.moments.to_numpy(),
                "actual": self.actual,
                "predicted": self.predicted,
                "low": self.low,
                "high": self.high,
            }
        ).sort_values("moment", kind="stable", ignore_index=True)
        point = table.index.to_numpy() * min(_MOST_POINTS, len(table)) // max(1, len(table))
        grouped = table.groupby(point)
        found = grouped.mean(numeric_only=False)
        found.insert(1, "rows", grouped.size())
        return found.reset_index(drop=True)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        if not len(self.actual):
            return "No test rows to show."
        inside = float(np.mean((self.actual >= self.low) & (self.actual <= self.high)))
        return (
            f"Actual and predicted values of {len(self.actual):,} test rows by {self.order}; {percent(inside)} lie "
            "within the 90 % interval."
        )

    def plot(self) -> go.Figure:
        """Return the figure."""
        if not len(self.actual):
            return theme.nothing("No test rows to show.", height=self.height)
        table = self.frame()
        figure = theme.figure(height=self.height, x=self.order, y=self.unit, grid="y")
        x = table["moment"]
        figure.add_scatter(x=x, y=table["low"], mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False)
        figure.add_scatter(
            x=x,
            y=table["high"],
            mode="lines",
            line={"width": 0},
            fill="tonexty",
            fillcolor=theme.faded(self.colour, 0.18),
            name="90 % interval",
            hoverinfo="skip",
        )
        for column, colour, width in (("actual", theme.GREY, 1.5), ("predicted", self.colour, 2)):
            figure.add_scatter(
                x=x,
                y=table[column],
                mode="lines",
                name=column,
                line={"color": colour, "width": width},
                hovertemplate=f"{column}<br>%{{x}}: %{{y:,.4~r}}<extra></extra>",
            )
        figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
        return figure
