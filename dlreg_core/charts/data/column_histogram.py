"""What a column of a table holds, small enough to stand under its name."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.frames import row_records
from dlreg_core.formatting import number_range
from dlreg_core.specs import Column

MOST_BARS = 8


@dataclass(frozen=True)
class ColumnHistogram:
    """A tiny histogram of a number column, or bars of a category's most frequent levels."""

    column: Column
    height: int = 90

    def frame(self) -> pd.DataFrame:
        """Return ``label`` and ``rows``, for numbers also ``low`` and ``high``; no lines where nothing is known."""
        if self.column.histogram is not None:
            edges, counts = self.column.histogram.edges, self.column.histogram.counts
            table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "rows": counts})
            table.insert(0, "label", [number_range(line["low"], line["high"]) for line in row_records(table)])
            return table
        lines = [{"label": level.value, "rows": level.count} for level in self.column.levels[:MOST_BARS]]
        return pd.DataFrame(lines, columns=["label", "rows"])

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        if table.empty:
            return f"Nothing to draw of {self.column.name}."
        most = row_records(table)[int(table["rows"].to_numpy().argmax())]
        return f"{self.column.name}: most frequent is {most['label']}, in {most['rows']:,} rows."

    def plot(self) -> go.Figure:
        """Return the figure: bars without axes, read under the pointer."""
        table = self.frame()
        if table.empty:
            return theme.nothing("", height=self.height)
        figure = theme.figure(height=self.height, grid="")
        labels = [theme.escape(label) for label in table["label"]]
        if "low" in table:
            figure.add_bar(x=(table["low"] + table["high"]) / 2, y=table["rows"], customdata=labels)
        else:
            figure.add_bar(x=list(range(len(table))), y=table["rows"], customdata=labels)
        figure.update_traces(
            marker={"color": theme.ACCENT, "line": {"width": 0}},
            hovertemplate="%{customdata}<br>%{y:,} rows<extra></extra>",
        )
        figure.update_layout(bargap=0.06 if "low" in table else 0.25, margin={"l": 0, "r": 0, "t": 4, "b": 0})
        figure.update_xaxes(visible=False)
        figure.update_yaxes(visible=False)
        return figure
