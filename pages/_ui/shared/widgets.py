"""Pieces that several pages are made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, Protocol

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from pandas.io.formats.style import Styler

from dlreg_core.charts.base.theme import readable_on
from dlreg_core.cleaning import without_formulas
from dlreg_core.errors import NotFoundError
from dlreg_core.specs import Dataset, LeaderboardRow, Report, RunState, TrainResult
from dlreg_core.wording import GONE, context_text
from pages._ui.shared import services, session
from pages._ui.shared.sidebar import escaped

PAGES = Path(__file__).resolve().parents[2]
FIGURES = "figures"
"""Under which name the figures on the page are remembered."""
_SAID = "said"


class Display(Protocol):
    """A picture with the table behind it."""

    @property
    def alt(self) -> str:
        """What it shows, in one sentence."""

    def frame(self) -> pd.DataFrame:
        """Return the table behind the picture."""

    def plot(self) -> go.Figure:
        """Return the picture."""


def header(title: str, sentence: str) -> None:
    """Show the page's name and what to do here."""
    session.sync()
    session.remember(FIGURES, {})
    st.title(title, anchor=False)
    st.markdown(f":gray[{sentence}]")
    said = session.take(_SAID)
    if said:
        st.toast(escaped(said), icon=":material/check_circle:")


def say_next(sentence: str) -> None:
    """Say what was done on the page that comes next.

    What is said on a page that leads on at once is lost where the browser hasn't got it before the next one begins.
    """
    session.remember(_SAID, sentence)


def need_dataset() -> Dataset:
    """Return the open data set, or say that there is none, lead to one, and end the page."""
    identifier = session.dataset_id()
    if identifier is not None:
        try:
            return services.dataset(identifier)
        except NotFoundError:
            session.open_dataset(None)
    st.info("No data set is open yet.", icon=":material/table:")
    lead("Choose data", "data")
    return st.stop()


def need_run() -> Report:
    """Return the open run, or say that there is none, lead to one, and end the page."""
    identifier = session.run_id()
    if identifier is not None:
        try:
            report = services.report(identifier)
        except NotFoundError as exc:
            st.error(f"**{escaped(exc.message)}** {escaped(exc.hint)}", icon=":material/error:")
            lead("Look at the runs", "runs")
            return st.stop()
        if session.dataset_id() != report.experiment.dataset_id:
            session.open_run(identifier, report.experiment.dataset_id)
        return report
    st.info("No run is open yet.", icon=":material/model_training:")
    lead("Train networks", "train" if session.dataset_id() else "data")
    return st.stop()


def need_result() -> tuple[Report, TrainResult]:
    """Return the open run's result, or say why there is none, lead on, and end the page."""
    report = need_run()
    if report.result is not None:
        return report, report.result
    if report.state in (RunState.QUEUED, RunState.RUNNING):
        st.info("This run is still training.", icon=":material/hourglass_top:")
        lead("Watch its progress", "train")
    else:
        why = escaped(f"{report.reason} {report.hint}".strip())
        st.error(f"**This run has no result: it {_ended(report)}.** {why}", icon=":material/error:")
        lead("Train again", "train")
    return st.stop()


def say_gone(report: Report) -> bool:
    """Say where the data of a run was deleted, and what it can't do without; True where it was."""
    if services.has_data(report):
        return False
    st.info(GONE, icon=":material/delete:")
    return True


def choose_model(result: TrainResult) -> LeaderboardRow:
    """Let a person choose one of the models that were trained; the address keeps the choice."""
    rows = [row for row in result.leaderboard if row.trained]
    names = [row.model for row in rows]
    wanted = session.model()
    current = wanted if wanted in names else result.best_model
    chosen = st.selectbox(
        "Model",
        names,
        index=names.index(current),
        format_func=lambda name: context_text.model_label(result, name),
        help="The validation rows chose between the networks. Baselines were no candidates, but can be used as well.",
    )
    if chosen != wanted:
        session.choose_model(chosen)
    return next(row for row in rows if row.model == chosen)


def lead(label: str, page: str, *, primary: bool = True) -> None:
    """Show a button that leads to another page."""
    if st.button(label, type="primary" if primary else "secondary", key=f"lead_{page}_{label}"):
        go_to(page)


def go_to(page: str) -> None:
    """Open another page."""
    st.switch_page(PAGES / f"{page}.py", query_params=session.address())


def picture(display: Display, *, key: str, on_select: Callable[[], None] | Literal["rerun"] | None = None) -> Any:
    """Show a picture with its text for screen readers; below the page it can be had as a file and as a table.

    Returns what was selected where `on_select` is given.
    """
    session.recall(FIGURES, {})[key] = display
    options: dict[str, Any] = {"on_select": on_select, "selection_mode": "points"} if on_select is not None else {}
    # No bar of buttons: on touch it covers what stands beneath, and each would be a stop for the keyboard.
    figure = readable_on(display.plot(), dark=on_dark())
    return st.plotly_chart(figure, key=key, alt=display.alt, config={"displayModeBar": False}, **options)


def selected_row(table: pd.DataFrame | Styler, *, rows: int, **options: Any) -> int | None:
    """Show a table of which one row can be selected, also by keyboard; return the number of that row."""
    shown: dict[str, Any] = {
        "hide_index": True,
        "placeholder": "",
        "on_select": "rerun",
        "selection_mode": "single-row",
    }
    chosen = st.dataframe(table, **shown | options)["selection"]["rows"]
    return chosen[0] if chosen and chosen[0] < rows else None


def on_dark() -> bool:
    """Return True where the page's ground is dark."""
    return bool(st.context.theme.type == "dark")


def folded(label: str, icon: str, key: str) -> Any:
    """Return a folded part whose content is worked out only once it is opened: ask for its ``open``."""
    return st.expander(label, icon=f":material/{icon}:", type="compact", on_change="rerun", key=key)


def csv_bytes(table: pd.DataFrame) -> bytes:
    """Return a table as CSV that a spreadsheet opens without running anything in it."""
    return without_formulas(table).to_csv(index=False).encode("utf-8-sig")


def _ended(report: Report) -> str:
    words = {RunState.CANCELLED: "was cancelled", RunState.INTERRUPTED: "was interrupted", RunState.FAILED: "failed"}
    return words.get(report.state, "ended")
