"""A process, and all that it starts, whose connections to other machines are written down."""

from __future__ import annotations

import os
from pathlib import Path

_HOOK = """
import os
import sys

_FILE = os.open({file!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_HERE = ("127.", "::1", "localhost", "0.0.0.0", "::")


def _watch(event, arguments):
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) and address else ""
    elif event in ("socket.getaddrinfo", "socket.gethostbyname"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if isinstance(host, str) and host and not host.startswith(_HERE):
        os.write(_FILE, f"{{event}} {{host}}\\n".encode())


sys.addaudithook(_watch)
"""


class Watch:
    """Where connections are written down: those of sockets, and the names that are looked up."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "connections"
        self._place = folder / "watch"
        self._place.mkdir(parents=True)
        (self._place / "sitecustomize.py").write_text(_HOOK.format(file=str(self._file)))

    @property
    def environment(self) -> dict[str, str]:
        """The environment that a process has to be started with."""
        return {**os.environ, "PYTHONPATH": str(self._place)}

    def seen(self) -> list[str]:
        """Return what was asked of other machines; fails where the process wasn't watched."""
        return self._file.read_text().splitlines()
