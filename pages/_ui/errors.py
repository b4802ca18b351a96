"""Errors in one place and one form: what happened, why, what to do; the technical detail one click away."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dlreg_core.errors import DlregError
from pages._ui.sidebar import escaped


@contextmanager
def shown() -> Iterator[None]:
    """Show an error of the core on the page instead of raising it; the rest of the page goes on."""
    try:
        yield
    except DlregError as exc:
        show(exc)


def show(error: DlregError) -> None:
    """Show an error of the core."""
    st.error(f"**{escaped(error.message)}** {escaped(error.hint)}".strip(), icon=":material/error:")
    if error.__cause__ is not None:
        with st.expander("Technical detail"):
            st.code("".join(traceback.format_exception(error.__cause__)), language=None)


def unexpected(error: Exception) -> bool:
    """Show an error that nobody foresaw, with a way on; the app's last resort."""
    st.error(
        "**This page could not be shown.** Nothing is lost: go back, reload, or open another page.",
        icon=":material/error:",
    )
    with st.expander("Technical detail"):
        st.code("".join(traceback.format_exception(error)), language=None)
    return True
