"""The door of the server, as its settings want it."""

from __future__ import annotations

from pathlib import Path

from starlette.middleware import Middleware
from uvicorn.protocols.http.auto import AutoHTTPProtocol

from dlreg_core.api.allowed_hosts import KnownHosts, said_at_start
from dlreg_core.api.connection_limits import limit_connections
from dlreg_core.api.request_guard import Guard
from dlreg_core.api.security_headers import policy_for
from dlreg_core.settings import load_settings


def guards(page: Path) -> tuple[Middleware, ...]:
    """Return what stands in front of everything that the server answers, and limit its connections.

    Parameters
    ----------
    page
        The HTML of the app's page.
    """
    limit_connections(AutoHTTPProtocol)
    return (Middleware(Guard, hosts=_hosts(), policy=policy_for(page.read_text("utf-8"))),)


def start_line(address: str | None, port: int, base: str) -> str:
    """Return what the terminal says of a server that has started: where it is, and which names it answers to."""
    return said_at_start(address or "0.0.0.0", port, base, _hosts())


def _hosts() -> KnownHosts:
    return KnownHosts(load_settings().allowed_hosts)
