"""Errors in one place and one form: what happened, why, what to do; the technical detail one click away."""

from __future__ import annotations

import logging
import secrets
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from dlreg_core.errors import DlregError
from dlreg_core.runs import OUT_OF_MEMORY_HINT, lacked_memory
from pages._ui.shared.sidebar import escaped

_log = logging.getLogger(__name__)


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
    """Show an error that no part of a page took care of, and log it: the app's last resort, see ``app.py``.

    It serves pages, their fragments and what runs on a click or a change. Returns True, since nothing else has to be
    shown.
    """
    number = secrets.token_hex(4)
    if isinstance(error, DlregError):
        show(error)
        _again(number)
        return True
    # Streamlit logs the error too, but not the number that a person can tell.
    _log.error("Error %s on the page %s", number, st.context.url or "?", exc_info=error)
    if lacked_memory(error):
        told = "**The server ran out of memory while it made this page.** Nothing is lost."
        st.error(f"{told} {OUT_OF_MEMORY_HINT}", icon=":material/error:")
        _again(number)
        return True
    st.error(
        "**This could not be shown.** Nothing is lost: show the page again, or open another one. If it happens again, "
        f"the server's log tells more about error **{number}**.",
        icon=":material/error:",
    )
    _again(number)
    with st.expander("Technical detail"):
        st.code("".join(traceback.format_exception(error)), language=None)
    return True


def _again(number: str) -> None:
    # Any click runs the page again; of one whose click failed, nothing else is left.
    st.button("Show the page again", icon=":material/refresh:", key=f"again_{number}")
