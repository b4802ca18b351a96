"""The members of a ZIP archive, as long as they really are: what their headers say of that can be wrong."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from dlreg_core.errors import TableError

_PIECE = 1024**2
_MOST_DIRECTORY = 16 * 1024**2
_END, _END_SIZE, _MOST_COMMENT = b"PK\x05\x06", 22, 65_536
_LOCAL_SIZE = 30


def opened_archive(source: BinaryIO) -> zipfile.ZipFile:
    """Open an archive; ``TableError`` where it has so many members that their list alone would fill the memory."""
    size = source.seek(0, io.SEEK_END)
    source.seek(max(0, size - _END_SIZE - _MOST_COMMENT))
    tail = source.read()
    at = tail.rfind(_END)
    if at >= 0 and len(tail) - at >= _END_SIZE and size > _MOST_DIRECTORY:
        (directory,) = struct.unpack_from("<I", tail, at + 12)
        if directory > _MOST_DIRECTORY:
            raise TableError("The archive holds too many files to be a table.", "Unpack it, and choose one of them.")
    source.seek(0)
    return zipfile.ZipFile(source)


def member_pieces(source: BinaryIO, info: zipfile.ZipInfo, most: int) -> Iterator[bytes]:
    """Yield what a member holds, piece by piece.

    Parameters
    ----------
    source : binary file object
        The archive.
    info : ZipInfo
        The member.
    most : int
        Bytes after which it is given up.

    Raises
    ------
    TableError
        If it holds more than it says, or more than `most`.
    BadZipFile
        If it is damaged.
    """
    source.seek(info.header_offset)
    head = source.read(_LOCAL_SIZE)
    if len(head) < _LOCAL_SIZE or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile("no member")
    name, extra = struct.unpack_from("<HH", head, 26)
    source.seek(name + extra, io.SEEK_CUR)
    left, seen = info.compress_size, 0
    inflate = zlib.decompressobj(-zlib.MAX_WBITS) if info.compress_type == zipfile.ZIP_DEFLATED else None
    while left > 0 and (packed := source.read(min(_PIECE, left))):
        left -= len(packed)
        while packed:
            try:
                piece = packed if inflate is None else inflate.decompress(packed, _PIECE)
            except zlib.error as exc:
                raise zipfile.BadZipFile(str(exc)) from exc
            packed = b"" if inflate is None else inflate.unconsumed_tail
            seen += len(piece)
            if seen > min(most, info.file_size):
                raise TableError(
                    "The workbook holds more than it says of itself." if seen > info.file_size else
                    f"A part of the workbook is larger than {most // 1024**3} GB.",
                    "Save it again as .xlsx, or as CSV.",
                )  # fmt: skip
            yield piece
