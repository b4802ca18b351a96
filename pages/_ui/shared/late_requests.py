"""Requests of a page that was left: they are not answered, since the answer would empty the page that is open."""

from __future__ import annotations

from functools import wraps

from streamlit.runtime.scriptrunner.script_runner import ScriptRunner
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData


def ignore() -> None:
    """Make sessions ignore what a fragment of another page than the open one asks for.

    A fragment that is shown anew every second goes on asking until the browser has heard that another page is open.
    Streamlit 1.67 answers such a late request once the new page is complete, with the old page's name, and the browser
    takes that for a change of pages: it empties the page, and the next fragment fails with "Bad delta path index".
    There is no option against it, so one method of what runs a page is replaced; see docs/decisions/0040.
    """
    if hasattr(ScriptRunner._run_script, "__wrapped__"):
        return
    run = ScriptRunner._run_script

    # Which page is open is known here, when the turn of a request has come, and not yet when it arrives.
    @wraps(run)
    def run_open_page(self: ScriptRunner, rerun_data: RerunData) -> None:
        if not is_late(rerun_data, self._pages_manager.current_page_script_hash):
            run(self, rerun_data)

    # mypy forbids replacing a method, whatever takes its place; here that is the purpose.
    ScriptRunner._run_script = run_open_page  # type: ignore[method-assign]


def is_late(request: RerunData, open_page: str) -> bool:
    """Return True where fragments ask on behalf of a page that isn't the open one.

    Parameters
    ----------
    request : RerunData
        What the browser asked for.
    open_page : str
        The name (hash) of the page that was shown last.
    """
    return bool(request.fragment_id_queue) and request.page_script_hash != open_page
