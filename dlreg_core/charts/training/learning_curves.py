"""How networks learn, epoch by epoch: from the events of their training."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.training.error_over_time import ZOOM
from dlreg_core.formatting import number, quantity
from dlreg_core.runs import epoch_lines, newest_folds
from dlreg_core.specs import Event

_MOST_POINTS = 300
"""Points of a line that are sent to the browser: more can't be told apart."""

_WARM_UP = 0.1
"""Share of a curve at its start that doesn't decide what the picture shows: the first passes are off by far."""

_FEW_EPOCHS = 20
_MOST_BEHIND = 10
_PANEL = 200
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def epoch_table(events: Iterable[Event]) -> pd.DataFrame:
    """Return ``model``, ``epoch``, ``validation`` and ``train_loss`` of every epoch that was told.

    Of a network that is trained in folds, those of the newest one; see `dlreg_core.runs.training_progress.epoch_lines`.
    """
    lines = [(line.model, line.epoch, line.validation, line.train_loss) for line in newest_folds(epoch_lines(events))]
    table = pd.DataFrame(lines, columns=["model", "epoch", "validation", "train_loss"])
    return table.astype({"epoch": "int64", "validation": "float64", "train_loss": "float64"})


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
        table = epoch_table(self.events)
        return table[table["validation"].notna()].reset_index(drop=True)

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
        seen: dict[str, int] = {}
        for model, curve in table.groupby("model", sort=False):
            # Networks of one family share its colour: their lines differ.
            colour = theme.model_colour(str(model))
            dash = _DASHES[seen.get(colour, 0) % len(_DASHES)]
            seen[colour] = seen.get(colour, 0) + 1
            _add_curve(figure, str(model), curve, self.unit, dash=dash)
        figure.update_yaxes(range=seen_range(table, "validation"))
        figure.update_layout(margin_r=110)
        return figure


@dataclass(frozen=True)
class CurrentValidation:
    """The validation error of the network that trains now by epoch, with those of the latest before it thin behind it.

    The picture spans the epochs of the current one, so that its curve is seen growing.
    """

    events: tuple[Event, ...]
    model: str
    unit: str = ""

    def frame(self) -> pd.DataFrame:
        """Return what `LearningCurves` returns, and ``current``: True for the network that trains now."""
        return self._table

    @cached_property
    def _table(self) -> pd.DataFrame:
        # It is drawn every few moments, and a long run has trained hundreds.
        names = dict.fromkeys(str(event.data.get("model", "")) for event in self.events if event.kind == "epoch")
        shown = {*[name for name in names if name != self.model][-_MOST_BEHIND:], self.model}
        table = LearningCurves(tuple(e for e in self.events if e.data.get("model") in shown)).frame()
        return table.assign(current=table["model"] == self.model)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        own = table[table["current"]]
        if own.empty:
            return f"{self.model} has told no validation error yet."
        last, lowest = own["validation"].iloc[-1], own["validation"].min()
        others = table["model"].nunique() - 1
        behind = {0: "", 1: ", with 1 other network behind it"}.get(others, f", with {others} other networks behind it")
        return (
            f"Validation RMSE of {self.model} by epoch: {quantity(float(last), self.unit)} after epoch "
            f"{int(own['epoch'].iloc[-1])}, at best {quantity(float(lowest), self.unit)}{behind}."
        )

    def plot(self) -> go.Figure:
        """Return the figure."""
        table = self.frame()
        own = table[table["current"]]
        if own.empty:
            return theme.nothing("Its first validation error comes soon.", height=_PANEL)
        figure = theme.figure(height=_PANEL, x="Epoch", y=theme.axis_title("Validation RMSE", self.unit))
        last = _last_epoch(own)
        behind = table[~table["current"] & (table["epoch"] <= last)]
        for model, curve in behind.groupby("model", sort=False):
            _add_curve(figure, str(model), curve, self.unit, width=1, opacity=0.55, named=False)
        _add_curve(figure, self.model, own, self.unit, width=2.5, named=False)
        figure.update_xaxes(range=[0, last])
        figure.update_yaxes(range=seen_range(pd.concat([behind, own]), "validation"))
        figure.update_layout(uirevision=ZOOM)
        return figure


