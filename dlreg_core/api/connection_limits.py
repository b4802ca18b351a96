"""Connections that ask for nothing are closed: what uvicorn has no option for, and no middleware sees.

Before the headers of a request are complete there is no request that a middleware could refuse. Uvicorn waits for them
as long as they take and, with its faster parser, keeps as many bytes as come; its one timeout is for connections that
have been answered. Streamlit starts it with options of its own. So its protocol is told here to look at the clock and
to count.
"""

from __future__ import annotations

import asyncio
from functools import wraps
from typing import Any

from dlreg_core.api.request_guard import MOST_HEADER_BYTES

_ANSWER = b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
_MARK = "_dlreg_limited"


def limit_connections(protocol: type[Any], seconds: float = 10.0, most_bytes: int = MOST_HEADER_BYTES) -> None:
    """Have a protocol of uvicorn close connections that come to no request.

    Parameters
    ----------
    protocol
        The class of which uvicorn makes an object for each connection; it is changed, once.
    seconds
        How long a connection may be without a request that is being answered; it is closed after at most twice that.
    most_bytes
        How many bytes of a request may be something else than its body, which may have as many again for its framing.
    """
    if _MARK in vars(protocol):
        return
    setattr(protocol, _MARK, True)
    _limit_time(protocol, seconds)
    if hasattr(protocol, "on_body"):
        # The other parser, h11, has a limit of its own.
        _limit_bytes(protocol, most_bytes)


def _limit_time(protocol: type[Any], seconds: float) -> None:
    made = protocol.connection_made

    @wraps(made)
    def connection_made(self: Any, transport: asyncio.Transport) -> None:
        made(self, transport)
        self.loop.call_later(seconds, _look, self, None, seconds)

    protocol.connection_made = connection_made


def _look(connection: Any, seen: object, seconds: float) -> None:
    """Close a connection that has answered since the last look what it had answered then, and is asked nothing."""
    transport = connection.transport
    if transport.is_closing() or transport.get_protocol() is not connection:
        # It ended, or became a WebSocket, which is watched by its pings.
        return
    cycle = connection.cycle
    is_answering = cycle is not None and not cycle.response_complete
    if not is_answering and cycle is seen:
        transport.abort()
        return
    connection.loop.call_later(seconds, _look, connection, connection if is_answering else cycle, seconds)


def _limit_bytes(protocol: type[Any], most: int) -> None:
    received, on_body, complete = protocol.data_received, protocol.on_body, protocol.on_message_complete

    @wraps(received)
    def data_received(self: Any, data: bytes) -> None:
        self.bytes_beside_body = getattr(self, "bytes_beside_body", 0) + len(data)
        received(self, data)
        if self.bytes_beside_body > most and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_ANSWER)
                self.transport.close()
            else:
                self.transport.abort()

    @wraps(on_body)
    def body_came(self: Any, body: bytes) -> None:
        self.bytes_beside_body -= 2 * len(body)
        on_body(self, body)

    @wraps(complete)
    def message_complete(self: Any) -> None:
        self.bytes_beside_body = 0
        complete(self)

    protocol.data_received = data_received
    protocol.on_body = body_came
    protocol.on_message_complete = message_complete
