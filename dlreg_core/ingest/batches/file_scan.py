"""What has to be known of all bytes of a file before it is read: found while they pass by."""

from __future__ import annotations

import codecs
import hashlib
import re
from collections.abc import Callable
from pathlib import Path

from dlreg_core.specs import Spec

PIECE = 4 * 1024**2
_HIGH = re.compile(rb"[\x80-\xff]")


class Scan(Spec):
    """What all bytes of a file tell.

    ``digest`` is their SHA-256; ``first_high`` and ``first_nul`` are the places of the first byte that isn't ASCII and
    of the first NUL, None where there is none.
    """

    size: int
    digest: str
    utf8: bool
    quotes: int
    first_high: int | None = None
    first_nul: int | None = None


class Scanner:
    """Looks at the bytes of a file in the order in which they come."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._decoder = codecs.getincrementaldecoder("utf-8")()
        self._within = False
        self._size = self._quotes = 0
        self._utf8 = True
        self._high: int | None = None
        self._nul: int | None = None

    def update(self, piece: bytes) -> None:
        """Take the next bytes."""
        self._hash.update(piece)
        self._quotes += piece.count(b'"')
        if self._nul is None and (found := piece.find(b"\0")) >= 0:
            self._nul = self._size + found
        # Plain ASCII needs no decoding, unless the piece before has ended within a character.
        if self._within or not piece.isascii():
            self._decode(piece)
        self._size += len(piece)

    def _decode(self, piece: bytes) -> None:
        if self._high is None and (found := _HIGH.search(piece)):
            self._high = self._size + found.start()
        if self._utf8:
            try:
                self._decoder.decode(piece)
                self._within = bool(self._decoder.getstate()[0])
            except UnicodeDecodeError:
                self._utf8 = self._within = False

    def result(self) -> Scan:
        """Return what the bytes so far tell, taken as the whole file."""
        return Scan(
            size=self._size,
            digest=self._hash.hexdigest(),
            utf8=self._utf8 and not self._within,
            quotes=self._quotes,
            first_high=self._high,
            first_nul=self._nul,
        )


def scan_file(path: Path, progress: Callable[[int], None] | None = None) -> Scan:
    """Look at all bytes of a file; `progress` is told how many have been seen."""
    scanner, seen = Scanner(), 0
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            scanner.update(piece)
            seen += len(piece)
            if progress is not None:
                progress(seen)
    return scanner.result()
