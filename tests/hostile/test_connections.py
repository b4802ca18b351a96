"""Connections that never come to a request, and requests that never come to an end, against a real server."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from dlreg_core.api.allowed_hosts import KnownHosts
from dlreg_core.api.connection_limits import limit_connections
from dlreg_core.api.request_guard import BodyTimeouts, Guard
from tests.conftest import wait_for

SOON = 0.3
MOST = 20_000


class QuickHttpTools(HttpToolsProtocol):
    """The faster parser, with limits that a test can wait for."""


class QuickH11(H11Protocol):
    """The other one."""


for protocol in (QuickHttpTools, QuickH11):
    limit_connections(protocol, SOON, MOST)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the number of bytes that came; `/late` takes three times as long as a connection may be idle."""
    assert scope["type"] == "http"
    came = 0
    more = scope["path"] != "/early"
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        came += len(message["body"])
        more = message["more_body"]
    if scope["path"] == "/late":
        await asyncio.sleep(3 * SOON)
    body = str(came).encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module", params=[QuickHttpTools, QuickH11])
def port(request: pytest.FixtureRequest) -> Iterator[int]:
    """Serve the app behind the door in a thread."""
    guarded = Guard(app, KnownHosts(), "", BodyTimeouts(seconds=SOON, least_bytes=1000))
    config = uvicorn.Config(guarded, http=request.param, lifespan="off", log_level="critical")
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        wait_for(lambda: server.started, 20)
        yield int(listening.getsockname()[1])
        server.should_exit = True
        thread.join(10)


def asked(port: int, *pieces: bytes, every: float = 0.0, then: float = 10.0) -> tuple[bytes, float]:
    """Send pieces of a request; return what comes until the connection is closed, and after how many seconds.

    It fails where the connection is still open `then` seconds after the last piece.
    """
    began = time.monotonic()
    answer = b""
    with socket.create_connection(("127.0.0.1", port), timeout=then) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece.replace(b"HOST", b"Host: 127.0.0.1:%d" % port))
                time.sleep(every)
            while received := connection.recv(65_536):
                answer += received
        except ConnectionError:
            pass
    return answer, time.monotonic() - began


def test_a_connection_that_asks_nothing_is_closed(port: int) -> None:
    answer, seconds = asked(port)
    assert answer == b""
    assert SOON <= seconds < 5


def test_headers_that_come_slowly_are_closed(port: int) -> None:
    drips = [b"GET / HTTP/1.1\r\nHOST\r\n", *(b"X-%d: a\r\n" % line for line in range(200))]
    answer, seconds = asked(port, *drips, every=SOON / 5)
    assert answer == b""
    assert SOON <= seconds < 5


def test_an_answer_that_takes_its_time_is_waited_for(port: int) -> None:
    answer, seconds = asked(port, b"GET /late HTTP/1.1\r\nHOST\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n0")
    assert seconds >= 3 * SOON


def test_a_body_that_comes_slowly_is_told_so(port: int) -> None:
    head = b"PUT / HTTP/1.1\r\nHOST\r\nContent-Length: 100000\r\n\r\n"
    answer, seconds = asked(port, head, *(b"a" for _ in range(200)), every=SOON / 5)
    assert answer.startswith(b"HTTP/1.1 408 ") or (answer == b"" and seconds < 5)
    assert seconds < 5


def test_a_body_after_its_answer_keeps_no_connection(port: int) -> None:
    head = b"PUT /early HTTP/1.1\r\nHOST\r\nContent-Length: 100000\r\n\r\n"
    _answer, seconds = asked(port, head, *(b"a" for _ in range(200)), every=SOON / 5)
    assert seconds < 5


def test_headers_without_an_end_are_refused(port: int) -> None:
    for line in (b"GET / HTTP/1.1\r\nX: ", b"GET /", b"GET / HTTP/1.1\r\nHOST\r\n\r\nGET / HTTP/1.1\r\nX: "):
        sent = [line, *(b"a" * 10_000 for _ in range(20))]
        answer, seconds = asked(port, *sent, every=0.005)
        assert b"HTTP/1.1 200" not in answer.split(b"\r\n\r\n0")[-1]
        assert seconds < SOON, line


def test_trailers_without_an_end_are_refused(port: int) -> None:
    head = b"PUT / HTTP/1.1\r\nHOST\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nX: "
    answer, seconds = asked(port, head, *(b"a" * 10_000 for _ in range(20)), every=0.005)
    assert b"HTTP/1.1 200" not in answer
    assert seconds < SOON


def test_large_bodies_and_small_pieces_come_through(port: int) -> None:
    close = b"HOST\r\nConnection: close\r\n"
    head = b"PUT / HTTP/1.1\r\n" + close
    body = b"a" * 3_000_000
    assert asked(port, head + b"Content-Length: 3000000\r\n\r\n", body)[0].endswith(b"\r\n\r\n3000000")
    chunks = b"".join(b"%x\r\n%s\r\n" % (n, b"a" * n) for n in [100] * 5_000)
    assert asked(port, head + b"Transfer-Encoding: chunked\r\n\r\n", chunks, b"0\r\n\r\n")[0].endswith(b"500000")
    # What an answer refuses before it has come may go on coming: it is what the sender needs to read the answer.
    early = b"PUT /early HTTP/1.1\r\nHOST\r\nContent-Length: 3000000\r\n\r\n"
    assert asked(port, early, body, b"GET / HTTP/1.1\r\n" + close + b"\r\n")[0].count(b"HTTP/1.1 200") == 2


def test_one_connection_may_ask_often(port: int) -> None:
    piece = b"GET / HTTP/1.1\r\nHOST\r\nX: " + b"a" * 5_000 + b"\r\n\r\n"
    last = piece.replace(b"X: ", b"Connection: close\r\nX: ")
    answer, _seconds = asked(port, *[piece] * 12, last, every=SOON / 4)
    assert answer.count(b"HTTP/1.1 200") == 13
