"""How a training gets better: from its events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts import theme
from dlreg_core.charts.numbers import duration, quantity
from dlreg_core.charts.tables import records
from dlreg_core.specs import Event

_COLUMNS = ["seconds", "model", "validation", "best", "finished"]


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
            lowest so far, of any model) and ``finished`` (the model ended here).
        """
        lines = [
            {
                "seconds": (event.time - self.events[0].time).total_seconds(),
                "model": str(event.data.get("model", "")),
                "validation": float(event.data["validation"]),
                "finished": event.kind == "model_finished",
            }
            for event in self.events
            if event.kind in ("epoch", "model_finished") and event.data.get("validation") is not None
        ]
        table = pd.DataFrame(lines, columns=[name for name in _COLUMNS if name != "best"])
        return table.assign(best=table["validation"].astype("float64").cummin())[_COLUMNS]

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        if table.empty:
            return "No validation error yet."
        last, done = records(table)[-1], int(table["finished"].sum())
        best = quantity(last["best"], self.unit)
        models = "1 model" if done == 1 else f"{done} models"
        return f"Best validation RMSE over {duration(last['seconds'])}: now {best}, {models} finished."

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        if table.empty:
            return theme.nothing("The first validation error comes soon.")
        figure = theme.figure(height=260, x="Time, s", y=theme.axis_title("Validation RMSE", self.unit))
        error = theme.hover_value("y", self.unit)
        steps = table.drop_duplicates("best", keep="first")
        end = table.iloc[[-1]]
        steps = steps if steps.index[-1] == end.index[-1] else pd.concat([steps, end])
        figure.add_scatter(
            x=steps["seconds"],
            y=steps["best"],
            mode="lines",
            line={"shape": "hv", "color": theme.GREY, "width": 2},
            hovertemplate=f"best so far {error}<extra></extra>",
        )
        done = table[table["finished"]]
        figure.add_scatter(
            x=done["seconds"],
            y=done["validation"],
            mode="markers+text",
            text=[theme.plain(name) for name in done["model"]],
            textposition="top center",
            cliponaxis=False,
            marker={"size": 11, "color": [theme.model_colour(name) for name in done["model"]]},
            hovertemplate=f"<b>%{{text}}</b> finished<br>validation RMSE {error}<extra></extra>",
        )
        figure.update_xaxes(rangemode="tozero")
        return figure


@dataclass(frozen=True)
class LearningCurves:
    """The validation error of each network by epoch."""

    events: tuple[Event, ...]
    unit: str = ""

    def frame(self) -> pd.DataFrame:
        """Return ``model``, ``epoch``, ``validation`` (RMSE, units of the target) and ``train_loss`` by epoch.

        An epoch without a validation error is left out; ``train_loss`` is in the units of the network's own loss, and
        missing where the network doesn't tell it.
        """
        lines = [
            {
                "model": str(event.data.get("model", "")),
                "epoch": int(event.data["epoch"]),
                "validation": float(event.data["validation"]),
                "train_loss": event.data.get("train_loss"),
            }
            for event in self.events
            if event.kind == "epoch" and event.data.get("validation") is not None
        ]
        table = pd.DataFrame(lines, columns=["model", "epoch", "validation", "train_loss"])
        return table.astype({"train_loss": "float64"})

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        if table.empty:
            return "No network reported its epochs."
        ends = table.groupby("model", sort=False)["validation"].min()
        texts = ", ".join(f"{model} {quantity(float(error), self.unit)}" for model, error in ends.items())
        return f"Validation RMSE by epoch; the lowest of each network: {texts}."

    def plot(self) -> go.Figure:
        """Return the figure: a line a network, named at its end."""
        table = self.frame()
        if table.empty:
            return theme.nothing("No network reported its epochs.")
        figure = theme.figure(height=300, x="Epoch", y=theme.axis_title("Validation RMSE", self.unit))
        for model, curve in table.groupby("model", sort=False):
            name = theme.plain(str(model))
            figure.add_scatter(
                x=curve["epoch"],
                y=curve["validation"],
                mode="lines+text",
                text=[""] * (len(curve) - 1) + [name],
                textposition="middle right",
                cliponaxis=False,
                line={"color": theme.model_colour(str(model)), "width": 2},
                name=name,
                hovertemplate=f"<b>{name}</b><br>epoch %{{x}}: {theme.hover_value('y', self.unit)}<extra></extra>",
            )
        figure.update_layout(margin_r=80)
        return figure
