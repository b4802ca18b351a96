"""The pictures of a model's errors: residual = actual - predicted, so positive means predicted too low."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.dot_density import point_or_density
from dlreg_core.charts.base.frames import row_records
from dlreg_core.evaluation import error_by_quantile, qq_points, residual_table
from dlreg_core.formatting import compact, number_range, percent, quantity, quantity_range

HEIGHT = 340
RESIDUAL = "Actual \u2212 predicted"


@dataclass(frozen=True, eq=False)
class _Errors:
    """Actual and predicted values of the rows, of shape (n,), and their unit; `rows` are row numbers in the table.

    The `colour` is that of the model.
    """

    actual: ArrayLike
    predicted: ArrayLike
    unit: str = ""
    rows: ArrayLike | None = None
    colour: str = theme.ACCENT

    def _table(self) -> pd.DataFrame:
        return residual_table(self.actual, self.predicted, self.rows)


@dataclass(frozen=True, eq=False)
class PredictedActual(_Errors):
    """Predicted against actual values, with the diagonal on which a perfect model lies."""

    def frame(self) -> pd.DataFrame:
        """Return the residual table: ``row``, ``actual``, ``predicted``, ``residual``, ``abs_error``."""
        return self._table()

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        near = quantity(float(table["abs_error"].median()), self.unit)
        return (
            f"Predicted against actual values of {len(table):,} rows, with the diagonal of a perfect model; "
            f"half of the rows lie within {near} of it."
        )

    def plot(self) -> go.Figure:
        """Return the figure; dots carry their row number as ``customdata``."""
        table = self.frame()
        figure = theme.figure(
            height=HEIGHT, x=theme.axis_title("Actual", self.unit), y=theme.axis_title("Predicted", self.unit)
        )
        x, y = table["actual"].to_numpy(), table["predicted"].to_numpy()
        hover = (("actual", self.unit), ("predicted", self.unit))
        figure.add_trace(point_or_density(x, y, hover=hover, rows=table["row"].to_numpy(), colour=self.colour))
        # The diagonal ends where the actual values do: one wild prediction must not squeeze the picture.
        ends = (float(x.min()), float(x.max()))
        theme.reference_line(figure, ends, ends)
        return figure


@dataclass(frozen=True, eq=False)
class ResidualsPredicted(_Errors):
    """Residuals against predictions: a good model shows a level band without a pattern."""

    def frame(self) -> pd.DataFrame:
        """Return the residual table: ``row``, ``actual``, ``predicted``, ``residual``, ``abs_error``."""
        return self._table()

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        mean = quantity(float(table["residual"].mean()), self.unit, digits=2)
        return f"Residuals against predictions of {len(table):,} rows, around a mean of {mean}."

    def plot(self) -> go.Figure:
        """Return the figure; dots carry their row number as ``customdata``."""
        table = self.frame()
        figure = theme.figure(
            height=HEIGHT, x=theme.axis_title("Predicted", self.unit), y=theme.axis_title(RESIDUAL, self.unit)
        )
        x, y = table["predicted"].to_numpy(), table["residual"].to_numpy()
        hover = (("predicted", self.unit), ("residual", self.unit))
        figure.add_trace(point_or_density(x, y, hover=hover, rows=table["row"].to_numpy(), colour=self.colour))
        theme.reference_line(figure, (float(x.min()), float(x.max())), (0.0, 0.0))
        return figure


@dataclass(frozen=True, eq=False)
class ResidualHistogram(_Errors):
    """How often which residual occurs, with the middle 90 % told apart by the hover."""

    bins: int = 40

    def frame(self) -> pd.DataFrame:
        """Return ``low``, ``high``, ``rows`` and ``share`` of each bin.

        The bins span the middle 99 % of the residuals; the first and the last also hold what lies beyond, so that one
        far row doesn't flatten the rest into one bar.
        """
        residual = self._table()["residual"].to_numpy()
        low, high = np.quantile(residual, [0.005, 0.995])
        if low == high:
            low, high = float(residual.min()), float(residual.max())
        edges = np.histogram_bin_edges(residual, bins=self.bins, range=(low, high))
        counts, _ = np.histogram(residual.clip(edges[0], edges[-1]), bins=edges)
        return pd.DataFrame(
            {"low": edges[:-1], "high": edges[1:], "rows": counts, "share": counts / max(1, counts.sum())}
        )

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        residual = self._table()["residual"]
        low, high = (float(end) for end in residual.quantile([0.05, 0.95]))
        ends = f"{quantity(low, self.unit)} and {quantity(high, self.unit)}"
        return f"Histogram of the residuals of {len(residual):,} rows; nine in ten lie between {ends}."

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        figure = theme.figure(height=HEIGHT, x=theme.axis_title(RESIDUAL, self.unit), y="Rows", grid="y")
        texts = [
            f"{number_range(line['low'], line['high'])} {theme.escape(self.unit)}<br>"
            f"{line['rows']:,} rows ({percent(line['share'])})"
            for line in row_records(table)
        ]
        figure.add_bar(
            x=(table["low"] + table["high"]) / 2,
            y=table["rows"],
            width=(table["high"] - table["low"]) * 0.94,
            marker={"color": self.colour, "line": {"width": 0}},
            customdata=texts,
            hovertemplate="%{customdata}<extra></extra>",
        )
        line = {"line_dash": "dash", "line_color": theme.GREY, "line_width": 1.5}
        figure.add_vline(x=0, **line)
        return figure


@dataclass(frozen=True, eq=False)
class QQPlot(_Errors):
    """Residuals against a normal distribution: points off the line are tails that are heavier or lighter."""

    at_most: int = 500

    def frame(self) -> pd.DataFrame:
        """Return ``normal``, ``residual`` and ``expected`` as `qq_points` does."""
        return qq_points(self._table()["residual"], self.at_most)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        last = row_records(self.frame())[-1]
        here, there = quantity(last["residual"], self.unit), quantity(last["expected"], self.unit)
        return (
            "Sorted residuals against those of a normal distribution with the same quartiles; "
            f"the largest is {here}, where {there} would be normal."
        )

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        figure = theme.figure(
            height=HEIGHT, x="Normal distribution, standard deviations", y=theme.axis_title(RESIDUAL, self.unit)
        )
        residual, expected = theme.hover_value("y", self.unit), theme.hover_value("customdata", self.unit)
        figure.add_scatter(
            x=table["normal"],
            y=table["residual"],
            mode="markers",
            marker={"color": self.colour, "size": 5, "opacity": 0.7},
            customdata=table["expected"],
            hovertemplate=f"residual {residual}<br>normal would be {expected}<extra></extra>",
        )
        ends = table.iloc[[0, -1]]
        theme.reference_line(figure, tuple(ends["normal"]), tuple(ends["expected"]))
        return figure


@dataclass(frozen=True, eq=False)
class ErrorByQuantile(_Errors):
    """The mean absolute error for small, middle and large predictions."""

    bins: int = 10

    def frame(self) -> pd.DataFrame:
        """Return ``quantile``, ``low``, ``high``, ``rows``, ``mae``, ``mae_low``, ``mae_high`` and ``bias``."""
        return error_by_quantile(self.actual, self.predicted, self.bins)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        worst = row_records(table)[int(table["mae"].to_numpy().argmax())]
        where = quantity_range(worst["low"], worst["high"], self.unit)
        return (
            f"Mean absolute error in {len(table)} groups of rows by prediction; "
            f"the largest, {quantity(worst['mae'], self.unit)}, for {where}."
        )

    def plot(self) -> go.Figure:
        """Return the figure; a bar a group, the lowest values first."""
        table = self.frame()
        figure = theme.figure(
            height=HEIGHT,
            x=theme.axis_title("Predicted", self.unit),
            y=theme.axis_title("Off by (MAE)", self.unit),
            grid="y",
        )
        reach = (table["mae_high"] - table["mae"]).fillna(0)
        figure.add_bar(
            x=[number_range(line["low"], line["high"]) for line in row_records(table)],
            y=table["mae"],
            marker={"color": self.colour, "line": {"width": 0}},
            error_y={"type": "data", "array": reach, "color": theme.GREY, "thickness": 1.5, "width": 0},
            customdata=[self._hover(line) for line in row_records(table)],
            hovertemplate="%{x}<br>%{customdata}<extra></extra>",
        )
        # Two lines a group fit beside each other where one would be turned.
        labels = [f"{compact(line['low'])}<br>\u2013{compact(line['high'])}" for line in row_records(table)]
        figure.update_xaxes(type="category", tickvals=list(range(len(table))), ticktext=labels, tickangle=0)
        return figure

    def _hover(self, line: dict[str, float]) -> str:
        side = "too low" if line["bias"] > 0 else "too high"
        return (
            f"off by {quantity(line['mae'], theme.escape(self.unit))} on average, {int(line['rows']):,} rows<br>"
            f"predicted {side} by {quantity(abs(line['bias']), theme.escape(self.unit))} on average"
        )
