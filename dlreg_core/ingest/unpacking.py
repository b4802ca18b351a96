"""Packed files → what is in them, within limits: a file of a few bytes must not fill the memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, cast

import pyarrow as pa

from dlreg_core.errors import TableError
from dlreg_core.ingest.signatures import packed_kind

MOST_UNPACKED = 4 * 1024**3
_PIECE = 4 * 1024**2
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
        If it is damaged, holds several files, or is larger than 4 GB or a thousand times larger when it is unpacked.
    """
    kind = packed_kind(content)
    if kind is None:
        return content
    try:
        with _opened(content, kind) as file:
            return _read(file, len(content), kind)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError) as exc:
        raise TableError(f"The {kind} file is damaged.", "Pack it again, or choose the unpacked file.") from exc


def _opened(content: bytes, kind: str) -> IO[bytes]:
    source = io.BytesIO(content)
    if kind == "ZIP":
        return _only_member(source)
    if kind == "gzip":
        return cast(IO[bytes], gzip.open(source))
    if kind == "bzip2":
        return bz2.open(source)
    if kind == "xz":
        return lzma.open(source)
    stream: IO[bytes] = pa.input_stream(source, compression="zstd")
    return stream


def _only_member(source: io.BytesIO) -> IO[bytes]:
    archive = zipfile.ZipFile(source)
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


def _read(file: IO[bytes], packed: int, kind: str) -> bytes:
    pieces, size = [], 0
    while piece := file.read(_PIECE):
        pieces.append(piece)
        size += len(piece)
        if size > MOST_UNPACKED:
            raise TableError("The file is larger than 4 GB when it is unpacked.", "Choose fewer rows or columns.")
        if size > max(_UNSUSPICIOUS, _MOST_RATIO * packed):
            raise TableError(
                f"The {kind} file is more than {_MOST_RATIO:,} times larger when it is unpacked, which no table is.",
                "Choose the unpacked file, if it is one.",
            )
    return b"".join(pieces)
