"""The figures of a page as files, and the tables behind them: for print, for other programs, and to be read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from dlreg_core.charts.base.theme import for_print
from pages._ui.shared import session
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import FIGURES, Display, csv_bytes

_HERE = Path(__file__)
_WIDTH = 900
_HEIGHT = 340
_SHOWN = 1_000


def offer() -> None:
    """Offer the figures that stand on this page, folded away; the router calls this below every page."""
    if session.recall(FIGURES):
        part = st.expander(
            "Figures and their data", icon=":material/image:", type="compact", on_change="rerun", key="figures_part"
        )
        if part.open:
            with part:
                _choice()


@st.fragment
def _choice() -> None:
    found: dict[str, Display] = session.recall(FIGURES)
    if not found:
        return
    names = {key: _name(display) for key, display in found.items()}
    chosen = st.selectbox("Figure", list(names), format_func=names.__getitem__, key="figure_chosen")
    display = found[chosen]
    with st.container(horizontal=True, vertical_alignment="center"):
        _files(chosen, display.plot())
        table = display.frame()
        st.download_button(
            f"Data, {len(table):,} {'row' if len(table) == 1 else 'rows'}",
            lambda: csv_bytes(table),
            f"{_file_name(chosen)}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
        )
    st.caption(escaped(display.alt))
    st.dataframe(table.head(_SHOWN), hide_index=True, height=282, placeholder="", alt="The data behind the figure.")


def _name(display: Display) -> str:
    """Return what a figure is called: the beginning of what is seen in it."""
    return re.split(r"[:;,]", display.alt.rstrip("."), maxsplit=1)[0]


def _file_name(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")


def _files(key: str, figure: go.Figure) -> None:
    base = st.get_option("server.baseUrlPath").strip("/")
    _component()(
        key=f"figure_files_{key}",
        data={
            "figure": for_print(figure).to_json(),
            "name": _file_name(key),
            "width": _WIDTH,
            "height": figure.layout.height or _HEIGHT,
            "address": f"{f'/{base}' if base else ''}/api/drawing.js",
        },
        width="content",
    )


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    html, css, js = (_HERE.with_name(f"figure_files.{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("dlreg_figure_files", html=html, css=css, js=js)
