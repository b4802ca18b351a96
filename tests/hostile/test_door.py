"""Who comes in by the door: one attack a test, against the middleware alone."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient, WebSocketDenialResponse
from starlette.types import Message
from starlette.websockets import WebSocket

from dlreg_core.api.allowed_hosts import KnownHosts, authority_of, said_at_start
from dlreg_core.api.request_guard import MOST_HEADER_BYTES, BodyTimeouts, Guard
from dlreg_core.api.security_headers import policy_for
from dlreg_core.errors import InputError
from dlreg_core.settings import load_settings

HERE = "http://127.0.0.1:8501"
STREAM = "ws://127.0.0.1:8501/_stcore/stream"
PAGE = "<html><script>\n  one()\n</script><script src='two.js'></script></html>"


async def answer(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"in with {len(await request.body())} bytes")


async def stream(socket: WebSocket) -> None:
    await socket.accept()
    await socket.send_text(socket.headers["host"])
    await socket.close()


def client(*listed: str, base: str = HERE) -> TestClient:
    """Return a client of a server behind the door; the port of `base` is the one that it listens on."""
    routes = [
        WebSocketRoute("/_stcore/stream", stream),
        Route("/{path:path}", answer, methods=["GET", "PUT", "POST", "DELETE"]),
    ]
    guard = Middleware(Guard, hosts=KnownHosts(listed), policy=policy_for(PAGE))
    return TestClient(Starlette(routes=routes, middleware=[guard]), base_url=base)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8501", "localhost:8501", "LOCALHOST:8501", "localhost.:8501", "[::1]:8501"]
)
def test_the_names_of_the_machine_for_itself_come_in(host: str) -> None:
    assert client().get("/", headers={"host": host}).text == "in with 0 bytes"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example:8501",
        "evil.example",
        "localhost",
        "localhost:8502",
        "127.0.0.1",
        "localhost.evil.example:8501",
        "127.0.0.1.evil.example:8501",
        "localhost:8501@evil.example",
        "evil.example/localhost:8501",
        "localhost:8501:8501",
        "[::1:8501",
        "0.0.0.0:8501",
        "127.1:8501",
        "2130706433:8501",
        "localhost:08501x",
        "ｌocalhost:8501",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/", "/api/networks", "/_stcore/health"])
def test_a_rebound_name_reaches_nothing(host: str, path: str) -> None:
    found = client().get(path, headers={b"host": host.encode()})
    assert found.status_code == 403
    assert "in with" not in found.text


def test_a_host_that_stands_there_twice_or_not_at_all_is_refused() -> None:
    for headers in ([], [(b"host", b"127.0.0.1:8501"), (b"host", b"evil.example")]):
        assert _asked(headers)["status"] == 403
    assert _asked([(b"host", b"127.0.0.1:8501")])["status"] == 200


def test_names_that_are_listed_come_in_with_the_ports_they_stand_for() -> None:
    listed = client("dlreg.example.org", "Other.example.org.:8443")
    for host in ("dlreg.example.org", "dlreg.example.org:8501", "dlreg.example.org:443", "other.example.org:8443"):
        assert listed.get("/", headers={"host": host}).status_code == 200, host
    for host in ("dlreg.example.org:9000", "other.example.org", "other.example.org:8501", "a.dlreg.example.org"):
        assert listed.get("/", headers={"host": host}).status_code == 403, host


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "http://evil.example:8501",
        "http://127.0.0.1",
        "http://127.0.0.1:9999",
        "http://localhost:8501",
        "http://127.0.0.1:8501.evil.example",
        "http://127.0.0.1:8501/",
        "file://127.0.0.1:8501",
        "null",
        "",
    ],
)
def test_pages_of_others_change_nothing_and_open_no_socket(origin: str) -> None:
    headers = {"origin": origin}
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "GET"):
        assert client().request(method, "/api/uploads/x", headers=headers).status_code == 403, method
    with pytest.raises(WebSocketDenialResponse) as refused, client().websocket_connect(STREAM, headers=headers):
        pass
    assert refused.value.status_code == 403


def test_a_page_over_http_is_not_the_page_over_https() -> None:
    secure = client("dlreg.example.org", base="https://dlreg.example.org")
    assert secure.put("/", headers={"origin": "https://dlreg.example.org"}).status_code == 200
    assert secure.put("/", headers={"origin": "http://dlreg.example.org"}).status_code == 403


def test_own_pages_and_programs_come_in() -> None:
    assert client().put("/", headers={"origin": HERE}, content=b"abc").text == "in with 3 bytes"
    assert client().put("/", content=b"abc").text == "in with 3 bytes"
    assert client().put("/", headers={"sec-fetch-site": "cross-site"}).status_code == 403
    assert client().put("/", headers={"sec-fetch-site": "same-origin"}).status_code == 200
    # A link from elsewhere may be followed.
    assert client().get("/runs", headers={"sec-fetch-site": "cross-site"}).status_code == 200
    with client().websocket_connect(STREAM, headers={"origin": HERE}) as socket:
        assert socket.receive_text() == "127.0.0.1:8501"


def test_behind_the_door_host_and_origin_are_the_same_letters() -> None:
    """Where they differ, Streamlit asks a host on the internet whether the origin is this machine's."""
    listed = client("dlreg.example.org")
    for host, origin in [
        ("127.0.0.1:8501", "https://dlreg.example.org"),
        ("DLREG.example.org.", "https://dlreg.example.org"),
        ("localhost:8501", "http://LOCALHOST:8501"),
    ]:
        with listed.websocket_connect(STREAM, headers={"host": host, "origin": origin}) as socket:
            assert socket.receive_text() == origin.split("//")[1]


