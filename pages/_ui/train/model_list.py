"""The models of a run while and after they are trained: a line each, and what their libraries printed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dlreg_core.runs import ModelState, RunProgress, TaskFolder
from dlreg_core.wording import duration, model_state_words, quantity
from pages._ui.shared.sidebar import escaped

_LOG_HEIGHT = 16 * 24
_LOG_SECONDS = 5


def show(progress: RunProgress, unit: str) -> None:
    """Show a line a model, and why the absent ones are."""
    if not progress.models:
        return
    lines = [
        {
            "model": model.model,
            "state": model_state_words(model),
            "share": round(model.share, 2),
            "validation": quantity(model.validation, unit) if model.validation is not None else "",
            "seconds": duration(model.seconds) if model.seconds is not None else "",
        }
        for model in progress.models
    ]
    config = {
        "model": st.column_config.TextColumn("Model"),
        "state": st.column_config.TextColumn("State"),
        "share": st.column_config.ProgressColumn(
            "Epochs done", format="percent", min_value=0, max_value=1, help="Passes over the training rows."
        ),
        "validation": st.column_config.TextColumn(
            "Validation RMSE", alignment="right", help="Root mean squared error on the validation rows."
        ),
        "seconds": st.column_config.TextColumn("Time", alignment="right"),
    }
    st.dataframe(pd.DataFrame(lines), hide_index=True, column_config=config, alt="The models and how far they are.")
    for model in progress.models:
        if model.reason:
            word = "skipped" if model.state is ModelState.SKIPPED else "failed"
            st.markdown(f":gray[:material/info: **{escaped(model.model)}** {word}: {escaped(model.reason)}]")


@st.fragment
def log(task: TaskFolder) -> None:
    """Show the end of what the libraries printed, folded away and read only when it is opened."""
    part = st.expander("Log", icon=":material/notes:", on_change="rerun", key=f"log_{task.run.id}_{task.number}")
    if part.open:
        with part:
            st.fragment(_lines, run_every=None if task.state().is_final else _LOG_SECONDS)(task)


def _lines(task: TaskFolder) -> None:
    st.code(task.log() or "Nothing was printed yet.", language=None, height=_LOG_HEIGHT)
