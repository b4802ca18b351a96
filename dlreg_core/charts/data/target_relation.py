"""How the target goes with one column: dots for numbers and dates, boxes for categories."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.dot_density import point_or_density
from dlreg_core.charts.base.frames import box_table, is_number, levels, row_records
from dlreg_core.charts.results.residuals_by_column import boxes
from dlreg_core.formatting import quantity

_HEIGHT = 280
_FIFTH = 0.2
_FEWEST_ROWS = 10


@dataclass(frozen=True, eq=False)
class Relation:
    """The target against a column, in the rows where both are known.

    Attributes
    ----------
    column : Series of shape (n,)
        Numbers, dates or levels, under the column's name.
    target : Series of shape (n,)
        Numbers, under the target's name.
    unit, column_unit : str
        Their units.
    order : tuple of str
        The levels from the lowest to the highest, where they have an order.
    """

    column: pd.Series
    target: pd.Series
    unit: str = ""
    column_unit: str = ""
    order: tuple[str, ...] = ()

    @property
    def is_scatter(self) -> bool:
        """True for numbers and dates, False for categories."""
        return is_number(self.column) or self._is_date

    def frame(self) -> pd.DataFrame:
        """Return what is drawn.

        Returns
        -------
        DataFrame
            For numbers and dates ``value`` and ``target`` of the rows that have both; for categories a line a level
            with ``level``, ``rows``, ``mean``, ``q1``, ``median``, ``q3``, ``low`` and ``high`` of the target.
        """
        known = self.target.notna().to_numpy()
        column, target = self.column[known].reset_index(drop=True), self.target[known].to_numpy(dtype=np.float64)
        if self.is_scatter:
            table = pd.DataFrame({"value": column, "target": target})
            return table.dropna(subset="value").reset_index(drop=True)
        table = box_table(levels(column), target)
        places = {level: place for place, level in enumerate(self.order)}
        if not places:
            return table
        return table.sort_values("level", key=lambda names: names.map(places)).reset_index(drop=True)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence: the target where the column is low and high, or by level."""
        table, target = self.frame(), str(self.target.name)
        if len(table) == 0:
            return f"No row has a value of both {self.column.name} and {target}."
        if not self.is_scatter:
            return self._levels_words(table[table["rows"] >= min(_FEWEST_ROWS, table["rows"].max())])
        low, high = table["value"].quantile([_FIFTH, 1 - _FIFTH])
        first = float(table["target"][table["value"] <= low].mean())
        last = float(table["target"][table["value"] >= high].mean())
        ends = ("earliest", "latest") if self._is_date else ("lowest", "highest")
        return (
            f"Where {self.column.name} is in its {ends[0]} fifth, {target} is {quantity(first, self.unit)} on average; "
            f"in its {ends[1]} fifth {quantity(last, self.unit)}."
        )

    def _levels_words(self, table: pd.DataFrame) -> str:
        ordered = row_records(table.sort_values("mean"))
        first, last = ordered[0], ordered[-1]
        if len(ordered) == 1:
            return f"{self.target.name} is {quantity(first['mean'], self.unit)} on average for {first['level']}."
        return (
            f"{self.target.name} is lowest for {first['level']}, {quantity(first['mean'], self.unit)} on average, and "
            f"highest for {last['level']}, {quantity(last['mean'], self.unit)}."
        )

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        if table.empty:
            return theme.nothing(self.alt)
        name, target = str(self.column.name), str(self.target.name)
        x, y = theme.axis_title(name, self.column_unit), theme.axis_title(target, self.unit)
        figure = theme.figure(height=_HEIGHT, x=x, y=y, grid="y")
        if not self.is_scatter:
            figure.add_trace(boxes(table))
            figure.update_xaxes(type="category", **theme.name_ticks([str(level) for level in table["level"]]))
            return figure
        value = table["value"]
        if self._is_date:
            value = value.astype("datetime64[ms]").astype("int64")
            figure.update_xaxes(type="date")
        hover = ((name, self.column_unit), (target, self.unit))
        trace = point_or_density(np.asarray(value, dtype=np.float64), table["target"].to_numpy(), hover=hover)
        if self._is_date:
            trace.hovertemplate = (
                f"%{{x|%Y-%m-%d}}<br>{theme.escape(target)} {theme.hover_value('y', self.unit)}<extra></extra>"
            )
        figure.add_trace(trace)
        return figure

    @property
    def _is_date(self) -> bool:
        return bool(pd.api.types.is_datetime64_any_dtype(self.column))
