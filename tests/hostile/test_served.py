"""The served app under attack: what its middleware and its settings hold together, and whom it asks."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT, wait_for
from tests.test_packaging import answers, free_port
from tests.watching import Watch

LISTED = "dlreg.example.org"


class Served(NamedTuple):
    port: int
    log: Path
    watch: Watch

    def get(self, path: str, host: str = "", **headers: str) -> http.client.HTTPResponse:
        """Ask for a path, by the name that is given."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("GET", path, headers={"Host": host or f"localhost:{self.port}", **headers})
        return connection.getresponse()

    def handshake(self, host: str, origin: str) -> bytes:
        """Ask for a WebSocket; return the first line of the answer."""
        asked = (
            f"GET /tools/_stcore/stream HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\nConnection: Upgrade\r\n"
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(asked.encode())
            return connection.recv(65_536).split(b"\r\n")[0]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve the app on every address and below a path, as behind a proxy, and watch whom it asks."""
    folder = tmp_path_factory.mktemp("served")
    found = Served(free_port(), folder / "log", Watch(folder))
    environment = {
        **found.watch.environment,
        "DLREG_HOME": str(folder / "home"),
        "DLREG_HOSTS": LISTED,
        "STREAMLIT_SERVER_BASE_URL_PATH": "tools",
    }
    command = [sys.executable, "-m", "dlreg_core.cli", "serve", "--host", "0.0.0.0", "--port", str(found.port)]
    with found.log.open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            wait_for(
                lambda: answers(f"http://127.0.0.1:{found.port}/tools/_stcore/health") or process.poll() is not None, 60
            )
            assert process.poll() is None, found.log.read_text()
            yield found
        finally:
            process.terminate()
            process.wait(timeout=20)


def test_it_says_where_it_is_and_to_whom_it_answers(served: Served) -> None:
    log = served.log.read_text()
    assert f"dlreg runs at http://localhost:{served.port}/tools and answers to {LISTED}." in log
    assert "External URL" not in log


def test_a_rebound_name_reaches_neither_pages_nor_the_api(served: Served) -> None:
    for path in ("/tools/", "/tools/runs", "/tools/api/networks", "/tools/_stcore/host-config", "/"):
        for host in (f"evil.example:{served.port}", "evil.example"):
            assert served.get(path, host).status == 403, path
        assert served.get(path, LISTED, **{"X-Forwarded-Host": "evil.example"}).status == 403, path
    for host in (LISTED, f"localhost:{served.port}"):
        assert served.get("/tools/api/networks/TABM", host).status == 200
        assert served.get("/tools/runs", host).status == 200


def test_handshakes_of_foreign_pages_are_refused_at_once_and_ask_nobody(served: Served) -> None:
    own = f"127.0.0.1:{served.port}"
    began = time.monotonic()
    for origin in ("http://evil.example", f"http://evil.example:{served.port}", "null", "http://127.0.0.1:1"):
        for host in (own, "evil.example"):
            assert served.handshake(host, origin).startswith(b"HTTP/1.1 403"), origin
    assert time.monotonic() - began < 2
    # Own pages come in, also where a proxy puts its own name for the server in place of the one it was asked by.
    for host, origin in ((own, f"http://{own}"), (LISTED, f"https://{LISTED}"), (own, f"https://{LISTED}")):
        assert served.handshake(host, origin).startswith(b"HTTP/1.1 101"), origin
    assert served.watch.seen() == []


def test_what_is_not_needed_is_off(served: Served) -> None:
    assert served.get("/tools/_stcore/metrics").status == 404
    # A page that was opened by another one takes no messages from it.
    assert b'"allowedOrigins":[]' in served.get("/tools/_stcore/host-config").read()
    assert served.get("/tools/_stcore/agent/mcp").status in (403, 404, 405)
    policy = served.get("/tools/").headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "sha256-" in policy


def test_connections_are_limited_as_it_is_served(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=20) as connection:
        try:
            connection.sendall(b"GET / HTTP/1.1\r\nX: ")
            for _ in range(20):
                connection.sendall(b"a" * 10_000)
                time.sleep(0.005)
            assert connection.recv(100).startswith(b"HTTP/1.1 4") or connection.recv(100) == b""
        except ConnectionError:
            pass
    assert served.get("/tools/runs").status == 200


def test_nothing_was_asked_of_another_machine(served: Served) -> None:
    """Of all tests above, and of the start on every address."""
    assert served.watch.seen() == []


def test_the_watch_sees_what_there_is_to_see(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    code = "import streamlit.net_util as n; n.get_internal_ip(); n._make_blocking_http_get('http://192.0.2.1', 0.01)"
    subprocess.run([sys.executable, "-c", code], env=watch.environment, check=True)
    assert {"socket.connect 8.8.8.8", "socket.connect 192.0.2.1"} <= set(watch.seen())
