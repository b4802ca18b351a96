"""Large files on their way from a browser to a data set.

::

    HOME/uploads/<ticket>/ticket.json   for whom, and how large it may be
    HOME/uploads/<ticket>/taken         somebody has begun to send a file with it
    HOME/uploads/<ticket>/file          the file itself, while it is needed
    HOME/uploads/<ticket>/scan.json     what its bytes tell, once all are there
    HOME/uploads/<ticket>/arrival.json  how far it has come

A ticket is a long random name, is good for one file, and belongs to whoever it was issued for.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Self

from pydantic import Field

from dlreg_core.errors import ConflictError, DlregError, InputError, NotFoundError
from dlreg_core.ingest.batches import Scan, Scanner
from dlreg_core.ingest.datasets.dataset_files import plain_name
from dlreg_core.ingest.datasets.upload_limits import check_size
from dlreg_core.runs import born, instant, living, read_spec, seconds_since, write_new, write_spec
from dlreg_core.specs import Instant, Spec, VersionedSpec, now

_ID = re.compile(r"[A-Za-z0-9_-]{32}")
_DISK_PER_BYTE = 2.0
"""Bytes of disk that a byte of a file takes while it is read: itself, its table, and itself packed."""

_SILENT = 30.0
"""Seconds after which a file that has arrived, and that no process reads, is given up."""


class UploadTicket(VersionedSpec):
    """Whoever holds it may send one file."""

    owner: str | None
    most_bytes: int
    created: datetime = Field(default_factory=now)


class Upload(Spec):
    """How far a file has come.

    ``done`` says what is being done, ``share`` which part of it is finished. At the end there is either a data set, or
    a message that says why there is none. The process that reads it writes that, or the server that waits for that
    process.
    """

    done: str = "Receiving the file"
    share: float = 0.0
    name: str = ""
    dataset_id: str = ""
    message: str = ""
    hint: str = ""
    pid: int | None = None
    process_born: str = ""
    process_created: float | None = None
    time: datetime = Field(default_factory=now)
    instant: Instant | None = None
    """When its first byte came, by the machine's own clock."""
    server_pid: int | None = None
    server_born: str = ""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will come."""
        return bool(self.dataset_id or self.message)


class Uploads:
    """The files that are on their way to one home folder.

    Parameters
    ----------
    home : Path
        The folder that `Settings.home` names.
    """

    def __init__(self, home: Path) -> None:
        self._root = home / "uploads"

    def issue(self, owner: str | None, most_bytes: int) -> str:
        """Return a new ticket for one file of up to so many bytes."""
        ticket = secrets.token_urlsafe(24)
        write_spec(self._root / ticket / "ticket.json", UploadTicket(owner=owner, most_bytes=most_bytes))
        return ticket

    def folder(self, ticket: str) -> Path:
        """Return the folder of a ticket; `NotFoundError` if there is none."""
        # What is asked for comes from addresses: it must not lead out of the folder.
        if not _ID.fullmatch(ticket) or not (self._root / ticket / "ticket.json").is_file():
            raise NotFoundError("This upload isn't known any more.", "Load the page again, and choose the file again.")
        return self._root / ticket

    def ticket(self, ticket: str) -> UploadTicket:
        """Return what a ticket is good for."""
        return read_spec(self.folder(ticket) / "ticket.json", UploadTicket)

    def receive(self, ticket: str, name: str, size: int | None) -> Receiver:
        """Begin to take a file.

        Parameters
        ----------
        ticket : str
            The ticket that its sender holds.
        name : str
            Name of the file.
        size : int, optional
            Its bytes, as the sender says.

        Raises
        ------
        NotFoundError, ConflictError, InputError
            If there is no such ticket, if it was used before, or if the file is too large.
        """
        folder = self.folder(ticket)
        limit = self.ticket(ticket).most_bytes
        if size is not None:
            check_size(size, limit)
            if size * _DISK_PER_BYTE > shutil.disk_usage(folder).free:
                raise InputError("The server's disk has no room for this file.", "Ask its administrator.")
        if not write_new(folder / "taken", now().isoformat()):
            raise ConflictError("This upload was used before.", "Choose the file again.")
        return Receiver(folder, plain_name(name), limit)

    def state(self, ticket: str) -> Upload:
        """Return how far a file has come; one whose process is gone has ended."""
        folder = self.folder(ticket)
        try:
            found = read_spec(folder / "arrival.json", Upload)
        except NotFoundError:
            return Upload()
        if found.has_ended or not _is_lost(found):
            return found
        return found.model_copy(
            update={
                "message": "Reading the file ended before it was done.",
                "hint": "The server may have run out of memory; try again, or ask its administrator.",
            }
        )

    def forget(self, ticket: str) -> None:
        """Remove what is left of a file that has ended."""
        with suppress(NotFoundError):
            folder = self.folder(ticket)
            # The file may still be packed: its process removes it.
            if not (folder / "file").exists():
                shutil.rmtree(folder, ignore_errors=True)


class Receiver:
    """Takes the bytes of one file as they come; ends with all of it on disk, or with nothing.

    Parameters
    ----------
    folder : Path
        The folder of its ticket.
    name : str
        Name of the file.
    most_bytes : int
        How large it may be.
    """

    def __init__(self, folder: Path, name: str, most_bytes: int) -> None:
        self.folder = folder
        self._most = most_bytes
        self._scanner = Scanner()
        self._size = 0
        self._file: BinaryIO = (folder / "file").open("wb")
        write_spec(folder / "arrival.json", Upload(name=name, instant=instant()))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._file.close()
        if kind is not None:
            shutil.rmtree(self.folder, ignore_errors=True)

    def write(self, piece: bytes) -> None:
        """Take the next bytes; `InputError` where the file is too large."""
        self._size += len(piece)
        check_size(self._size, self._most)
        self._file.write(piece)
        self._scanner.update(piece)

    def finish(self, size: int | None) -> Path:
        """Close the file, and return the folder; `InputError` where less has come than the sender said."""
        self._file.close()
        if size is not None and size != self._size:
            raise InputError("The file didn't arrive whole.", "Choose it again.")
        write_spec(self.folder / "scan.json", self._scanner.result())
        return self.folder


def scan_of(folder: Path) -> Scan:
    """Return what the bytes of a file that has arrived tell."""
    return read_spec(folder / "scan.json", Scan)


def note_waiting(folder: Path) -> None:
    """Note in a ticket's folder that its file waits for its turn, and that this process looks after it."""
    found = read_spec(folder / "arrival.json", Upload)
    waiting = {"done": "Waiting for other files", "server_pid": os.getpid(), "server_born": born(os.getpid())}
    write_spec(folder / "arrival.json", found.model_copy(update=waiting))


def note_end(folder: Path, error: DlregError) -> None:
    """Note why there is no data set of a file, unless its end is known already."""
    # Whoever waited for it may have given it up.
    with suppress(NotFoundError):
        found = read_spec(folder / "arrival.json", Upload)
        if not found.has_ended:
            ended = {"share": 1.0, "message": error.message, "hint": error.hint}
            write_spec(folder / "arrival.json", found.model_copy(update=ended))


def _is_lost(arrival: Upload) -> bool:
    if arrival.server_pid is not None and living(arrival.server_pid, arrival.server_born) is not None:
        # It notes the end of the process that reads.
        return False
    if arrival.pid is None:
        # It has just arrived.
        return seconds_since(arrival.instant, arrival.time) > _SILENT
    return living(arrival.pid, arrival.process_born, arrival.process_created) is None
