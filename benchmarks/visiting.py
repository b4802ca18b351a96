"""A visitor of a served app: speaks as a browser does, draws nothing, so that dozens of them fit on a small machine."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

_LONGEST = 120.0


@dataclass
class Shown:
    """What stands on the open page, as far as a visitor uses it."""

    buttons: dict[str, str] = field(default_factory=dict)
    uploader: str = ""
    alerts: list[str] = field(default_factory=list)
    exceptions: list[str] = field(default_factory=list)
    clocks: dict[str, float] = field(default_factory=dict)


class Visitor:
    """A person with a browser.

    Parameters
    ----------
    url : str
        Where the app is, such as ``http://127.0.0.1:8501``.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        place = urlsplit(url)
        self._socket: ClientConnection = connect(
            f"ws://{place.netloc}{place.path}/_stcore/stream",
            subprotocols=[Subprotocol("streamlit")],
            origin=url,  # type: ignore[arg-type]
            max_size=None,
        )
        with urllib.request.urlopen(f"{url}/_stcore/health", timeout=_LONGEST) as answer:
            cookies = [str(line).split(";")[0] for line in answer.headers.get_all("Set-Cookie", [])]
        self._token = next(line for line in cookies if line.startswith("_streamlit_xsrf="))
        self._pages: dict[str, str] = {}
        self._page = ""
        self._due: dict[str, float] = {}
        self.query = ""
        self.shown = Shown()

    def close(self) -> None:
        """Close the tab."""
        self._socket.close()

    def open(self, page: str, query: str | None = None) -> float:
        """Open a page, by the sidebar once a first one is open; return the seconds until the server has sent it."""
        if query is not None:
            self.query = query
        where = {"page_script_hash": self._pages[page]} if page in self._pages else {"page_name": page}
        self.shown = Shown()
        return self._ask(query_string=self.query, **where)

    def hurry(self, page: str, query: str) -> None:
        """Ask for a page and wait for nothing."""
        self._send(_rerun(page_name=page, query_string=query))

    def click(self, label: str) -> float:
        """Click a button by the beginning of its label; return the seconds until the server has answered."""
        name = next(name for text, name in self.shown.buttons.items() if text.startswith(label))
        return self._ask(self._state(WidgetState(id=name, trigger_value=True)))

    def upload(self, name: str, content: bytes) -> float:
        """Give a file to the page's uploader; return the seconds until it was read and the page was shown."""
        message = BackMsg()
        message.file_urls_request.request_id = "1"
        message.file_urls_request.file_names.append(name)
        began = time.perf_counter()
        self._send(message)
        answer = self._until(lambda m: m.WhichOneof("type") == "file_urls_response")
        place = answer.file_urls_response.file_urls[0]
        self._put(place.upload_url, name, content)
        state = WidgetState(id=self.shown.uploader)
        state.file_uploader_state_value.uploaded_file_info.add(
            name=name, size=len(content), file_id=place.file_id, file_urls=place
        )
        self._ask(self._state(state))
        return time.perf_counter() - began

    def linger(self, seconds: float) -> None:
        """Look at the page for a while: what is shown anew by the clock is asked for, as a browser does."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0:
            now = time.perf_counter()
            for fragment, every in self.shown.clocks.items():
                if now >= self._due.setdefault(fragment, now + every):
                    self._due[fragment] = now + every
                    state = {"fragment_id": fragment, "is_auto_rerun": True, "query_string": self.query}
                    self._send(_rerun(page_script_hash=self._page, **state))
            next_clock = min((self._due[name] for name in self.shown.clocks), default=end)
            try:
                self._take(self._socket.recv(timeout=max(0.01, min(left, next_clock - now))))
            except TimeoutError:
                continue

    def _put(self, address: str, name: str, content: bytes) -> None:
        mark = "----visitor"
        head = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
        body = head + content + f"\r\n--{mark}--\r\n".encode()
        headers = {
            "Content-Type": f"multipart/form-data; boundary={mark}",
            "Origin": self._url,
            "Cookie": self._token,
            "X-Xsrftoken": self._token.partition("=")[2],
        }
        request = urllib.request.Request(self._url + address, body, headers, method="PUT")
        with urllib.request.urlopen(request, timeout=_LONGEST) as answer:
            answer.read()

    def _state(self, *states: WidgetState) -> dict[str, Any]:
        client = ClientState()
        client.widget_states.widgets.extend(states)
        return {"widget_states": client.widget_states, "page_script_hash": self._page, "query_string": self.query}

    def _ask(self, state: dict[str, Any] | None = None, **more: Any) -> float:
        began = time.perf_counter()
        self._send(_rerun(**(state or {}), **more))
        # A page that opens another ends early first.
        whole = ForwardMsg.FINISHED_SUCCESSFULLY
        self._until(lambda m: m.WhichOneof("type") == "script_finished" and m.script_finished == whole)
        return time.perf_counter() - began

    def _send(self, message: BackMsg) -> None:
        self._socket.send(message.SerializeToString())

    def _until(self, last: Any) -> ForwardMsg:
        end = time.perf_counter() + _LONGEST
        while True:
            message = self._take(self._socket.recv(timeout=max(0.0, end - time.perf_counter())))
            if last(message):
                return message

    def _take(self, frame: str | bytes) -> ForwardMsg:
        message = ForwardMsg()
        message.ParseFromString(bytes(frame) if isinstance(frame, bytes) else frame.encode())
        kind = message.WhichOneof("type")
        if kind == "new_session" and not message.metadata.run.fragment_ids:
            self.shown, self._due = Shown(), {}
        elif kind == "navigation":
            self._pages = {one.url_pathname: one.page_script_hash for one in message.navigation.app_pages}
            self._page = message.navigation.page_script_hash
        elif kind == "page_info_changed":
            self.query = message.page_info_changed.query_string
        elif kind == "auto_rerun":
            self.shown.clocks[message.auto_rerun.fragment_id] = message.auto_rerun.interval
        elif kind == "stop_auto_rerun":
            for name in message.stop_auto_rerun.fragment_ids:
                self.shown.clocks.pop(name, None)
        elif kind == "delta":
            self._see(message.delta.new_element)
        return message

    def _see(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind == "button" and not element.button.disabled:
            self.shown.buttons[element.button.label] = element.button.id
        elif kind == "file_uploader" and not self.shown.uploader:
            self.shown.uploader = element.file_uploader.id
        elif kind == "alert":
            self.shown.alerts.append(element.alert.body)
        elif kind == "exception":
            self.shown.exceptions.append(json.dumps([element.exception.type, element.exception.message]))


def _rerun(**state: Any) -> BackMsg:
    message = BackMsg()
    message.rerun_script.CopyFrom(ClientState(**state))
    return message
