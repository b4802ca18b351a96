"""The door of the server: who may come in, how fast a request has to come, and what answers forbid."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dlreg_core.api.allowed_hosts import Authority, KnownHosts, authority_of, how_to_allow, origin_of
from dlreg_core.api.security_headers import safe_headers

MOST_HEADER_BYTES = 64 * 1024
_CLOSED = "/_stcore/metrics"


class BodyTimeouts(NamedTuple):
    """How fast a body has to come: its next bytes, or its end, within so many seconds of waiting."""

    seconds: float = 30.0
    least_bytes: int = 64 * 1024


class Refusal(NamedTuple):
    """What a request that isn't let in is answered."""

    status: HTTPStatus
    sentence: str


class Guard:
    """A middleware for HTTP and WebSocket that lets in only what is meant for this server.

    A request has to name the server by one of its own names, so that no page can pass its own name off as this
    server's (DNS rebinding), and one that a page sent has to come from a page of this server. Nothing behind it sees
    the others.

    Parameters
    ----------
    app
        What is behind the door.
    hosts
        The names that the server answers to.
    policy
        The content security policy of its pages, as `policy_for` returns it.
    pace
        How fast bodies have to come.
    """

    def __init__(self, app: ASGIApp, hosts: KnownHosts, policy: str, pace: BodyTimeouts | None = None) -> None:
        self._app = app
        self._hosts = hosts
        self._policy = policy
        self._pace = pace or BodyTimeouts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that isn't let in, or pass it on."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        refused = self._refusal(scope)
        send = self._with_headers(scope, send, known=refused is None)
        if refused is not None:
            await _refuse(scope, receive, send, refused)
        elif scope["type"] == "websocket":
            await self._app(_named_as_by_its_page(scope), receive, send)
        else:
            await _at_a_pace(self._app, scope, receive, send, self._pace)

    def _refusal(self, scope: Scope) -> Refusal | None:
        # What stands there twice could be read differently behind the door.
        given = _values(scope, b"host")
        asked = authority_of(given[0]) if len(given) == 1 else None
        if asked is None:
            return Refusal(HTTPStatus.FORBIDDEN, "The request doesn't say, once and as a name, which server it is for.")
        port = (scope.get("server") or ("", None))[1]
        for name in (asked, *self._forwarded(scope)):
            if name is None or not self._hosts.knows(name, port, scope["scheme"]):
                said = f"This server doesn't answer to the name {name or 'that a proxy passed on'}."
                return Refusal(HTTPStatus.FORBIDDEN, f"{said} {how_to_allow(str(name))}" if name else said)
        if not self._comes_from_here(scope, asked, port):
            return Refusal(HTTPStatus.FORBIDDEN, _not_from_here(_values(scope, b"origin")))
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MOST_HEADER_BYTES:
            return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "The headers of the request are too large.")
        if scope["path"].rstrip("/").endswith(_CLOSED):
            return Refusal(HTTPStatus.NOT_FOUND, "There is no such page.")
        return None

    def _forwarded(self, scope: Scope) -> list[Authority | None]:
        """Return the names by which proxies say they were asked; they count as much as the one they use."""
        given = ",".join(_values(scope, b"x-forwarded-host"))
        return [authority_of(name) for name in given.split(",")] if given else []

    def _comes_from_here(self, scope: Scope, asked: Authority, port: int | None) -> bool:
        origins = _values(scope, b"origin")
        if not origins:
            # Programs send none; browsers send one with whatever changes something, or else say that it is foreign.
            changes = scope["type"] == "websocket" or scope["method"] not in ("GET", "HEAD", "OPTIONS")
            return not changes or _values(scope, b"sec-fetch-site") in ([], ["same-origin"], ["none"])
        origin = origin_of(origins[0]) if len(origins) == 1 else None
        if origin is None:
            return False
        scheme, page = origin
        if scheme == "http" and scope["scheme"] in ("https", "wss"):
            return False
        # A listed name may stand there where a proxy puts another in place of Host.
        return page == asked or self._hosts.lists(page, port)

    def _with_headers(self, scope: Scope, send: Send, *, known: bool) -> Send:
        host = authority_of(_values(scope, b"host")[0]) if known else None
        encrypted = scope["scheme"] in ("https", "wss")
        added = safe_headers(self._policy, host, encrypted=encrypted)

        async def sent(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                kept = [(name, value) for name, value in message.get("headers", ()) if name.lower() not in added]
                message = {**message, "headers": [*kept, *added.items()]}
            await send(message)

        return sent


def _not_from_here(origins: list[str]) -> str:
    origin = origin_of(origins[0]) if len(origins) == 1 else None
    said = "Only pages of this server may do that."
    return f"{said} This one is of {origin[1]}. {how_to_allow(str(origin[1]))}" if origin else said


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _named_as_by_its_page(scope: Scope) -> Scope:
    """Return a request whose Host is exactly what its Origin says.

    Both have been found to be this server's. Streamlit compares them letter by letter, and where they differ it would
    ask a host on the internet for this machine's address.
    """
    origin = _values(scope, b"origin")
    if not origin:
        return scope
    host = origin[0].split("://", 1)[1].encode("latin-1")
    return {**scope, "headers": [(key, host if key == b"host" else value) for key, value in scope["headers"]]}


async def _refuse(scope: Scope, receive: Receive, send: Send, refused: Refusal) -> None:
    kind = ""
    if scope["type"] == "websocket":
        await receive()
        if "websocket.http.response" not in scope.get("extensions", {}):
            await send({"type": "websocket.close", "code": 1008, "reason": ""})
            return
        kind = "websocket."
    body = f"{refused.sentence}\n".encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        # What else comes by this connection is of no interest.
        (b"connection", b"close"),
    ]
    await send({"type": f"{kind}http.response.start", "status": int(refused.status), "headers": headers})
    await send({"type": f"{kind}http.response.body", "body": body})


async def _at_a_pace(app: ASGIApp, scope: Scope, receive: Receive, send: Send, pace: BodyTimeouts) -> None:
    """Pass a request on as long as its body comes; one that doesn't is as good as gone, and is answered so."""
    body = _Body(receive, pace)
    started = False

    async def sent(message: Message) -> None:
        nonlocal started
        if not body.too_slow or started:
            started = True
            await send(message)

    try:
        await app(scope, body.receive, sent)
    except ClientDisconnect:
        if not body.too_slow:
            raise
    if body.too_slow and not started:
        await _refuse(scope, receive, send, Refusal(HTTPStatus.REQUEST_TIMEOUT, "The request came too slowly."))


class _Body:
    """A request's body that ends like a lost connection once it comes too slowly."""

    def __init__(self, receive: Callable[[], Awaitable[Any]], pace: BodyTimeouts) -> None:
        self._receive = receive
        self._pace = pace
        self._whole = False
        self._waited = 0.0
        self._came = 0
        self.too_slow = False

    async def receive(self) -> Message:
        if self._whole:
            # What follows is the end of the connection, which may take as long as it likes.
            return {"type": "http.disconnect"} if self.too_slow else await self._receive()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(self._pace.seconds - self._waited):
                message: Message = await self._receive()
        except TimeoutError:
            self._whole = self.too_slow = True
            return {"type": "http.disconnect"}
        self._waited += loop.time() - began
        self._came += len(message.get("body", b""))
        if self._came >= self._pace.least_bytes:
            self._waited, self._came = 0.0, 0
        self._whole = not message.get("more_body", False)
        return message