def test_a_forwarded_name_has_to_be_listed_and_is_no_way_in() -> None:
    listed = client("dlreg.example.org")
    forwarded = {"x-forwarded-host": "dlreg.example.org"}
    assert listed.get("/", headers=forwarded).status_code == 200
    assert listed.get("/", headers={"host": "evil.example", **forwarded}).status_code == 403
    for name in ("evil.example", "dlreg.example.org, evil.example", " "):
        assert listed.get("/", headers={"x-forwarded-host": name}).status_code == 403, name


@pytest.mark.parametrize("base", ["", "/tools/dlreg"])
def test_figures_about_the_process_are_nobodys_business(base: str) -> None:
    for path in ("/_stcore/metrics", "/_stcore/metrics/", "/_stcore/%6detrics"):
        assert client().get(base + path).status_code == 404, path
    assert client().get(f"{base}/_stcore/health").status_code == 200


def test_large_headers_are_refused() -> None:
    assert client().get("/", headers={"x-large": "a" * (MOST_HEADER_BYTES // 2)}).status_code == 200
    many = {f"x-{place}": "a" * 1000 for place in range(1 + MOST_HEADER_BYTES // 1000)}
    assert client().get("/", headers=many).status_code == 431


@pytest.mark.parametrize("headers", [{}, {"host": "evil.example"}])
def test_every_answer_says_what_the_browser_may_do(headers: dict[str, str]) -> None:
    found = client().get("/", headers=headers).headers
    assert found["x-content-type-options"] == "nosniff"
    assert found["referrer-policy"] == "same-origin"
    assert found["x-frame-options"] == "DENY"
    assert found["cross-origin-resource-policy"] == "same-origin"
    policy = dict(part.split(" ", 1) for part in found["content-security-policy"].split("; "))
    assert policy["frame-ancestors"] == policy["default-src"] == policy["base-uri"] == "'none'"
    # The hash of the script that stands in the page, as `openssl dgst -sha256 -binary | base64` gives it.
    assert policy["script-src"].split()[3:] == ["'sha256-g1m6nn76l5CfHr1c84rCsV/FotpC8e9EtwNg+d5Vbqs='"]
    assert "unsafe-eval'" not in policy["script-src"].replace("'wasm-unsafe-eval'", "")
    assert "unsafe-inline" not in policy["script-src"]
    assert "evil" not in policy["connect-src"]
    assert ("ws://127.0.0.1:8501" in policy["connect-src"]) == (not headers)


def test_what_an_answer_says_itself_is_not_said_twice() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await JSONResponse({}, headers={"X-Frame-Options": "ALLOWALL"})(scope, receive, send)

    found = TestClient(Guard(app, KnownHosts(), ""), base_url=HERE).get("/").headers.get_list("x-frame-options")
    assert found == ["DENY"]


def test_the_refusal_says_what_to_do() -> None:
    assert client().get("/", headers={"host": "Data.example:8501"}).text == (
        "This server doesn't answer to the name data.example:8501. If people are to open it by that name, start the "
        "server with DLREG_HOSTS=data.example:8501 (several names are separated by commas).\n"
    )
    told = client().put("/", headers={"origin": "https://data.example"}).text
    assert told.startswith("Only pages of this server may do that. This one is of data.example. If people are to open")
    # What isn't a name isn't repeated.
    assert "<" not in client().get("/", headers={"host": "<b>evil</b>"}).text


def test_the_terminal_says_where_the_app_is_and_what_to_do() -> None:
    assert said_at_start("127.0.0.1", 8501, "", KnownHosts()) == "dlreg runs at http://127.0.0.1:8501."
    assert said_at_start("::1", 8501, "/tools/", KnownHosts()) == "dlreg runs at http://[::1]:8501/tools."
    told = said_at_start("0.0.0.0", 8501, "", KnownHosts())
    assert told.startswith(
        "dlreg runs at http://localhost:8501. It listens on 0.0.0.0, but answers to no other name: start it with "
        "DLREG_HOSTS set to the names that people open it by, such as DLREG_HOSTS="
    )
    example = re.search(r"such as DLREG_HOSTS=(\S+)", told)
    assert example is not None
    names = authority_of(example[1])
    assert names is not None
    assert str(names) == example[1].lower()
    assert said_at_start("0.0.0.0", 8501, "", KnownHosts(("dlreg.example.org", "b:8443"))) == (
        "dlreg runs at http://localhost:8501 and answers to dlreg.example.org, b:8443."
    )


@pytest.mark.parametrize("listed", ["https://dlreg.example.org", "dlreg.example.org/app", "*", "a b", "a:b", "a:1:2"])
def test_a_list_that_could_not_mean_anything_is_refused(listed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOSTS", f"good.example, {listed}")
    with pytest.raises(
        InputError, match=r"^DLREG_HOSTS can't be used: .* is no name of a server; write dlreg\.example"
    ):
        load_settings()


def test_the_list_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DLREG_HOSTS", " dlreg.example.org, dlreg.example.org:8443 ,[fd00::1]:8501,")
    listed = load_settings().allowed_hosts
    assert listed == ("dlreg.example.org", "dlreg.example.org:8443", "[fd00::1]:8501")
    assert list(map(str, KnownHosts(listed).listed)) == list(listed)


def _asked(
    headers: list[tuple[bytes, bytes]], pieces: AsyncIterator[bytes] | None = None, pace: BodyTimeouts | None = None
) -> Message:
    """Send a request to the door, its body piece by piece; return the beginning of the answer."""
    routes = [Route("/", answer, methods=["PUT"])]
    guard = Guard(Starlette(routes=routes), KnownHosts(), "", pace)
    sent: list[Message] = []
    scope = {
        "type": "http",
        "method": "PUT",
        "path": "/",
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 8501),
        "headers": headers,
    }

    async def receive() -> Message:
        if pieces is None:
            return {"type": "http.request", "body": b"", "more_body": False}
        try:
            return {"type": "http.request", "body": await anext(pieces), "more_body": True}
        except StopAsyncIteration:
            return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(guard(scope, receive, send))
    return sent[0]


def test_a_body_that_stops_coming_is_closed() -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"abc"
        await asyncio.Event().wait()

    found = _asked([(b"host", b"127.0.0.1:8501")], stuck(), BodyTimeouts(seconds=0.05))
    assert found["status"] == 408
    assert (b"connection", b"close") in found["headers"]


def test_a_body_that_drips_is_closed() -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.01)
            yield b"a"

    assert (
        _asked([(b"host", b"127.0.0.1:8501")], dripping(), BodyTimeouts(seconds=0.1, least_bytes=1000))["status"] == 408
    )


def test_a_body_that_comes_slowly_but_steadily_is_taken() -> None:
    async def steady() -> AsyncIterator[bytes]:
        for _ in range(20):
            await asyncio.sleep(0.02)
            yield b"a" * 1000

    assert (
        _asked([(b"host", b"127.0.0.1:8501")], steady(), BodyTimeouts(seconds=0.3, least_bytes=1000))["status"] == 200
    )
