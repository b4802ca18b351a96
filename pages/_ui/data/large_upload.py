"""A way in for files that are too large to be held in memory: sent in pieces, and read by a process of their own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import streamlit as st

from dlreg_core.errors import NotFoundError
from dlreg_core.ingest.datasets import bytes_in_pieces
from dlreg_core.ingest.uploads import Upload, Uploads
from dlreg_core.jobs.reading import start_reading
from dlreg_core.specs import Dataset
from pages._ui.shared import services, session
from pages._ui.shared.sidebar import escaped

_ACCEPT = ".csv,.tsv,.txt,.parquet,.gz,.zip,.zst,.bz2,.xz"
_HERE = Path(__file__)
_TICKET, _WAITING, _WRONG = "large_ticket", "large_waiting", "large_wrong"
_AT_ONCE = 8 * 1024**2
"""A file of up to so many bytes is read while a person waits."""


@st.cache_resource(show_spinner=False)
def _component() -> Any:
    html, css, js = (_HERE.with_suffix(f".{kind}").read_text("utf-8") for kind in ("html", "css", "js"))
    return st.components.v2.component("dlreg_large_upload", html=html, css=css, js=js)


def sent() -> Dataset | None:
    """Let a person send a large file; return the data set once it is stored.

    While a file is read, how far that has come is shown in place of the way to send another one.
    """
    waiting = session.recall(_WAITING, "")
    if waiting:
        found = _state(waiting)
        if not found.has_ended:
            _progress(waiting)
            return None
        session.remember(_WAITING, "")
        session.remember(_WRONG, f"{found.message} {found.hint}".strip())
        _arrivals().forget(waiting)
        if found.dataset_id:
            return services.datasets().get(found.dataset_id)
    if session.recall(_WRONG):
        st.error(escaped(session.recall(_WRONG)), icon=":material/error:")
    ticket = session.recall(_TICKET, "") or _new_ticket()
    _component()(
        key="large_upload",
        data={
            "label": f"Send a file over {services.settings().max_upload_mb:,} MB",
            "accept": _ACCEPT,
            "ticket": ticket,
            "address": f"{_base()}/api/uploads/{ticket}",
            "most_bytes": bytes_in_pieces(),
        },
        on_arrived_change=_arrived,
        on_failed_change=_new_ticket,
    )
    return None


def fetched(pieces: Iterable[bytes], name: str) -> Dataset | None:
    """Take a file from elsewhere; return its data set, None where a process of its own reads it."""
    ticket = _issued()
    with _arrivals().receive(ticket, name, None) as receiver:
        for piece in pieces:
            receiver.write(piece)
        folder = receiver.finish(None)
    file = folder / "file"
    if file.stat().st_size <= _AT_ONCE:
        try:
            return services.reader_store().add(file, name)
        finally:
            file.unlink()
            _arrivals().forget(ticket)
    start_reading(folder)
    session.remember(_WAITING, ticket)
    session.remember(_WRONG, "")
    st.rerun()
    return None


def is_waiting() -> bool:
    """Tell whether a large file is on its way."""
    return bool(session.recall(_WAITING, ""))


def _base() -> str:
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""


def _arrivals() -> Uploads:
    return Uploads(services.settings().home)


def _issued() -> str:
    return _arrivals().issue(services.owner(), bytes_in_pieces())


def _new_ticket() -> str:
    ticket = _issued()
    session.remember(_TICKET, ticket)
    return ticket


def _arrived() -> None:
    """Wait for the file that was sent with the ticket, and have another one for the next."""
    session.remember(_WAITING, session.recall(_TICKET, ""))
    session.remember(_WRONG, "")
    _new_ticket()


def _state(ticket: str) -> Upload:
    try:
        return _arrivals().state(ticket)
    except NotFoundError as exc:
        return Upload(message=exc.message, hint=exc.hint)


@st.fragment(run_every=0.3)
def _progress(ticket: str) -> None:
    found = _state(ticket)
    if found.has_ended:
        st.rerun(scope="app")
    st.progress(found.share, text=escaped(f"{found.name}: {found.done.lower()}"))
