"""Many points: dots while they can be told apart, their density above that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.array_types import Floats
from dlreg_core.charts.base.theme import ACCENT, density, escape, hover_value

MOST_POINTS = 20_000
"""Above this a browser's hover freezes, and dots hide each other."""
MOST_SVG_POINTS = 2_000
"""Above this WebGL draws faster than SVG."""

_CELLS = (80, 50)


def density_table(x: Floats, y: Floats, cells: tuple[int, int] = _CELLS) -> pd.DataFrame:
    """Count points in a grid of equal cells.

    Returns
    -------
    DataFrame
        A line a cell that holds points: ``x`` and ``y`` (the cell's centre), ``rows``.
    """
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=cells)
    column, line = np.nonzero(counts)
    return pd.DataFrame(
        {
            "x": ((x_edges[:-1] + x_edges[1:]) / 2)[column],
            "y": ((y_edges[:-1] + y_edges[1:]) / 2)[line],
            "rows": counts[column, line].astype(np.int64),
        }
    )


def point_or_density(
    x: Floats,
    y: Floats,
    *,
    hover: tuple[tuple[str, str], tuple[str, str]],
    rows: Floats | None = None,
    colour: str = ACCENT,
) -> Any:
    """Return the trace that shows the points (x, y).

    Parameters
    ----------
    x, y : ndarray of shape (n,)
        Coordinates.
    hover : pair of (name, unit)
        What x and y are called under the pointer, and their units.
    rows : ndarray of shape (n,), optional
        Row numbers, carried as ``customdata`` so that a clicked dot can be found again.
    colour : str
        Of the dots.
    """
    (x_name, x_unit), (y_name, y_unit) = hover
    text = f"{escape(x_name)} {hover_value('x', x_unit)}<br>{escape(y_name)} {hover_value('y', y_unit)}"
    if len(x) > MOST_POINTS:
        return _density(x, y, text, colour)
    kind = go.Scattergl if len(x) > MOST_SVG_POINTS else go.Scatter
    return kind(
        x=x,
        y=y,
        mode="markers",
        customdata=rows,
        marker={"color": colour, "size": 6 if len(x) <= 500 else 4, "opacity": 0.6 if len(x) <= 500 else 0.35},
        hovertemplate=("row %{customdata}<br>" if rows is not None else "") + text + "<extra></extra>",
    )


def _density(x: Floats, y: Floats, hover: str, colour: str) -> Any:
    table = density_table(x, y)
    # Counts range over decades: their logarithm keeps the sparse outskirts visible.
    grid = table.assign(shade=np.log1p(table["rows"])).pivot(index="y", columns="x", values=["shade", "rows"])
    return go.Heatmap(
        x=grid["shade"].columns.to_numpy(),
        y=grid.index.to_numpy(),
        z=grid["shade"].to_numpy(),
        customdata=grid["rows"].to_numpy(),
        colorscale=density(colour),
        showscale=False,
        hoverongaps=False,
        hovertemplate=hover + "<br>%{customdata:,} rows<extra></extra>",
    )
