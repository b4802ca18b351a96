"""The trials of a search: a line each, through its settings to its error."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from dlreg_core.charts.base import theme
from dlreg_core.charts.base.frames import is_there, row_records
from dlreg_core.formatting import quantity, value_words

ERROR = "rmse_validation"
MOST_AXES = 8
"""More axes than this can't be read beside each other."""

UNUSED = "no effect"
_WIDE = 3.0
"""Errors of which the largest is this many times the smallest are compared by their ratio."""

_LABELS, _TICKS = {"size": 13}, {"size": 12}
_MANY, _SLANT = 3, -25
"""From so many settings on their titles are slanted, so that they don't run into each other on a phone."""


@dataclass(frozen=True)
class SearchAxis:
    """One searched setting.

    Attributes
    ----------
    name, title : str
        Its name in the table, and what a person reads.
    log : bool
        True where its numbers are compared by their ratio.
    range : tuple of float, optional
        The smallest and the largest number that was looked at.
    listed : tuple of float
        The numbers that were listed, where it was no range.
    """

    name: str
    title: str
    log: bool = False
    range: tuple[float, float] | None = None
    listed: tuple[float, ...] = ()


@dataclass(frozen=True, eq=False)
class SearchTrials:
    """Parallel coordinates of the trials of a search.

    Attributes
    ----------
    trials : DataFrame
        ``trial``, ``model``, a column for each setting, missing where it had no effect, and ``rmse_validation``.
    axes : sequence of SearchAxis
        The settings to show, from left to right; the first `MOST_AXES` of them are shown.
    unit : str
        Of the target.
    """

    trials: pd.DataFrame
    axes: Sequence[SearchAxis]
    unit: str = ""

    def frame(self) -> pd.DataFrame:
        """Return the lines: ``trial``, ``model``, the settings and ``rmse_validation``, the best first.

        Trials without a finite error are left out.
        """
        names = ["trial", "model", *(axis.name for axis in self._shown), ERROR]
        finite = np.isfinite(self.trials[ERROR].to_numpy(dtype=float, na_value=np.nan))
        table: pd.DataFrame = self.trials.loc[finite, names]
        return table.sort_values(ERROR, kind="stable").reset_index(drop=True)

    @property
    def alt(self) -> str:
        """What is seen, in a sentence."""
        table = self.frame()
        if table.empty:
            return "No trial has an error."
        best = row_records(table)[0]
        values = [
            f"{axis.title} {value_words(best[axis.name], 3)}" for axis in self._shown if is_there(best[axis.name])
        ]
        count = "1 trial" if len(table) == 1 else f"{len(table)} trials"
        return (
            f"{count} as lines through their settings to their validation error; the lowest, "
            f"{quantity(best[ERROR], self.unit)}, has {', '.join(values)}."
        )

    def plot(self) -> go.Figure:
        """Return the figure: the settings as axes, the error as the last one and as colour, blue where it is low."""
        # The best are drawn last, above all others.
        table = self.frame().iloc[::-1]
        if table.empty:
            return theme.nothing("No trial has an error.")
        error = self._error(table[ERROR])
        slanted = len(self._shown) >= _MANY
        figure = theme.figure(height=410 if slanted else 380, grid="")
        figure.add_trace(
            go.Parcoords(
                dimensions=[*(_setting(axis, table[axis.name]) for axis in self._shown), error],
                line=_colours(error["values"]),
                labelangle=_SLANT if slanted else 0,
                labelfont=_LABELS,
                tickfont=_TICKS,
                unselected_line={"color": theme.GREY, "opacity": 0.15},
            )
        )
        figure.update_layout(
            margin={"l": 64, "r": 64, "t": 86 if slanted else 56, "b": 24}, shapes=_lines(len(self._shown) + 1)
        )
        return figure

    @property
    def _shown(self) -> Sequence[SearchAxis]:
        return self.axes[:MOST_AXES]

    def _error(self, values: pd.Series) -> dict[str, Any]:
        low, high = float(values.min()), float(values.max())
        log = low > 0 and high > _WIDE * low
        title = theme.axis_title("Validation RMSE", self.unit)
        return _numbers(title, values, (low, high), log, lambda value: quantity(value, self.unit))


