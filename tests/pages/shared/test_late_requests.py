"""A request of a page that was left must not empty the page that is open, seen at the wire of a real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetStates
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from pages._ui.shared.late_requests import is_late
from tests.conftest import ROOT, wait_for
from tests.test_packaging import answers, free_port

APP = """
import gc
import threading
import time
from pathlib import Path
import streamlit as st

@st.fragment(run_every=3600)
def ticking():
    st.caption("ticks")

def first():
    if st.button("go on", key="go"):
        thread = threading.get_ident()

        def hold(phase, _):
            # Between two pages Streamlit collects garbage, which takes a large program some tenths of a second.
            if phase == "start" and threading.get_ident() == thread:
                gc.callbacks.remove(hold)
                stop_at("left")

        gc.disable()
        gc.callbacks.append(hold)
        st.switch_page(second_page)

def second():
    st.title("Second")
    stop_at("shown")

def stop_at(place):
    Path(place).touch()
    while not Path(f"past_{place}").exists():
        time.sleep(0.01)

first_page, second_page = st.Page(first, default=True), st.Page(second)
page = st.navigation([first_page, second_page])
with st.sidebar:
    ticking()
page.run()
"""

SERVE = """
import sys
{guard}
from streamlit.web.cli import main
sys.argv = ["streamlit", "run", "app.py", "--server.port", "{port}", "--server.headless", "true"]
main()
"""
GUARD = "from pages._ui.shared import late_requests; late_requests.ignore()"


@contextmanager
def served(folder: Path, guard: str) -> Iterator[ClientConnection]:
    """Serve the small app and connect to it as a browser does."""
    port = free_port()
    (folder / "app.py").write_text(APP)
    (folder / "serve.py").write_text(SERVE.format(guard=f"sys.path.insert(0, {str(ROOT)!r}); {guard}", port=port))
    process = subprocess.Popen([sys.executable, "serve.py"], cwd=folder, stdout=subprocess.DEVNULL)
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/_stcore/health"), 60)
        address, protocol = f"ws://127.0.0.1:{port}/_stcore/stream", Subprotocol("streamlit")
        with connect(address, subprotocols=[protocol], max_size=None) as connection:
            yield connection
    finally:
        process.terminate()
        process.wait(timeout=20)


def ask(connection: ClientConnection, **state: Any) -> None:
    """Ask for a run as the browser does."""
    message = BackMsg()
    message.rerun_script.CopyFrom(ClientState(**state))
    connection.send(message.SerializeToString())


def kind(message: ForwardMsg) -> str:
    """Return what kind of message it is."""
    return str(message.WhichOneof("type"))


def received(connection: ClientConnection, last: Callable[[ForwardMsg], bool]) -> list[ForwardMsg]:
    """Return what the server sends until a message that is the last."""
    messages: list[ForwardMsg] = []
    while not messages or not last(messages[-1]):
        message = ForwardMsg()
        received = connection.recv(timeout=60)
        assert isinstance(received, bytes)
        message.ParseFromString(received)
        messages.append(message)
    return messages


def is_idle(message: ForwardMsg) -> bool:
    """Tell whether a message says that nothing runs any more."""
    return kind(message) == "session_status_changed" and not message.session_status_changed.script_is_running


def leave_and_ask_late(connection: ClientConnection, folder: Path, late: str) -> tuple[str, str, str]:
    """Leave the first page by its button and ask late on its behalf; return both pages and the fragment on both.

    It is asked when the old page was "left" (nobody knows yet which one will be open) or the new one is "shown".
    """
    ask(connection)
    shown = received(connection, is_idle)
    first = next(m.navigation.page_script_hash for m in shown if kind(m) == "navigation")
    fragment = next(m.auto_rerun.fragment_id for m in shown if kind(m) == "auto_rerun")
    clicked = WidgetStates()
    clicked.widgets.add(id=next(m.delta.new_element.button.id for m in shown if m.delta.new_element.button.id))
    clicked.widgets[0].trigger_value = True
    ask(connection, page_script_hash=first, widget_states=clicked)
    before: list[ForwardMsg] = []
    for place in ("left", "shown"):
        wait_for((folder / place).exists, 60)
        if place == late:
            # The browser doesn't know yet that another page is open.
            ask(connection, page_script_hash=first, fragment_id=fragment, is_auto_rerun=True)
        # A heartbeat is answered after what was asked before it.
        connection.send(BackMsg(app_heartbeat=True).SerializeToString())
        before += received(connection, lambda m: kind(m) == "heartbeat_ack")
        (folder / f"past_{place}").touch()
    second = [m.new_session.page_script_hash for m in before if kind(m) == "new_session"][-1]
    assert second != first
    return first, second, fragment


@pytest.mark.parametrize("late", ["left", "shown"])
def test_a_late_request_of_the_old_page_does_not_empty_the_new_one(tmp_path: Path, late: str) -> None:
    with served(tmp_path, GUARD) as connection:
        first, second, fragment = leave_and_ask_late(connection, tmp_path, late)
        received(connection, is_idle)
        # What the open page's fragment asks is answered, and nothing was announced before that.
        ask(connection, page_script_hash=second, fragment_id=fragment, is_auto_rerun=True)
        announced = received(connection, lambda m: kind(m) == "new_session")[-1]
    assert announced.new_session.page_script_hash == second != first
    assert list(announced.metadata.run.fragment_ids) == [fragment]


@pytest.mark.parametrize("late", ["left", "shown"])
def test_without_the_guard_it_does(tmp_path: Path, late: str) -> None:
    # Once this fails, Streamlit has mended it: the guard can go.
    with served(tmp_path, "") as connection:
        first, _, _ = leave_and_ask_late(connection, tmp_path, late)
        announced = received(connection, lambda m: kind(m) == "new_session")[-1]
    assert announced.new_session.page_script_hash == first


@pytest.mark.parametrize(
    ("fragments", "page", "late"),
    [(["f"], "old", True), (["f"], "open", False), ([], "old", False), ([], "", False)],
)
def test_only_what_a_fragment_of_another_page_asks_is_late(fragments: list[str], page: str, late: bool) -> None:
    assert is_late(RerunData(fragment_id_queue=fragments, page_script_hash=page), "open") is late
