"""A column in the order of its rows, with what is made of earlier ones."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.formatting import number


@dataclass(frozen=True)
class LaggedSeries:
    """Two lines over the same rows: the column grey, what is made of it in front.

    ``moments`` are dates or numbers, in order; ``before`` and ``after`` the values, None where there is none.
    """

    name: str
    made: str
    order: str
    moments: tuple[str | float, ...]
    before: tuple[float | None, ...]
    after: tuple[float | None, ...]
    height: int = 180

    def frame(self) -> pd.DataFrame:
        """Return a line a row: the moment, ``before`` and ``after``."""
        return pd.DataFrame({self.order: self.moments, "before": self.before, "after": self.after})

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        if not self.moments:
            return f"Nothing to draw of {self.name}."
        known = [value for value in self.after if value is not None]
        last = f", at last {number(known[-1])}" if known else ""
        return f"{self.name} and {self.made} in {len(self.moments):,} rows by {self.order}{last}."

    def plot(self) -> go.Figure:
        """Return the figure."""
        if not self.moments:
            return theme.nothing("No rows to show.", height=self.height)
        figure = theme.figure(height=self.height, x=self.order, grid="y")
        for values, name, colour, width in (
            (self.before, self.name, theme.GREY, 1),
            (self.after, self.made, theme.ACCENT, 2),
        ):
            figure.add_scatter(
                x=list(self.moments),
                y=list(values),
                name=theme.label(name),
                mode="lines",
                line={"color": colour, "width": width},
                hovertemplate=f"{theme.escape(name)}<br>%{{x}}: %{{y:,.3~r}}<extra></extra>",
            )
        figure.update_layout(showlegend=True, legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0})
        return figure
