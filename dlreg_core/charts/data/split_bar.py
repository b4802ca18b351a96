"""How many rows train, choose and judge."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.frames import row_records
from dlreg_core.charts.base.time_labels import span_text
from dlreg_core.formatting import percent
from dlreg_core.specs import RowCounts

_PARTS = {"train": theme.ACCENT, "validation": theme.SKY, "test": theme.ORANGE}
_NARROW = 0.12
"""A part below this share has no room for its numbers."""


@dataclass(frozen=True)
class SplitBar:
    """One bar, as long as all rows, in the three parts."""

    counts: RowCounts

    def frame(self) -> pd.DataFrame:
        """Return ``part``, ``rows``, ``share`` and ``of``: from when to when its rows are, or of how many groups."""
        rows = {part: n for part in _PARTS if (n := getattr(self.counts, part)) or not self.counts.folds}
        total = max(1, sum(rows.values()))
        spans: dict[str, str] = {span.part: span_text(span) for span in self.counts.spans}
        lines = [{"part": part, "rows": n, "share": n / total, "of": spans.get(part, "")} for part, n in rows.items()]
        return pd.DataFrame(lines, columns=["part", "rows", "share", "of"])

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        parts = ", ".join(
            f"{line['part']} {line['rows']:,}" + (f" ({line['of']})" if line["of"] else "")
            for line in row_records(self.frame())
        )
        folds = f", the first in {self.counts.folds} folds" if self.counts.folds else ""
        return f"Rows by part: {parts}{folds}."

    def plot(self) -> go.Figure:
        """Return the figure."""
        figure = theme.figure(height=80 if self.counts.spans else 64, grid="")
        for line in row_records(self.frame()):
            share = percent(line["share"])
            folds = f" in {self.counts.folds} folds" if self.counts.folds and line["part"] == "train" else ""
            of = f"<br>{theme.escape(line['of'])}" if line["of"] else ""
            text = f"<b>{line['part']}</b>  {line['rows']:,}{folds}{of}" if line["share"] >= _NARROW else ""
            figure.add_bar(
                x=[line["rows"]],
                y=[""],
                orientation="h",
                name=line["part"],
                text=text,
                textposition="inside",
                insidetextanchor="middle",
                textangle=0,
                textfont={"color": "#FFFFFF" if line["part"] == "train" else "#1B2430"},
                marker={"color": _PARTS[line["part"]], "line": {"width": 0}},
                hovertemplate=f"<b>{line['part']}</b><br>{line['rows']:,} rows, {share}{of}<extra></extra>",
            )
        figure.update_layout(barmode="stack", bargap=0, margin={"l": 0, "r": 0, "t": 8, "b": 8})
        figure.update_xaxes(visible=False, range=[0, max(1, int(self.frame()["rows"].sum()))])
        figure.update_yaxes(visible=False)
        return figure
