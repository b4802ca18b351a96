"""How a training gets better: from its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.frames import row_records
from dlreg_core.formatting import duration, quantity
from dlreg_core.specs import Event

_COLUMNS = ["seconds", "model", "validation", "best", "finished", "taken"]
_WITH_ERROR = ("epoch", "model_finished", "model_taken")
ZOOM = "kept"
"""Of figures that are drawn again and again: under the same name a person's zoom survives the next one."""

_FAR = 2.0
"""Errors beyond this many times the best one lie outside the picture, since they would press the others flat."""


@dataclass(frozen=True)
class LearningProgress:
    """The best validation error so far over time as steps, and a dot where a model finished."""

    events: tuple[Event, ...]
    unit: str = ""

    @classmethod
    def of(cls, events: Iterable[Event], unit: str = "") -> LearningProgress:
        """Make the display from any iterable of events."""
        return cls(tuple(events), unit)

    def frame(self) -> pd.DataFrame:
        """Return a line an event with a validation error, in the order of time.

        Returns
        -------
        DataFrame
            ``seconds`` since the first event, ``model``, ``validation`` (RMSE, units of the target), ``best`` (the
            lowest so far, of any model), ``finished`` (the model ended here) and ``taken`` (it comes from an earlier
            task of the run).
        """
        lines = [
            {
                "seconds": (event.time - self.events[0].time).total_seconds(),
                "model": str(event.data.get("model", "")),
                "validation": float(event.data["validation"]),
                "finished": event.kind != "epoch",
                "taken": event.kind == "model_taken",
            }
            for event in self.events
            # The error of one fold is that of few rows: with folds, complete networks alone tell.
            if event.kind in _WITH_ERROR and event.data.get("validation") is not None and "fold" not in event.data
        ]
        table = pd.DataFrame(lines, columns=[name for name in _COLUMNS if name != "best"])
        return table.assign(best=table["validation"].astype("float64").cummin())[_COLUMNS]

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        if table.empty:
            return "No validation error yet."
        last, done = row_records(table)[-1], int(table["finished"].sum())
        best = quantity(last["best"], self.unit)
        models = "1 model" if done == 1 else f"{done} models"
        return f"Best validation RMSE over {duration(last['seconds'])}: now {best}, {models} finished."

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        if table.empty:
            return theme.nothing("The first validation error comes soon.")
        figure = theme.figure(height=200, x="Time, s", y=theme.axis_title("Validation RMSE", self.unit))
        steps = table.drop_duplicates("best", keep="first")
        end = table.iloc[[-1]]
        steps = steps if steps.index[-1] == end.index[-1] else pd.concat([steps, end])
        figure.add_scatter(
            x=steps["seconds"],
            y=steps["best"],
            mode="lines",
            line={"shape": "hv", "color": theme.GREY, "width": 2},
            hovertemplate=f"best so far {theme.hover_value('y', self.unit)}<extra></extra>",
        )
        _mark_models(figure, table[table["finished"]], self.unit)
        figure.update_xaxes(rangemode="tozero")
        figure.update_layout(uirevision=ZOOM)
        return figure


def _mark_models(figure: go.Figure, done: pd.DataFrame, unit: str) -> None:
    """Draw a dot a finished model, and look closely at where they lie; those far off stand at the upper edge."""
    if done.empty:
        return
    low = float(done["validation"].min())
    near = done["validation"][done["validation"] <= _FAR * low]
    spread = max(float(near.max()) - low, 0.05 * abs(low), 1e-12)
    top = low + 1.35 * spread
    # One name is enough for models that stand on one spot, as those of an earlier task do.
    named = ~done["taken"] | (done["validation"] == low)
    figure.add_scatter(
        x=done["seconds"],
        y=done["validation"].clip(upper=top),
        mode="markers+text",
        text=[theme.escape(name) if shown else "" for name, shown in zip(done["model"], named, strict=True)],
        # Below where the steps come down to it, since they would cross its name.
        textposition=["bottom center" if on else "top center" for on in done["validation"] <= done["best"]],
        cliponaxis=False,
        marker={
            "size": 11,
            "color": [theme.model_colour(name) for name in done["model"]],
            "symbol": _symbols(done, top),
        },
        customdata=list(zip(map(theme.escape, done["model"]), done["validation"], strict=True)),
        hovertemplate=(
            f"<b>%{{customdata[0]}}</b> finished<br>validation RMSE {theme.hover_value('customdata[1]', unit)}"
            "<extra></extra>"
        ),
    )
    figure.update_yaxes(range=[low - 0.5 * spread, top + 0.35 * spread])


def _symbols(done: pd.DataFrame, top: float) -> list[str]:
    far, taken = done["validation"] > top, done["taken"]
    return ["triangle-up" if f else "circle-open" if t else "circle" for f, t in zip(far, taken, strict=True)]
