"""The names that this server answers to, and what is said of the others."""

from __future__ import annotations

import re
import socket
from typing import NamedTuple

from dlreg_core.settings import AUTHORITY

LOOPBACK = ("localhost", "127.0.0.1", "::1")
"""Names that every machine has for itself; no page elsewhere can be reached by them."""

_ORIGIN = re.compile(r"(https?)://(.+)")
_USUAL_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}


class Authority(NamedTuple):
    """A name and, where it is said, a port, as a browser shows them in its address bar."""

    name: str
    port: int | None

    def __str__(self) -> str:
        """Return it as it is written."""
        name = f"[{self.name}]" if ":" in self.name else self.name
        return name if self.port is None else f"{name}:{self.port}"


def authority_of(text: str) -> Authority | None:
    """Read a Host header or a name that an administrator lists; None where it is no such thing."""
    found = AUTHORITY.fullmatch(text.strip().lower())
    if found is None:
        return None
    port = found["port"]
    return Authority(found["six"] or found["name"], int(port) if port else None)


def origin_of(text: str) -> tuple[str, Authority] | None:
    """Read an Origin header into its scheme and the rest; None for `null` and whatever else is no address."""
    found = _ORIGIN.fullmatch(text.strip().lower())
    authority = authority_of(found[2]) if found else None
    return (found[1], authority) if found and authority else None


class KnownHosts:
    """The names that requests may use for this server: those of every machine for itself, and those that are listed."""

    def __init__(self, listed: tuple[str, ...] = ()) -> None:
        self.listed = tuple(found for found in map(authority_of, listed) if found)

    def knows(self, asked: Authority, own_port: int | None, scheme: str) -> bool:
        """Tell whether a Host is one of this server's names, with a port at which it is reached.

        Parameters
        ----------
        asked
            What the request asked for.
        own_port
            The port that the request came in by.
        scheme
            http, https, ws or wss: which port is meant where none is said.
        """
        port = asked.port or _USUAL_PORTS.get(scheme)
        return (asked.name in LOOPBACK and port == own_port) or self.lists(asked, own_port)

    def lists(self, asked: Authority, own_port: int | None) -> bool:
        """Tell whether an administrator has listed this name.

        A name without a port stands for the usual ports and the one that the server listens on.
        """
        usual = (None, 80, 443, own_port)
        return any(
            asked.name == known.name and (asked.port == known.port if known.port else asked.port in usual)
            for known in self.listed
        )


def how_to_allow(name: str) -> str:
    """Return the sentence that tells whoever runs the server what to do so that it answers to a name."""
    return (
        f"If people are to open it by that name, start the server with DLREG_HOSTS={name} "
        "(several names are separated by commas)."
    )


def said_at_start(address: str, port: int, base: str, hosts: KnownHosts) -> str:
    """Return what the terminal says of a server that has started.

    Parameters
    ----------
    address
        What it listens on.
    port
        The port.
    base
        The path that it is served below.
    hosts
        The names it answers to.
    """
    path = f"/{base.strip('/')}" if base.strip("/") else ""
    local = address in LOOPBACK
    said = f"dlreg runs at http://{Authority(address if local else 'localhost', port)}{path}"
    if hosts.listed:
        said += f" and answers to {', '.join(map(str, hosts.listed))}"
    if local or hosts.listed:
        return f"{said}."
    example = Authority(socket.gethostname().lower(), port)
    return (
        f"{said}. It listens on {address}, but answers to no other name: start it with DLREG_HOSTS set to the names "
        f"that people open it by, such as DLREG_HOSTS={example} (several names are separated by commas)."
    )
