"""Requests of a page that was left: they are not answered, since the answer would empty the page that is open."""

from __future__ import annotations

from functools import wraps

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession


def ignore() -> None:
    """Make sessions ignore what a fragment of another page than the open one asks for.

    A fragment that is shown anew every second goes on asking until the browser has heard that another page is open.
    Streamlit 1.67 answers such a late request once the new page is complete, with the old page's name, and the browser
    takes that for a change of pages: it empties the page, and the next fragment fails with "Bad delta path index".
    There is no option against it, so one method of the session is replaced; see docs/decisions/0040.
    """
    if hasattr(AppSession.request_rerun, "__wrapped__"):
        return
    answer = AppSession.request_rerun

    @wraps(answer)
    def answer_open_page(session: AppSession, client_state: ClientState | None) -> None:
        if client_state is None or not is_late(client_state, session._pages_manager.current_page_script_hash):
            answer(session, client_state)

    AppSession.request_rerun = answer_open_page  # type: ignore[method-assign]


def is_late(request: ClientState, open_page: str) -> bool:
    """Return True where a fragment asks on behalf of a page that isn't the open one.

    Parameters
    ----------
    request : ClientState
        What the browser asks for.
    open_page : str
        The name (hash) of the page that was asked for last.
    """
    return bool(request.fragment_id) and request.page_script_hash != open_page
