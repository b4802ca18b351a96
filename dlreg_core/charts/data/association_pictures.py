"""Pictures of the whole table: gaps that come together, and columns that go together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.checks import Associations, MissingPatterns
from dlreg_core.checks.findings import part_words

MOST_PATTERNS = 12
MOST_GAPS = 30
_MOST_WITH_NUMBERS = 14
_LABELLED = 0.4
_LONGEST_NAME = 24
_GAP = [[0.0, "rgba(138, 148, 163, 0.14)"], [1.0, theme.ORANGE]]


@dataclass(frozen=True, eq=False)
class MissingPicture:
    """A line for each set of columns that are missing in the same rows, marked where it lacks a value."""

    found: MissingPatterns

    def frame(self) -> pd.DataFrame:
        """Return ``rows`` and ``share`` of each pattern, and a column of True and False for each column with gaps."""
        lines, columns = self.found.masks[:MOST_PATTERNS], self.found.columns[:MOST_GAPS]
        counts = self.found.counts[:MOST_PATTERNS]
        table = pd.DataFrame({"rows": counts, "share": counts / max(1, self.found.rows)})
        return table.join(pd.DataFrame(lines[:, : len(columns)], columns=list(columns)).add_prefix("missing: "))

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        return (
            f"{len(self.found.counts):,} patterns of gaps in {len(self.found.columns):,} columns; "
            f"{self.found.complete:,} of {self.found.rows:,} rows have none."
        )

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        names = [theme.label(name, _LONGEST_NAME) for name in self.found.columns[:MOST_GAPS]]
        marks = table.drop(columns=["rows", "share"]).to_numpy(dtype=np.float64)
        lines = [
            f"{rows:,} {'row' if rows == 1 else 'rows'} ({part_words(rows, self.found.rows)})" for rows in table["rows"]
        ]
        figure = theme.figure(height=90 + 26 * len(table), grid="")
        figure.add_heatmap(
            x=list(range(len(names))),
            y=list(range(len(lines))),
            z=marks,
            zmin=0,
            zmax=1,
            colorscale=_GAP,
            showscale=False,
            xgap=2,
            ygap=2,
            customdata=np.where(marks > 0, "missing", "there"),
            hovertemplate="%{x}: %{customdata}<br>%{y}<extra></extra>",
        )
        figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names, side="top", tickangle=-35)
        figure.update_yaxes(tickvals=list(range(len(lines))), ticktext=lines, autorange="reversed")
        return figure


@dataclass(frozen=True, eq=False)
class AssociationPicture:
    """How closely each two columns go together, with those side by side that do."""

    found: Associations

    def frame(self) -> pd.DataFrame:
        """Return ``first``, ``second`` and ``strength`` of each two columns, the closest first."""
        rows, columns = np.triu_indices(len(self.found.columns), 1)
        names = np.array(self.found.columns, dtype=object)
        table = pd.DataFrame(
            {"first": names[rows], "second": names[columns], "strength": self.found.strength[rows, columns]}
        )
        return table.sort_values("strength", ascending=False, kind="stable").reset_index(drop=True)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        closest = self.found.closest
        if closest is None:
            return "There are fewer than two columns to compare."
        first, second, strength = closest
        return (
            f"How closely each two of {len(self.found.columns):,} columns go together, from 0 to 1; most closely "
            f"{first} and {second}, at {strength:.2f}."
        )

    def plot(self) -> go.Figure:
        """Return the figure."""
        count = len(self.found.columns)
        names = [theme.label(name, _LONGEST_NAME) for name in self.found.columns]
        strength = self.found.strength.copy()
        # A column goes with itself: that is no news.
        np.fill_diagonal(strength, np.nan)
        # Weak ones are told by the pointer: on a pale ground their figures could not be read in every theme.
        labels = [
            [f"{value:.2f}".removeprefix("0") if value >= _LABELLED else "" for value in line] for line in strength
        ]
        figure = theme.figure(height=min(900, 120 + max(18, 34 - count // 2) * count), grid="")
        figure.add_heatmap(
            x=list(range(count)),
            y=list(range(count)),
            z=strength,
            zmin=0,
            zmax=1,
            colorscale=theme.density(),
            xgap=1,
            ygap=1,
            text=labels if count <= _MOST_WITH_NUMBERS else None,
            texttemplate="%{text}" if count <= _MOST_WITH_NUMBERS else None,
            customdata=[[f"{first} and {second}" for second in names] for first in names],
            hovertemplate="%{customdata}: %{z:.2f}<extra></extra>",
            colorbar={"thickness": 10, "outlinewidth": 0, "title": "", "tickvals": [0, 0.5, 1]},
        )
        figure.update_xaxes(tickvals=list(range(count)), ticktext=names, tickangle=-35)
        figure.update_yaxes(tickvals=list(range(count)), ticktext=names, autorange="reversed")
        return figure
