"""What the pages about a finished run share: the lines above the result, and tables with units."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd
import streamlit as st

from dlreg_core.formatting import CURRENCIES, MINUS
from dlreg_core.recipe import usual_name
from dlreg_core.report import result_tables
from dlreg_core.specs import Report, TrainResult
from dlreg_core.wording import context_text
from pages._ui.shared import session
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import PAGES, header, need_result

if TYPE_CHECKING:
    from streamlit.elements.lib.column_types import ColumnConfig

_MORE = "More networks are being trained; until they are judged, this is the result."


def open_result(title: str, sentence: str, *, back_to: str = "leaderboard") -> tuple[Report, TrainResult]:
    """Show the page's head and return the open run's result; ends the page where there is none."""
    header(title, sentence)
    line = st.container()
    report, result = need_result()
    with line.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.page_link(PAGES / f"{back_to}.py", label=f"**{escaped(report.experiment.name)}**", query_params=address())
        st.caption(escaped(run_line(report)))
        if not report.state.is_final:
            st.page_link(PAGES / "train.py", label=_MORE, icon=":material/model_training:", query_params=address())
    return report, result


def run_line(report: Report) -> str:
    """Return data, target, when, how long and on what, in one line."""
    experiment = report.experiment
    what = usual_name(experiment.dataset_name, experiment.recipe.target)
    # A run is often named after both; once is enough.
    parts = [what] if experiment.name != what else []
    return " · ".join([*parts, context_text.run_words(report, zone())])


def zone() -> ZoneInfo | None:
    """Return the reader's time zone, None where the browser doesn't tell it."""
    name = st.context.timezone
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def address() -> dict[str, str]:
    """Return what the address must hold so that this place is found again."""
    return session.address()


def quantity_column(
    label: str, unit: str, values: pd.Series, help_text: str | None = None, *, observed: bool = False
) -> ColumnConfig:
    """Return the settings of a column of numbers in `unit`, with the decimals they need; observed ones have all."""
    number = f"%,.{result_tables.observed_decimals(values) if observed else result_tables.decimals(values)}f"
    if unit in CURRENCIES:
        return st.column_config.NumberColumn(label, format=f"{unit}{number}", help=help_text)
    named = f"{label}, {unit}" if unit else label
    return st.column_config.NumberColumn(named, format=number, help=help_text)


def read_alike(table: pd.DataFrame, config: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Return a table and its settings so that its negative numbers have the minus sign of all texts and charts.

    Numbers stay numbers: they sort as such, and a column without a negative one stays as it is.
    """
    settings = dict(config)
    texts: dict[str, Any] = {}
    for name in table.columns:
        if not pd.api.types.is_float_dtype(table[name]) and not pd.api.types.is_integer_dtype(table[name]):
            continue
        if not bool((table[name] < 0).any()):
            continue
        own = dict(settings.get(name) or {})
        options = dict(own.get("type_config") or {})
        shape = options.pop("format", None)
        if options.get("type") not in (None, "number"):
            continue
        texts[name] = _figure(str(shape) if shape else "")
        settings[name] = own | ({"type_config": options} if options else {})
    return (table.style.format(texts, na_rep="\u2013") if texts else table), settings


def _figure(shape: str) -> Callable[[float], str]:
    """Return what writes a number in one of the shapes of `quantity_column`, or as it stands in a file."""
    found = re.fullmatch(r"(?P<sign>[^%]*)%(?P<group>,?)\.(?P<places>\d)f", shape)

    def written(value: float) -> str:
        if found is None:
            text = f"{value:.15g}"
        else:
            text = found["sign"] + f"{abs(value):{found['group']}.{found['places']}f}"
            text = f"-{text}" if value < 0 else text
        return text.replace("-", MINUS)

    return written


def raw_columns(table: pd.DataFrame) -> dict[str, ColumnConfig]:
    """Return settings under which raw columns look as in their file: no thousands separators, dates without seconds."""
    config: dict[str, ColumnConfig] = {}
    for name in table.columns:
        if pd.api.types.is_datetime64_any_dtype(table[name]):
            midnight = bool((table[name].dropna() == table[name].dropna().dt.normalize()).all())
            shape = "YYYY-MM-DD" if midnight else "YYYY-MM-DD HH:mm"
            config[name] = st.column_config.DatetimeColumn(str(name), format=shape)
    return config
