"""How one feature moves the prediction, value by value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.array_types import Floats
from dlreg_core.charts.base import theme
from dlreg_core.charts.base.dot_density import MOST_SVG_POINTS
from dlreg_core.charts.base.frames import box_table, is_number, levels
from dlreg_core.charts.results.residual_charts import HEIGHT
from dlreg_core.charts.results.residuals_by_column import boxes
from dlreg_core.charts.shap.beeswarm import RANK_SCALE, value_text
from dlreg_core.charts.shap.shap_values import ShapTables, ranks
from dlreg_core.formatting import signed

NO_COLOUR = ""
"""As `colour_by`: draw without colours."""


@dataclass(frozen=True, eq=False)
class ShapDependence(ShapTables):
    """SHAP values of one feature against its values; a strip of dots and a box a level for categories.

    ``colour_by`` is the feature that colours the dots; None chooses the one that interacts most, by `interaction`.
    """

    feature: str = ""
    colour_by: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in (self.feature, self.colour_by or self.feature):
            if name not in self.values.columns:
                raise ValueError(f"there is no feature called {name!r}")

    @cached_property
    def colour(self) -> str | None:
        """The feature that colours the dots; None where none interacts beyond chance."""
        if self.colour_by is not None:
            return self.colour_by or None
        return interaction(self.values, self.data, self.feature)

    @property
    def is_scatter(self) -> bool:
        """True for numbers and dates, False for categories."""
        column = self.data[self.feature]
        return is_number(column) or pd.api.types.is_datetime64_any_dtype(column)

    def frame(self) -> pd.DataFrame:
        """Return ``row``, ``value``, ``shap``, ``colour`` (raw value) and ``rank`` of the colour, a line a row."""
        colour = self.colour
        raw = self.data[colour].reset_index(drop=True) if colour else pd.Series(np.nan, index=range(len(self.data)))
        return pd.DataFrame(
            {
                "row": np.arange(len(self.data)),
                "value": self.data[self.feature].to_numpy(),
                "shap": self.values[self.feature].to_numpy(dtype=np.float64),
                "colour": raw,
                "rank": colour_ranks(raw) if colour else np.nan,
            }
        )

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        low, high = (signed(float(end), self.unit) for end in self.values[self.feature].quantile([0.05, 0.95]))
        coloured = f", coloured by {self.colour}" if self.colour else ""
        return f"How {self.feature} moves the prediction{coloured}: from {low} to {high} for nine rows in ten."

    def plot(self) -> go.Figure:
        """Return the figure; dots carry their row's position as ``customdata[0]``."""
        table = self.frame()
        title = theme.axis_title("Moves the prediction by (SHAP)", self.unit)
        figure = theme.figure(height=HEIGHT, x=self.feature, y=title, grid="y")
        if not self.is_scatter:
            self._strip(figure, table)
        else:
            self._dots(figure, table, table["value"])
        figure.add_hline(y=0, line_color=theme.GREY, line_width=1)
        if self.colour and table["rank"].notna().any():
            text = {"text": f"colour: {theme.label(self.colour)}", "showarrow": False}
            figure.add_annotation(x=1, y=1.06, xref="paper", yref="paper", xanchor="right", **text)
        return figure

    def _strip(self, figure: go.Figure, table: pd.DataFrame) -> None:
        """Draw a box a level, and the dots beside each other over it."""
        level = levels(table["value"])
        summary = box_table(level, table["shap"].to_numpy())
        place = {name: float(position) for position, name in enumerate(summary["level"])}
        box = boxes(summary)
        box.x = list(place.values())
        figure.add_trace(box)
        if len(table) <= MOST_SVG_POINTS:
            # The same spread at each call, so that the picture doesn't dance when a page is drawn again.
            spread = np.random.default_rng(0).uniform(-0.2, 0.2, len(table))
            self._dots(figure, table, level.map(place).astype("float64") + spread)
        figure.update_xaxes(**theme.name_ticks(list(place), list(place.values())))

    def _dots(self, figure: go.Figure, table: pd.DataFrame, x: pd.Series) -> None:
        kind = go.Scattergl if len(table) > MOST_SVG_POINTS else go.Scatter
        marker: dict[str, Any] = {"size": 6, "opacity": 0.75, "color": theme.ACCENT}
        if table["rank"].notna().any():
            marker |= {**RANK_SCALE, "color": table["rank"]}
        figure.add_trace(
            kind(
                x=x,
                y=table["shap"],
                mode="markers",
                marker=marker,
                customdata=np.column_stack([table["row"], self._hover(table)]),
                hovertemplate="%{customdata[1]}<extra></extra>",
            )
        )

    def _hover(self, table: pd.DataFrame) -> list[str]:
        colour = self.colour
        texts = []
        for value, shap, raw in zip(table["value"], table["shap"], table["colour"], strict=True):
            text = f"{theme.escape(f'{self.feature} = {value_text(value)}')}<br>{signed(shap, theme.escape(self.unit))}"
            texts.append(text + (f"<br>{theme.escape(f'{colour} = {value_text(raw)}')}" if colour else ""))
        return texts


def colour_ranks(column: pd.Series) -> pd.Series:
    """Return `ranks`, with the levels of a category in the order of their names."""
    if is_number(column) or pd.api.types.is_datetime64_any_dtype(column):
        return ranks(column)
    text = column.astype("string")
    codes = pd.Series(pd.factorize(text, sort=True)[0], index=column.index, dtype="float64")
    return ranks(codes.where(text.notna()))


def interaction(values: pd.DataFrame, data: pd.DataFrame, feature: str) -> str | None:
    """Return the feature that best explains why equal values of `feature` move predictions differently.

    Parameters
    ----------
    values, data : DataFrame of shape (rows, features)
        SHAP values and raw values.
    feature : str
        Whose SHAP values are looked at.

    Returns
    -------
    str or None
        None where no other feature stands out from chance.

    Notes
    -----
    A heuristic, as in shap's ``approximate_interactions``: rows are cut into groups of like values of `feature`; in
    each group the rank of every other feature is correlated with the SHAP values, and the mean absolute correlation
    counts. Among n rows chance makes about 0.8 / sqrt(n); twice that is asked for.
    """
    others = [name for name in values.columns if name != feature]
    groups = _groups(data[feature].reset_index(drop=True))
    shap = values[feature].to_numpy(dtype=np.float64)
    strength = {name: _correlation(colour_ranks(data[name]).to_numpy(), shap, groups) for name in others}
    best = max(strength, key=lambda name: strength[name], default=None)
    per_group = np.mean([len(group) for group in groups])
    return best if best is not None and strength[best] > 1.6 / np.sqrt(per_group) else None


def _groups(column: pd.Series) -> list[Any]:
    """Return positions of rows with like values: levels of a category, about ten groups of a number."""
    rank = ranks(column)
    keys = levels(column) if rank.isna().all() else np.floor(rank.fillna(-1) * min(10, max(1, len(column) // 20)))
    return [np.asarray(group) for group in pd.Series(keys).groupby(keys).indices.values()]


def _correlation(other: Floats, shap: Floats, groups: list[Any]) -> float:
    """Return the mean absolute correlation within the groups, each weighted by its rows."""
    total = 0.0
    for group in groups:
        x, y = np.nan_to_num(other[group], nan=0.5), shap[group]
        # A spread that is mere rounding would correlate with anything.
        if len(group) > 2 and np.ptp(x) > 1e-12 and np.ptp(y) > 1e-9 * max(1e-300, float(np.abs(y).max())):
            total += len(group) * abs(float(np.corrcoef(x, y)[0, 1]))
    return total / len(shap)