@dataclass(frozen=True)
class CurrentLoss:
    """The training loss by epoch of the network that trains now, in the units of its own loss."""

    events: tuple[Event, ...]
    model: str

    def frame(self) -> pd.DataFrame:
        """Return ``epoch`` and ``train_loss``, where the network tells it."""
        own = epoch_table(event for event in self.events if event.data.get("model") == self.model)
        return own.loc[own["train_loss"].notna(), ["epoch", "train_loss"]].reset_index(drop=True)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        own = self.frame()
        if own.empty:
            return f"{self.model} has told no training loss yet."
        first, last = float(own["train_loss"].iloc[0]), float(own["train_loss"].iloc[-1])
        return (
            f"Training loss of {self.model} by epoch: from {number(first)} to {number(last)} after epoch "
            f"{int(own['epoch'].iloc[-1])}, in the units of its own loss."
        )

    def plot(self) -> go.Figure:
        """Return the figure."""
        own = self.frame()
        if own.empty:
            return theme.nothing("Its first training loss comes soon.", height=_PANEL)
        figure = theme.figure(height=_PANEL, x="Epoch", y="Training loss")
        thin = thinned(own)
        figure.add_scatter(
            x=thin["epoch"],
            y=thin["train_loss"],
            mode=line_mode(thin),
            line={"color": theme.model_colour(self.model), "width": 2.5},
            hovertemplate="epoch %{x}: %{y:,.3~r}<extra></extra>",
        )
        figure.update_xaxes(range=[0, _last_epoch(own)])
        figure.update_yaxes(range=seen_range(own.assign(model=self.model), "train_loss"))
        figure.update_layout(uirevision=ZOOM)
        return figure


def _add_curve(
    figure: go.Figure,
    model: str,
    curve: pd.DataFrame,
    unit: str,
    *,
    width: float = 2,
    opacity: float = 1.0,
    named: bool = True,
    dash: str = "solid",
) -> None:
    """Draw a network's validation error by epoch."""
    name, thin = theme.escape(model), thinned(curve)
    figure.add_scatter(
        x=thin["epoch"],
        y=thin["validation"],
        mode=f"{line_mode(thin)}+text" if named else line_mode(thin),
        text=[""] * (len(thin) - 1) + [name] if named else None,
        textposition="middle right",
        cliponaxis=not named,
        opacity=opacity,
        line={"color": theme.model_colour(model), "width": width, "dash": dash},
        name=name,
        hovertemplate=f"<b>{name}</b><br>epoch %{{x}}: {theme.hover_value('y', unit)}<extra></extra>",
    )


def line_mode(curve: pd.DataFrame) -> str:
    """Return how plotly draws a curve."""
    # A line through one point can't be seen.
    return "lines" if len(curve) > 1 else "markers"


def thinned(curve: pd.DataFrame) -> pd.DataFrame:
    """Return as many lines of a curve as can be told apart, its first and last among them."""
    if len(curve) <= _MOST_POINTS:
        return curve
    return curve.iloc[np.unique(np.linspace(0, len(curve) - 1, _MOST_POINTS).astype(int))]


def _last_epoch(own: pd.DataFrame) -> int:
    """Return where the axis of a growing curve ends: a little beyond what is there."""
    return max(_FEW_EPOCHS, int(1.1 * own["epoch"].iloc[-1]) + 1)


def seen_range(table: pd.DataFrame, column: str) -> list[float]:
    """Return what an axis shows of some curves: all but their first passes, which are off by far."""
    kept = []
    for _, curve in table.groupby("model", sort=False):
        begin = min(int(np.ceil(_WARM_UP * len(curve))), len(curve) - 1)
        kept.append(curve[column].iloc[begin:])
    values = pd.concat(kept)
    low, high = float(values.min()), float(values.max())
    high = min(high, low + 4 * max(float(values.median()) - low, 0.05 * abs(low)))
    room = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return [low - room, high + room]
