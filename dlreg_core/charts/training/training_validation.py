"""How one network learned: its errors on training and validation rows by epoch, together in one picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.training.learning_curves import line_mode, thinned
from dlreg_core.evaluation import NetworkCurves
from dlreg_core.formatting import number, quantity

_NAMES = {"rmse": "training RMSE", "mae": "training MAE", "relative": "training loss"}
_CURVES = ("validation", "training")
_HEIGHT = 320
_APART = 0.07
"""Share of the picture's height from which on two labels don't touch."""

_WARM_UP = 0.1
"""Share of the epochs at the start that may lie above the picture: the first passes are off by far."""


@dataclass(frozen=True)
class TrainingValidation:
    """The errors of a network on the rows it learns from and on validation rows, by epoch.

    Where the training loss can't be turned into an error of the target, both curves are shown relative to their first
    epoch, since they have no unit in common. Folds are thin lines behind their mean.
    """

    curves: NetworkCurves
    unit: str = ""

    def frame(self) -> pd.DataFrame:
        """Return what is drawn.

        Returns
        -------
        DataFrame
            ``line`` ("mean" or "fold 1", "fold 2", …; "network" where there are no folds), ``epoch``, ``validation``
            and ``training``, in target units, or as shares of their first value where those have none in common.
        """
        return self._table

    @cached_property
    def _table(self) -> pd.DataFrame:
        folds = self.curves.folds
        if folds.empty:
            return pd.DataFrame(columns=["line", "epoch", *_CURVES])
        several = self.curves.count > 1
        own = folds.assign(line=[f"fold {fold + 1}" if several else "network" for fold in folds["fold"]])
        parts = [own, self.curves.mean.assign(line="mean")] if several else [own]
        table = pd.concat(parts)[["line", "epoch", *_CURVES]].reset_index(drop=True)
        if self.curves.scale == "relative":
            # Epoch 0 is what was predicted before the first one.
            first = table.where(table["epoch"] > 0)
            for name in _CURVES:
                table[name] /= first.groupby(table["line"], sort=False)[name].transform("first")
        return table

    @property
    def _main(self) -> pd.DataFrame:
        table = self.frame()
        return table[table["line"].isin(["mean", "network"])]

    @property
    def _unit(self) -> str:
        return "" if self.curves.scale == "relative" else self.unit

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        main = self._main
        if not main["validation"].notna().any():
            return f"{self.curves.model} told no validation error."
        best = main.iloc[int(np.nanargmin(main["validation"]))]
        epoch, epochs = int(best["epoch"]), int(main["epoch"].max())
        where = f"in epoch {epoch} of {epochs}" if epoch else f"before the first of {epochs} epochs, a straight line's"
        text = (
            f"Errors of {self.curves.model} by epoch: the validation RMSE is lowest {where}, at "
            f"{self._words(best['validation'])}"
        )
        if np.isfinite(best["training"]):
            text += f"; the {_NAMES[self.curves.scale]} is {self._words(best['training'])} there"
        folds = f", the mean of {self.curves.count} folds" if self.curves.count > 1 else ""
        return f"{text}{folds}."

    def _words(self, value: float) -> str:
        if self.curves.scale == "relative":
            return f"{number(float(value))} × that of the first epoch"
        return quantity(float(value), self.unit)

    def plot(self) -> go.Figure:
        """Return the figure: both curves in the model's colour, named at their ends, with the best epoch marked."""
        main = self._main
        if not main["validation"].notna().any():
            return theme.nothing(f"{self.curves.model} told no validation error.", height=_HEIGHT)
        relative = self.curves.scale == "relative"
        y = "Relative to the first epoch" if relative else theme.axis_title("Error", self.unit)
        figure = theme.figure(height=_HEIGHT, x="Epoch", y=y)
        low, high = _range(main)
        for _, fold in self.frame()[~self.frame().index.isin(main.index)].groupby("line", sort=False):
            for name in _CURVES:
                self._add(figure, fold, name, width=1, opacity=0.35)
        self._mark_best(figure, main)
        apart = _ends_apart(main, low, high)
        for name in _CURVES:
            self._add(figure, main, name, width=2.5, label_place=apart[name])
        figure.update_xaxes(range=[0, int(main["epoch"].max())])
        figure.update_yaxes(range=[low, high])
        figure.update_layout(margin_r=110)
        return figure

    def _add(
        self,
        figure: go.Figure,
        lines: pd.DataFrame,
        name: str,
        *,
        width: float,
        opacity: float = 1.0,
        label_place: str = "",
    ) -> None:
        curve = thinned(lines[lines[name].notna()])
        if curve.empty:
            return
        title = "validation RMSE" if name == "validation" else _NAMES[self.curves.scale]
        line = str(curve["line"].iloc[0])
        which = f" ({line})" if line != "network" else ""
        figure.add_scatter(
            x=curve["epoch"],
            y=curve[name],
            mode=f"{line_mode(curve)}+text" if label_place else line_mode(curve),
            text=[""] * (len(curve) - 1) + [_beside(title)] if label_place else None,
            textposition=label_place or None,
            cliponaxis=not label_place,
            opacity=opacity,
            line={
                "color": theme.model_colour(self.curves.model),
                "width": width,
                "dash": "solid" if name == "validation" else "dot",
            },
            name=f"{title}{which}",
            hovertemplate=f"{title}{which}<br>epoch %{{x}}: {theme.hover_value('y', self._unit)}<extra></extra>",
        )

    def _mark_best(self, figure: go.Figure, main: pd.DataFrame) -> None:
        best = main.iloc[int(np.nanargmin(main["validation"]))]
        epoch = int(best["epoch"])
        figure.add_vline(x=epoch, line={"color": theme.GREY, "width": 1, "dash": "dash"})
        figure.add_annotation(
            x=epoch,
            y=1,
            yref="paper",
            text=f"best: epoch {epoch}" if epoch else "best: the straight line alone",
            showarrow=False,
            xanchor="right" if epoch > 0.7 * main["epoch"].max() else "left",
            yanchor="bottom",
        )
        figure.add_scatter(
            x=[epoch],
            y=[best["validation"]],
            mode="markers",
            marker={"size": 10, "color": theme.model_colour(self.curves.model)},
            name="best epoch",
            hoverinfo="skip",
        )


def _beside(title: str) -> str:
    """Return a name in two lines, a little away from the end of its curve."""
    return "<br>".join(f"\u00a0\u00a0{word}" for word in title.split(" "))


def _range(main: pd.DataFrame) -> tuple[float, float]:
    """Return what the axis shows: both curves without their first passes where those are off by far."""
    begin = min(int(np.ceil(_WARM_UP * len(main))), len(main) - 1)
    values = main[[*_CURVES]].iloc[begin:].to_numpy(dtype=np.float64)
    kept = values[np.isfinite(values)]
    low, high = float(kept.min()), float(kept.max())
    room = 0.08 * (high - low) or 0.05 * abs(high) or 1.0
    return low - room, high + room


def _ends_apart(main: pd.DataFrame, low: float, high: float) -> dict[str, str]:
    """Return where the name of each curve stands: beside its end, or above and below where the ends are close."""
    ends = {name: main[name].dropna() for name in _CURVES}
    places = dict.fromkeys(_CURVES, "middle right")
    if any(values.empty for values in ends.values()):
        return places
    upper, lower = sorted(_CURVES, key=lambda name: -float(ends[name].iloc[-1]))
    distance = float(ends[upper].iloc[-1]) - float(ends[lower].iloc[-1])
    if distance < 2 * _APART * (high - low):
        places |= {upper: "top right", lower: "bottom right"}
    return places
