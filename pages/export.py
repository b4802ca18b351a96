"""Export: the model as one file that works without this app."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from dlreg_core.formatting import size
from dlreg_core.report import member_table, model_file_usage
from dlreg_core.runs import RunFolder
from dlreg_core.scoring import find_model_file, make_model_file, model_file_path
from dlreg_core.specs import Exported
from dlreg_core.wording import checked_words, held_words
from pages._ui.shared import error_display, services
from pages._ui.shared.result_header import open_result
from pages._ui.shared.sidebar import escaped
from pages._ui.shared.widgets import choose_model

_WAIT = "Writing the file, and checking that it predicts the same. About 20 s the first time."


def prepared(run: RunFolder, model: str, *, with_rows: bool) -> Exported:
    """Return the model file, made now where it isn't there yet."""
    made = find_model_file(run, model, with_rows=with_rows)
    if made is not None:
        return made
    with st.spinner(_WAIT, show_time=True):
        return make_model_file(services.scorer(), run, model, with_rows=with_rows)


def show_file(path: Path, made: Exported) -> None:
    """Offer the file, and say what is in it and that it was checked."""
    st.download_button(
        f"Download model ({size(made.size_mb)})",
        path.read_bytes,
        path.name,
        "application/zip",
        type="primary",
        on_click="ignore",
        icon=":material/download:",
    )
    st.markdown(f":green[:material/check:] **Checked.** {escaped(checked_words(made))}")
    st.markdown(
        f"One zip with **{escaped(made.model)}**, its cleaning and intervals, the code that runs it, a model card and "
        "a script. It works without this app and without the internet."
    )
    show_held(made)
    with st.expander("What is inside"):
        table = member_table(made.members)
        files = st.column_config.NumberColumn("Files", format="%,d")
        shown = {"part": st.column_config.TextColumn("Part"), "what": st.column_config.TextColumn("What it is")}
        st.dataframe(table, hide_index=True, column_config=shown | {"files": files}, alt="The file's parts.")
        st.caption("SHA-256 of the file")
        st.code(made.sha256, language=None, wrap_lines=True)


def choose_rows(*, there: bool) -> bool:
    """Ask whether rows of the data go into the file; where they were deleted, none can."""
    chosen = st.checkbox(
        "Leave out rows of the data",
        value=not there,
        disabled=not there,
        key="export_no_rows",
        help="A few test rows let the file test itself elsewhere. Without them, and without typical values, it can "
        "only tell that it is intact.",
    )
    return there and not chosen


def show_held(made: Exported) -> None:
    """Say what the file holds of the data, since it may be passed on."""
    sentences = held_words(made.held)
    if sentences:
        with st.expander("What it holds of the data", icon=":material/privacy_tip:"):
            st.markdown("\n".join(f"- {escaped(sentence)}" for sentence in sentences))


def show_usage(file_name: str) -> None:
    """Show how to use the file."""
    st.subheader("How to use it", anchor=False)
    python, command = st.tabs(["Python", "Command line"])
    with python:
        st.markdown("With dlreg installed:")
        st.code(model_file_usage.python_usage(file_name), language="python")
    with command:
        st.markdown("With dlreg installed:")
        st.code(model_file_usage.command_usage(file_name), language="bash")
        st.markdown("Without it, by the script in the file:")
        st.code(model_file_usage.script_usage(file_name), language="bash")
    st.caption("A model file holds code. Load one only from somebody you trust.")


def page() -> None:
    """Show the page."""
    report, result = open_result("Export", "The model as one file, to use tomorrow and elsewhere.")
    with st.columns([1, 2])[0]:
        row = choose_model(result)
        with_rows = choose_rows(there=services.has_data(report))
    run = services.run_folder(report.run_id)
    with error_display.shown():
        path = model_file_path(run, row.model, with_rows=with_rows)
        show_file(path, prepared(run, row.model, with_rows=with_rows))
        show_usage(path.name)


page()