def _colours(places: Sequence[float]) -> dict[str, Any]:
    """Return how lines are coloured by where their error is; the few that are far out don't take all the colours."""
    low, high = np.quantile(places, [0.25, 0.75])
    most = min(max(places), float(high + 1.5 * (high - low)))
    least = min(places)
    return {
        "color": places,
        "colorscale": theme.LOW_TO_HIGH,
        "showscale": False,
        "cmin": least,
        "cmax": most if most > least else least + 1.0,
    }


def _lines(count: int) -> list[dict[str, Any]]:
    """Return lines along the axes: plotly's own are black, which a dark ground swallows."""
    places = [number / (count - 1) for number in range(count)]
    look = {
        "type": "line",
        "xref": "paper",
        "yref": "paper",
        "y0": 0,
        "y1": 1,
        "line": {"color": theme.GREY, "width": 1},
    }
    return [look | {"x0": place, "x1": place} for place in places]


def _setting(axis: SearchAxis, values: pd.Series) -> dict[str, Any]:
    there = [value for value in values if is_there(value)]
    if there and all(isinstance(value, int | float | np.number) and not isinstance(value, bool) for value in there):
        ends = (*(axis.range or ()), *map(float, there))
        return _numbers(axis.title, values, (min(ends), max(ends)), axis.log, value_words, axis.listed)
    return _words(axis.title, values)


def _numbers(
    title: str,
    values: pd.Series,
    ends: tuple[float, float],
    log: bool,
    words: Callable[[float], str],
    listed: Sequence[float] = (),
) -> dict[str, Any]:
    """Return an axis of numbers, along which equal distances are equal ratios where it is logarithmic."""
    place: Callable[[float], float] = math.log10 if log else float
    ticks = listed or readable_ticks(*ends, log=log)
    places, texts = [place(tick) for tick in ticks], [theme.escape(words(tick)) for tick in ticks]
    low, high = place(ends[0]), place(ends[1])
    if low == high:
        low, high = low - 0.5, high + 0.5
    missing = low - 0.12 * (high - low)
    drawn = [place(float(value)) if is_there(value) else missing for value in values]
    if missing in drawn:
        low, places, texts = missing, [missing, *places], [UNUSED, *texts]
    return {"label": theme.escape(title), "values": drawn, "range": [low, high], "tickvals": places, "ticktext": texts}


def _words(title: str, values: pd.Series) -> dict[str, Any]:
    """Return an axis of words, each at a place of its own."""
    found = [value_words(value) if is_there(value) else UNUSED for value in values]
    # What has no effect stands at the foot, as it does beside numbers.
    levels = sorted(set(found), key=lambda word: (word != UNUSED, word))
    places = list(range(len(levels)))
    return {
        "label": theme.escape(title),
        "values": [levels.index(word) for word in found],
        "range": [-0.5, len(levels) - 0.5],
        "tickvals": places,
        "ticktext": [theme.escape(level) for level in levels],
    }


def readable_ticks(low: float, high: float, *, log: bool, about: int = 5) -> list[float]:
    """Return round numbers from `low` to `high`, some `about` of them: powers of ten on a long logarithmic axis.

    Both ends are there where there is no round number between them.
    """
    if low == high:
        return [low]
    found = _ratios(low, high, about) if log else _steps(low, high, about)
    return found if len(found) > 1 else [low, high]


def _steps(low: float, high: float, about: int) -> list[float]:
    rough = (high - low) / about
    unit = 10.0 ** math.floor(math.log10(rough))
    step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def _ratios(low: float, high: float, about: int) -> list[float]:
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1,), (1, 3), (1, 2, 5)):
        all_of_them = [float(f"{factor}e{decade}") for decade in decades for factor in factors]
        found = [tick for tick in all_of_them if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(found) >= about - 2:
            every = math.ceil(len(found) / (2 * about))
            return found[::every]
    return found
