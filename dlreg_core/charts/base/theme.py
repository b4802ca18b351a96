"""The look that all figures share: colours that mean the same everywhere, no frame, a light grid.

No text has a colour of its own: a page gives it one that can be read on its ground, light or dark (`readable_on`).
Marks that carry no meaning are a grey that stands out on both.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from dlreg_core.formatting import CURRENCIES
from dlreg_core.names import shortened, visible

BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442",
)  # fmt: skip
"""The palette of Okabe & Ito (2008), *Color Universal Design*, without its black."""

GREY = "#8A94A3"
INK, LIGHT_INK = "#414B59", "#B4BDCA"
"""Text on a light and on a dark ground."""
ACCENT = BLUE
RISE, FALL = "#7B5CD6", "#8A8F1B"
"""Up and down from a level, told apart with any kind of colour vision; no model has these colours."""
GRID = "rgba(128, 138, 154, 0.25)"
CLEAR = "rgba(0, 0, 0, 0)"
LOW_TO_HIGH = [[0.0, SKY], [0.5, "#A79AA8"], [1.0, VERMILLION]]
"""Colour scale from a small to a large value, told apart with any kind of colour vision."""

_MOST_CHARACTERS = 400
_MOST_OF_TITLE = 80
_BASELINES = ("mean", "median", "ridge", "linear", "decisiontree", "tree", "boosted", "gradientboost", "baseline")
_MODELS = (
    ("ensemble", BLUE),
    ("tabm", ORANGE),
    ("realmlp", GREEN),
    ("fastai", PURPLE),
    ("nntorch", SKY),
    ("neuralnettorch", SKY),
    ("feedforward", VERMILLION),
)

TEMPLATE = go.layout.Template(
    layout={
        "colorway": [BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILLION, YELLOW, GREY],
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "hovermode": "closest",
        "xaxis": {"automargin": True},
        "yaxis": {"automargin": True},
    }
)


def model_colour(model_or_family: str) -> str:
    """Return the colour that a model has on every page: one a family, grey for baselines.

    Parameters
    ----------
    model_or_family : str
        A name of a model or a key of a family, in any spelling: "NN Torch", "Ensemble", "ensemble".
    """
    plain = re.sub(r"[^a-z]", "", model_or_family.lower())
    # Before the families, since an ensemble's name may list its members.
    for name, colour in _MODELS:
        if name in plain:
            return colour
    return GREY if plain.startswith(_BASELINES) else VERMILLION


def faded(colour: str, opacity: float) -> str:
    """Return a colour such as "#0072B2" with an opacity."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def density(colour: str = ACCENT) -> list[list[float | str]]:
    """Return a colour scale from few to many, by opacity: the ground shows through where there is little."""
    return [[share, faded(colour, opacity)] for share, opacity in ((0.0, 0.12), (0.5, 0.6), (1.0, 1.0))]


def axis_title(what: str, unit: str) -> str:
    """Return an axis title with its unit, such as "RMSE on test rows, $"."""
    return f"{what}, {unit}" if unit else what


def hover_value(field: str, unit: str) -> str:
    """Return the piece of a hover template that shows `field` ("x", "y", "customdata[0]") with its unit."""
    if unit == "$":
        return f"%{{{field}:$,.3~r}}"
    if unit in CURRENCIES:
        return f"{unit}%{{{field}:,.3~r}}"
    return f"%{{{field}:,.3~r}} {escape(unit)}".rstrip()


def escape(text: str) -> str:
    """Return `text` with nothing in it that plotly would read as markup: column names are foreign text."""
    shown = shortened(visible(text), _MOST_CHARACTERS)
    return shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")


def label(text: str, most: int = 40) -> str:
    """Return `text` for an axis or a legend, likewise, with its middle left out where it would squeeze the picture."""
    return escape(shortened(visible(text), most))


def name_ticks(names: Sequence[str], places: Sequence[Any] | None = None) -> dict[str, Any]:
    """Return what an axis needs to have names, in a length that leaves room, at some places; else where they stand.

    Parameters
    ----------
    names : sequence of str
        As they come.
    places : sequence, optional
        Where they stand; without it, the names themselves are the places, as `escape` returns them.
    """
    at = [escape(name) for name in names] if places is None else list(places)
    return {"tickvals": at, "ticktext": [label(name) for name in names]}


def figure(*, height: int, x: str = "", y: str = "", grid: str = "xy") -> go.Figure:
    """Return an empty figure in the common look.

    Parameters
    ----------
    height : int
        In pixels; the width is the page's.
    x, y : str
        Titles of the axes, with units.
    grid : str
        Axes that have grid lines: "x", "y", "xy" or "".
    """
    return go.Figure(
        layout={
            "template": TEMPLATE,
            "height": height,
            "margin": {"l": 8, "r": 16, "t": 24, "b": 8},
            "showlegend": False,
            "paper_bgcolor": CLEAR,
            "plot_bgcolor": CLEAR,
            "xaxis": _axis(x, "x" in grid),
            "yaxis": _axis(y, "y" in grid),
        }
    )


def _axis(title: str, grid: bool) -> dict[str, Any]:
    return {
        "title": {"text": label(title, _MOST_OF_TITLE)},
        "showgrid": grid,
        "gridcolor": GRID,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "automargin": True,
    }


def nothing(reason: str, *, height: int = 120) -> go.Figure:
    """Return a figure that says why there is nothing to see."""
    made = figure(height=height, grid="")
    made.update_xaxes(visible=False)
    made.update_yaxes(visible=False)
    made.add_annotation(text=escape(reason), x=0.5, y=0.5, xref="paper", yref="paper", showarrow=False)
    return made


def reference_line(made: go.Figure, xs: tuple[float, float], ys: tuple[float, float]) -> None:
    """Draw a dashed grey line between two points, behind nothing and without hover."""
    made.add_scatter(
        x=list(xs), y=list(ys), mode="lines", line={"color": GREY, "dash": "dash", "width": 1.5}, hoverinfo="skip"
    )


def readable_on(made: go.Figure, *, dark: bool) -> go.Figure:
    """Give the texts of a figure a colour that can be read on the page's ground; return the same figure."""
    ink = LIGHT_INK if dark else INK
    font = {"color": ink}
    made.update_layout(font=font)
    made.update_xaxes(tickfont=font, title_font=font)
    made.update_yaxes(tickfont=font, title_font=font)
    return made


def for_print(made: go.Figure) -> go.Figure:
    """Return a figure as it stands on white paper, whatever ground the page has."""
    return readable_on(go.Figure(made), dark=False).update_layout(
        paper_bgcolor="white",
        font={"family": "Source Sans, Source Sans Pro, Arial, sans-serif", "size": 14},
        margin={"l": 24, "r": max(24, made.layout.margin.r or 0), "t": 32, "b": 24},
    )
