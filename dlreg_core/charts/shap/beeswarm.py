"""How every row is moved by every feature, as a swarm of dots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.array_types import Floats
from dlreg_core.charts.base import theme
from dlreg_core.charts.base.dot_density import MOST_POINTS, MOST_SVG_POINTS
from dlreg_core.charts.shap.shap_values import MOST_FEATURES, ShapTables, ranks
from dlreg_core.formatting import observed, signed

_BINS = 80
_REACH = 0.4


def swarm(values: Floats, bins: int = _BINS) -> Floats:
    """Spread dots of one line so that where many lie, the line grows wide.

    Parameters
    ----------
    values : ndarray of shape (n,)
        Places along the line.
    bins : int
        Stretches of the line in which dots are stacked.

    Returns
    -------
    ndarray of shape (n,)
        Distances from the line, from -0.4 to 0.4; the fullest stretch reaches the ends, and others are as much
        narrower as they hold fewer dots.
    """
    low, high = float(values.min()), float(values.max())
    if high == low:
        stretch = np.zeros(len(values), dtype=np.intp)
    else:
        stretch = np.minimum(((values - low) / (high - low) * bins).astype(np.intp), bins - 1)
    counts = np.bincount(stretch)
    order = np.argsort(stretch, kind="stable")
    place = np.empty(len(values))
    place[order] = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
    # 0, 1, 2, 3 ... of a stretch go to the middle, above, below, further above ...
    side = np.where(place % 2 == 1, 1.0, -1.0) * np.ceil(place / 2)
    return np.asarray(side * (2 * _REACH / max(1, counts.max() - 1)), dtype=np.float64).clip(-_REACH, _REACH)


@dataclass(frozen=True, eq=False)
class ShapBeeswarm(ShapTables):
    """A dot a row and feature: placed by the SHAP value, coloured by where the feature's value ranks."""

    at_most: int = MOST_FEATURES

    def frame(self) -> pd.DataFrame:
        """Return what is drawn.

        Returns
        -------
        DataFrame
            A line a dot: ``feature`` (the most important first), ``row`` (position in the tables), ``shap``,
            ``value`` (as text), ``rank`` (0 lowest to 1 highest; missing for categories) and ``offset`` (from the
            feature's line). Above 20,000 dots evenly chosen rows are drawn.
        """
        features = self.ordered()[: self.at_most]
        most = max(1, MOST_POINTS // len(features))
        rows = np.unique(np.linspace(0, len(self.values) - 1, min(most, len(self.values))).astype(np.intp))
        return pd.concat([self._line(feature, rows) for feature in features], ignore_index=True)

    def _line(self, feature: str, rows: np.ndarray[tuple[int], np.dtype[np.intp]]) -> pd.DataFrame:
        shap = self.values[feature].to_numpy(dtype=np.float64)[rows]
        column = self.data[feature].reset_index(drop=True)
        return pd.DataFrame(
            {
                "feature": feature,
                "row": rows,
                "shap": shap,
                "value": [value_text(value) for value in column.iloc[rows]],
                "rank": ranks(column).to_numpy()[rows],
                "offset": swarm(shap),
            }
        )

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        features = ", ".join(self.ordered()[:3])
        return (
            f"How {len(self.values):,} rows are moved by each column, coloured from low to high values of the column; "
            f"the widest spreads: {features}."
        )

    def plot(self) -> go.Figure:
        """Return the figure; dots carry their row's position as ``customdata[0]``."""
        table = self.frame()
        features = list(dict.fromkeys(table["feature"]))
        title = theme.axis_title("Moves the prediction by (SHAP)", self.unit)
        figure = theme.figure(height=110 + 30 * len(features), x=title, grid="")
        position = {feature: len(features) - 1 - place for place, feature in enumerate(features)}
        table["y"] = table["feature"].map(position) + table["offset"]
        plain = table["rank"].isna()
        kind = go.Scattergl if len(table) > MOST_SVG_POINTS else go.Scatter
        for part, marker in ((table[plain], {"color": theme.GREY}), (table[~plain], self._scale(table[~plain]))):
            figure.add_trace(
                kind(
                    x=part["shap"],
                    y=part["y"],
                    mode="markers",
                    marker={"size": 5, "opacity": 0.8, **marker},
                    customdata=np.column_stack([part["row"], self._hover(part)]) if len(part) else None,
                    hovertemplate="%{customdata[1]}<extra></extra>",
                )
            )
        ticks = theme.name_ticks(features, [position[f] for f in features])
        figure.update_yaxes(**ticks, range=[-0.6, len(features) - 0.4])
        figure.add_vline(x=0, line_color=theme.GREY, line_width=1)
        return figure

    @staticmethod
    def _scale(part: pd.DataFrame) -> dict[str, object]:
        return {"color": part["rank"], **RANK_SCALE}

    def _hover(self, part: pd.DataFrame) -> list[str]:
        dots, unit = zip(part["feature"], part["value"], part["shap"], strict=True), theme.escape(self.unit)
        return [f"{theme.escape(f'{name} = {value}')}<br>{signed(shap, unit)}" for name, value, shap in dots]


RANK_SCALE: dict[str, object] = {
    "colorscale": theme.LOW_TO_HIGH,
    "cmin": 0,
    "cmax": 1,
    "showscale": True,
    "colorbar": {"tickvals": [0, 1], "ticktext": ["low", "high"], "thickness": 8, "outlinewidth": 0, "len": 0.6},
}
"""Marker settings that colour dots by rank, from low to high."""


def value_text(value: object) -> str:
    """Return a raw value of a feature for a person."""
    if pd.isna(value):  # type: ignore[call-overload]
        return "missing"
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, int | float | np.integer | np.floating):
        return observed(float(value), digits=5)
    return str(value.date()) if isinstance(value, pd.Timestamp) else str(value)
