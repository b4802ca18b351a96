"""Residuals against any column, to find what the model misses although the column knows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.dot_density import point_or_density
from dlreg_core.charts.base.frames import box_table, is_number, levels, row_records
from dlreg_core.charts.results.residual_charts import HEIGHT, RESIDUAL
from dlreg_core.evaluation import finite
from dlreg_core.formatting import quantity


@dataclass(frozen=True, eq=False)
class GroupedResiduals:
    """Residuals (actual - predicted) against a column: dots for numbers and dates, boxes for categories."""

    feature: pd.Series
    residuals: ArrayLike
    unit: str = ""
    feature_unit: str = ""
    colour: str = theme.ACCENT

    @property
    def is_scatter(self) -> bool:
        """True for numbers and dates, False for categories."""
        return is_number(self.feature) or pd.api.types.is_datetime64_any_dtype(self.feature)

    def frame(self) -> pd.DataFrame:
        """Return what is drawn.

        Returns
        -------
        DataFrame
            For numbers and dates ``value`` and ``residual`` of the rows that have a value; for categories a line a
            level with ``level``, ``rows``, ``mean``, ``q1``, ``median``, ``q3``, ``low`` and ``high`` of the
            residuals.

        Raises
        ------
        ValueError
            If a residual is missing or infinite, or the lengths differ.
        """
        residual = finite(self.residuals, "residuals")
        if len(residual) != len(self.feature):
            raise ValueError(f"there are {len(residual)} residuals but {len(self.feature)} values")
        if not self.is_scatter:
            return box_table(levels(self.feature), residual)
        table = pd.DataFrame({"value": self.feature.to_numpy(), "residual": residual})
        return table.dropna(subset="value").reset_index(drop=True)

    @property
    def name(self) -> str:
        """The column's name."""
        return str(self.feature.name or "value")

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        if self.is_scatter:
            return f"Residuals of {len(table):,} rows against {self.name}."
        medians = ", ".join(f"{line['level']} {quantity(line['median'], self.unit)}" for line in row_records(table)[:5])
        return f"Residuals by {self.name}; median of the most frequent levels: {medians}."

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        if table.empty:
            return theme.nothing(f"{self.name} has no values in these rows.")
        title = theme.axis_title(self.name, self.feature_unit)
        figure = theme.figure(height=HEIGHT, x=title, y=theme.axis_title(RESIDUAL, self.unit), grid="y")
        if self.is_scatter:
            figure.add_trace(self._points(table))
        else:
            figure.add_trace(boxes(table, self.colour))
            figure.update_xaxes(type="category", **theme.name_ticks([str(level) for level in table["level"]]))
        figure.add_hline(y=0, line_dash="dash", line_color=theme.GREY, line_width=1.5)
        if self._is_date:
            figure.update_xaxes(type="date")
        return figure

    @property
    def _is_date(self) -> bool:
        return bool(pd.api.types.is_datetime64_any_dtype(self.feature))

    def _points(self, table: pd.DataFrame) -> Any:
        # Plotly counts dates in milliseconds; the density needs numbers.
        value = table["value"]
        if self._is_date:
            value = value.astype("datetime64[ms]").astype("int64")
        x = np.asarray(value, dtype=np.float64)
        hover = ((self.name, self.feature_unit), ("residual", self.unit))
        trace = point_or_density(x, table["residual"].to_numpy(), hover=hover, colour=self.colour)
        if self._is_date:
            trace.hovertemplate = f"%{{x|%Y-%m-%d}}<br>residual {theme.hover_value('y', self.unit)}<extra></extra>"
        return trace


def boxes(table: pd.DataFrame, colour: str = theme.ACCENT) -> go.Box:
    """Return the box trace of a `box_table`, drawn from its five numbers and not from the rows."""
    return go.Box(
        x=[theme.escape(str(level)) for level in table["level"]],
        q1=table["q1"],
        median=table["median"],
        q3=table["q3"],
        lowerfence=table["low"],
        upperfence=table["high"],
        marker={"color": colour},
        line={"width": 1.5},
        fillcolor=theme.faded(colour, 0.25),
        name="",
    )
