"""Export: the model as one file that works without this app."""

from __future__ import annotations

import streamlit as st

from dlreg_core.charts.numbers import size
from dlreg_core.jobs.many import find_model_file, make_model_file, model_file_path
from dlreg_core.report import usage
from dlreg_core.report.tables import member_table
from dlreg_core.runs import RunFolder
from dlreg_core.specs import Exported
from pages._ui import core, errors
from pages._ui.results import open_result
from pages._ui.sidebar import escaped
from pages._ui.widgets import choose_model

_WAIT = "Writing the file, and checking that it predicts the same. About 20 s the first time."


def prepared(run: RunFolder, model: str) -> Exported:
    """Return the model file, made now where it isn't there yet."""
    made = find_model_file(run, model)
    if made is not None:
        return made
    with st.spinner(_WAIT, show_time=True):
        return make_model_file(core.scorer(), run, model)


def show_file(run: RunFolder, made: Exported) -> None:
    """Offer the file, and say what is in it and that it was checked."""
    path = model_file_path(run, made.model)
    st.download_button(
        f"Download model ({size(made.size_mb)})",
        path.read_bytes,
        path.name,
        "application/zip",
        type="primary",
        on_click="ignore",
        icon=":material/download:",
    )
    apart = "exactly" if made.max_relative_difference == 0 else f"to within {made.max_relative_difference:.0e}"
    st.markdown(
        f":green[:material/check:] Checked: the file was read again, and {made.reference_rows} reference rows came out "
        f"as they should, {apart}."
    )
    st.markdown(
        f"One zip with **{escaped(made.model)}**, its cleaning and intervals, the code that runs it, a model card and "
        "a script. It works without this app and without the internet."
    )
    with st.expander("What is inside"):
        table = member_table(made.members)
        files = st.column_config.NumberColumn("Files", format="%,d")
        shown = {"part": st.column_config.TextColumn("Part"), "what": st.column_config.TextColumn("What it is")}
        st.dataframe(table, hide_index=True, column_config=shown | {"files": files}, alt="The file's parts.")
        st.caption("SHA-256 of the file")
        st.code(made.sha256, language=None, wrap_lines=True)


def show_usage(file_name: str) -> None:
    """Show how to use the file."""
    st.subheader("How to use it", anchor=False)
    python, command = st.tabs(["Python", "Command line"])
    with python:
        st.markdown("With dlreg installed:")
        st.code(usage.python_usage(file_name), language="python")
    with command:
        st.markdown("With dlreg installed:")
        st.code(usage.command_usage(file_name), language="bash")
        st.markdown("Without it, by the script in the file:")
        st.code(usage.script_usage(file_name), language="bash")
    st.caption("A model file holds code. Load one only from somebody you trust.")


def page() -> None:
    """Show the page."""
    report, result = open_result("Export", "The model as one file, to use tomorrow and elsewhere.")
    with st.columns([1, 2])[0]:
        row = choose_model(result)
    run = core.run_folder(report.run_id)
    with errors.shown():
        show_file(run, prepared(run, row.model))
        show_usage(model_file_path(run, row.model).name)


page()
