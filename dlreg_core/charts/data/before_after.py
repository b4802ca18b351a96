"""What a cleaning step makes of a column: its values before and after, side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.array_types import Floats
from dlreg_core.charts.base import theme
from dlreg_core.charts.base.frames import row_records
from dlreg_core.formatting import number_range
from dlreg_core.ingest.inference import even_bins

_BARS = 24


@dataclass(frozen=True)
class Panel:
    """One of the two histograms: its title, and a label and the rows of each bar; see `panel_of`."""

    title: str
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()


def panel_of(title: str, values: Floats, back: Callable[[Floats], Floats | tuple[str, ...]] | None = None) -> Panel:
    """Count values in equal bins.

    Parameters
    ----------
    title : str
        What they are.
    values : ndarray of shape (n,)
        What isn't finite is passed over.
    back : callable, optional
        From the values to what a person knows them as, numbers or words: bars are labelled with that.
    """
    known = values[np.isfinite(values)]
    if not len(known):
        return Panel(title)
    ordered = np.sort(known)
    most = min(_BARS, max(1, len(np.unique(known))))
    even = even_bins(ordered, most)
    if even is not None:
        edges, places = even[0], np.searchsorted(ordered, even[1])
        counts = np.diff(np.concatenate([[0], places, [len(ordered)]]))
    else:
        counts, edges = np.histogram(known, bins=most)
    # The last bar may reach beyond the highest value; no label does.
    ends = np.minimum(edges, ordered[-1])
    told = ends if back is None else back(ends)
    labels = tuple(
        f"{low} to {high}" if isinstance(low, str) else number_range(float(low), float(high))
        for low, high in pairwise(told)
    )
    return Panel(title, tuple(edges.tolist()), labels, tuple(counts.tolist()))


@dataclass(frozen=True)
class BeforeAfter:
    """Two small histograms, the left one grey: a column before and after a cleaning step."""

    name: str
    before: Panel
    after: Panel
    height: int = 150

    def frame(self) -> pd.DataFrame:
        """Return ``panel``, ``label``, ``low``, ``high`` and ``rows``, a line a bar."""
        lines = [
            {"panel": panel.title, "label": label, "low": panel.edges[i], "high": panel.edges[i + 1], "rows": count}
            for panel in (self.before, self.after)
            for i, (label, count) in enumerate(zip(panel.labels, panel.rows, strict=True))
        ]
        return pd.DataFrame(lines, columns=["panel", "label", "low", "high", "rows"])

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        most = [
            f"{panel.title}: most rows at {panel.labels[int(np.argmax(panel.rows))]}"
            for panel in (self.before, self.after)
            if panel.rows
        ]
        return f"{self.name}, {'; '.join(most)}." if most else f"Nothing to draw of {self.name}."

    def plot(self) -> go.Figure:
        """Return the figure: bars without axes, read under the pointer."""
        table = self.frame()
        if table.empty:
            return theme.nothing("", height=self.height)
        figure = theme.figure(height=self.height, grid="")
        for place, (panel, colour) in enumerate(((self.before, theme.GREY), (self.after, theme.ACCENT))):
            bars = row_records(
                table.iloc[: len(self.before.rows)] if place == 0 else table.iloc[len(self.before.rows) :]
            )
            axis = "" if place == 0 else "2"
            figure.add_bar(
                x=[(bar["low"] + bar["high"]) / 2 for bar in bars],
                y=[bar["rows"] for bar in bars],
                customdata=[theme.escape(bar["label"]) for bar in bars],
                marker={"color": colour, "line": {"width": 0}},
                hovertemplate="%{customdata}<br>%{y:,} rows<extra></extra>",
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
            )
            start, end = (0.0, 0.47) if place == 0 else (0.53, 1.0)
            figure.update_layout({f"xaxis{axis}": {"domain": [start, end], "visible": False}})
            figure.update_layout({f"yaxis{axis}": {"anchor": f"x{axis}", "visible": False}})
            figure.add_annotation(
                text=theme.label(panel.title), x=start, y=1.0, xref="paper", yref="paper", xanchor="left",
                yanchor="bottom", showarrow=False,
            )  # fmt: skip
        figure.update_layout(bargap=0.06, margin={"l": 0, "r": 0, "t": 24, "b": 0})
        return figure
