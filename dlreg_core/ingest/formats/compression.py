"""Packed files → what is in them, within limits: a file of a few bytes must not fill the memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, BinaryIO, cast

import pyarrow as pa

from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.limits.zip_members import opened_archive
from dlreg_core.ingest.formats.signatures import packed_kind

MOST_UNPACKED = 4 * 1024**3
_MOST_IN_MEMORY = 1024**3
"""What isn't text or Parquet is unpacked in memory, and takes several times as much when it is read."""
_PIECE = 4 * 1024**2
_PACKED = 65_536
_MOST_XZ = 256 * 1024**2
_MOST_RATIO = 1_000
_UNSUSPICIOUS = 64 * 1024**2
"""Up to this size, any ratio of packing is believed: it fits into any memory."""
_NO_TABLES = ("__MACOSX/", ".DS_Store")


def unpacked(content: bytes) -> bytes:
    """Return what a packed file holds; anything else is returned as it is.

    Parameters
    ----------
    content : bytes
        A file packed with gzip, Zstandard, bzip2 or xz, or a ZIP archive of a single file.

    Raises
    ------
    TableError
        If it is damaged, holds several files, or is larger than 1 GB or a thousand times larger when it is unpacked.
    """
    kind = packed_kind(content)
    if kind is None:
        return content
    with _said_plainly(kind), _opened(io.BytesIO(content), kind) as file:
        return b"".join(_pieces(file, len(content), kind, _MOST_IN_MEMORY))


def peek(source: BinaryIO, kind: str, most: int) -> tuple[bytes, bool]:
    """Return the beginning of what a packed file holds, and whether it holds more than so many bytes.

    Raises
    ------
    TableError
        If it is damaged, or isn't a single file.
    """
    start, size = b"", 0
    with _said_plainly(kind), _opened(source, kind) as file:
        while piece := file.read(_PIECE):
            start = start or piece
            size += len(piece)
            if size > most:
                break
    return start, size > most


def unpack_file(path: Path, kind: str, target: Path) -> None:
    """Unpack a file on disk into another one; ``TableError`` as `unpacked` raises it, but from 4 GB on.

    Parameters
    ----------
    path : Path
        The packed file.
    kind : str
        How it is packed, as `packed_kind` names it.
    target : Path
        The file to write.
    """
    with path.open("rb") as source, _said_plainly(kind), _opened(source, kind) as file, target.open("wb") as found:
        for piece in _pieces(file, path.stat().st_size, kind, MOST_UNPACKED):
            found.write(piece)


@contextmanager
def _said_plainly(kind: str) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError) as exc:
        if isinstance(exc, OSError) and exc.errno is not None:
            # A full disk says nothing about the file.
            raise
        raise TableError(f"The {kind} file is damaged.", "Pack it again, or choose the unpacked file.") from exc


def _opened(source: BinaryIO, kind: str) -> IO[bytes]:
    if kind == "ZIP":
        return _only_member(source)
    if kind == "gzip":
        return cast(IO[bytes], gzip.open(source))
    if kind == "bzip2":
        return bz2.open(source)
    if kind == "xz":
        return cast(IO[bytes], io.BufferedReader(_Xz(source)))
    stream: IO[bytes] = pa.input_stream(source, compression="zstd")
    return stream


class _Xz(io.RawIOBase):
    """Unpacks xz with little memory: the file itself says how much it takes, which may be gigabytes."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source
        self._packed = b""
        self._unpack = lzma.LZMADecompressor(memlimit=_MOST_XZ)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._unpack.eof:
                self._packed = (self._unpack.unused_data or self._source.read(_PACKED)).lstrip(b"\0")
                if not self._packed:
                    return 0
                self._unpack = lzma.LZMADecompressor(memlimit=_MOST_XZ)
            elif self._unpack.needs_input:
                self._packed = self._packed or self._source.read(_PACKED)
                if not self._packed:
                    raise EOFError
            piece = self._decompressed(len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)

    def _decompressed(self, most: int) -> bytes:
        packed, self._packed = self._packed, b""
        try:
            return self._unpack.decompress(packed, most)
        except lzma.LZMAError as exc:
            if "emory" not in str(exc):
                raise
            raise TableError(
                f"The xz file takes more than {_MOST_XZ // 1024**2} MB of memory to be unpacked.",
                "Pack it with a lower level, or choose the unpacked file.",
            ) from exc


def _only_member(source: BinaryIO) -> IO[bytes]:
    archive = opened_archive(source)
    names = [i.filename for i in archive.infolist() if not i.is_dir() and not _is_litter(i.filename)]
    if not names:
        raise TableError("The ZIP archive is empty.", "Choose an archive that holds a table.")
    if len(names) > 1:
        listed = ", ".join(PurePosixPath(name).name for name in names[:3]) + (" and others" if len(names) > 3 else "")
        raise TableError(f"The ZIP archive holds {len(names):,} files: {listed}.", "Unpack it, and choose one of them.")
    if archive.getinfo(names[0]).flag_bits & 1:
        raise TableError("The ZIP archive is protected by a password.", "Unpack it, and choose the file in it.")
    return archive.open(names[0])


def _is_litter(name: str) -> bool:
    return any(part in name for part in _NO_TABLES)


def _pieces(file: IO[bytes], packed: int, kind: str, most: int) -> Iterator[bytes]:
    size = 0
    while piece := file.read(_PIECE):
        size += len(piece)
        if size > most:
            raise TableError(
                f"The file is larger than {most // 1024**3} GB when it is unpacked.", "Choose fewer rows or columns."
            )
        if size > max(_UNSUSPICIOUS, _MOST_RATIO * packed):
            raise TableError(
                f"The {kind} file is more than {_MOST_RATIO:,} times larger when it is unpacked, which no table is.",
                "Choose the unpacked file, if it is one.",
            )
        yield piece
