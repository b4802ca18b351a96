"""The error of a quick model by the number of rows that it learned from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.frames import row_records
from dlreg_core.formatting import quantity


@dataclass(frozen=True)
class RowNeedsCurve:
    """Mean absolute errors on the test rows, against growing numbers of training rows.

    Attributes
    ----------
    rows : tuple of int
    errors : tuple of float
        In target units.
    unit : str
        The unit.
    """

    rows: tuple[int, ...]
    errors: tuple[float, ...]
    unit: str = ""

    def frame(self) -> pd.DataFrame:
        """Return ``rows`` and ``error``."""
        return pd.DataFrame({"rows": self.rows, "error": self.errors})

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        first, last = quantity(self.errors[0], self.unit), quantity(self.errors[-1], self.unit)
        return f"The error goes from {first} with {self.rows[0]:,} rows to {last} with {self.rows[-1]:,}."

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        figure = theme.figure(height=220, grid="y")
        figure.add_scatter(
            x=table["rows"],
            y=table["error"],
            mode="lines+markers",
            line={"color": theme.ACCENT, "width": 2},
            marker={"size": 8},
            customdata=[quantity(line["error"], theme.escape(self.unit)) for line in row_records(table)],
            hovertemplate="%{x:,} rows: off by %{customdata}<extra></extra>",
        )
        figure.update_xaxes(
            title="training rows", type="log", tickvals=list(self.rows), ticktext=[f"{n:,}" for n in self.rows]
        )
        unit = f" ({theme.escape(self.unit)})" if self.unit else ""
        figure.update_yaxes(title=f"mean absolute error{unit}", rangemode="tozero")
        return figure
