"""The cells of an old workbook (.xls): records in a stream of a compound file.

Sources: [MS-CFB], Compound File Binary File Format; [MS-XLS], Excel Binary File Format.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

_END = 0xFFFFFFFA
"""Numbers of sectors from here on mean something else."""

_STREAMS = ("Workbook", "Book")
_ENTRY = 128
_CELLS = frozenset({0x0003, 0x0006, 0x00D6, 0x00FD, 0x0203, 0x0204, 0x0205, 0x0206, 0x027E, 0x0406})
_SEVERAL, _DIMENSIONS = 0x00BD, 0x0200
_LEAST_SMALL = 4096


def cell_places(content: bytes) -> Iterator[tuple[int, int]]:
    """Yield row and column, counted from 0, of the filled cells of all sheets; none where the file is damaged.

    Of each sheet the last cell that it says to have is among them.
    """
    try:
        stream = _workbook_stream(content)
    except (struct.error, IndexError, OverflowError):
        return
    at, size = 0, len(stream)
    while at + 4 <= size:
        kind, length = struct.unpack_from("<HH", stream, at)
        at += 4
        if kind in _CELLS and length >= 4:
            if at + 4 > size:
                return
            yield struct.unpack_from("<HH", stream, at)
        elif kind == _DIMENSIONS and length >= 12:
            # Room is made for what a sheet says of itself, too.
            if at + 12 > size:
                return
            rows, columns = struct.unpack_from("<4xI2xH", stream, at)
            yield rows - 1, columns - 1
        elif kind == _SEVERAL and length >= 6:
            if at + length > size:
                return
            yield (struct.unpack_from("<H", stream, at)[0], struct.unpack_from("<H", stream, at + length - 2)[0])
        at += length


def _workbook_stream(content: bytes) -> bytes:
    """Return the stream that holds the sheets; empty where there is none."""
    sector = 1 << min(struct.unpack_from("<H", content, 30)[0], 16)
    table = _allocation(content, sector)
    directory = _chain(content, struct.unpack_from("<I", content, 48)[0], table, sector)
    root_start = struct.unpack_from("<I", directory, 116)[0]
    for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        (length,) = struct.unpack_from("<H", directory, at + 64)
        name = directory[at : at + max(0, min(length, 64) - 2)].decode("utf-16-le", "replace")
        if name not in _STREAMS:
            continue
        start, size = struct.unpack_from("<II", directory, at + 116)
        if size >= _LEAST_SMALL:
            return _chain(content, start, table, sector)[:size]
        small = _chain(content, struct.unpack_from("<I", content, 60)[0], table, sector)
        numbers = struct.unpack(f"<{len(small) // 4}I", small[: len(small) // 4 * 4])
        holder = _chain(content, root_start, table, sector)
        return _followed(holder, start, numbers, 64, 0)[:size]
    return b""


def _allocation(content: bytes, sector: int) -> tuple[int, ...]:
    """Return, by sector, the number of the one that follows it."""
    places = list(struct.unpack_from("<109I", content, 76))
    following, seen = struct.unpack_from("<I", content, 68)[0], 0
    while following < _END and seen * sector < len(content):
        found = struct.unpack_from(f"<{sector // 4}I", content, (following + 1) * sector)
        places += found[:-1]
        following, seen = found[-1], seen + 1
    parts = [content[(place + 1) * sector : (place + 2) * sector] for place in places if place < _END]
    whole = b"".join(parts)
    return struct.unpack(f"<{len(whole) // 4}I", whole[: len(whole) // 4 * 4])


def _chain(content: bytes, start: int, table: tuple[int, ...], sector: int) -> bytes:
    return _followed(content, start, table, sector, 1)


def _followed(content: bytes, start: int, table: tuple[int, ...], sector: int, before: int) -> bytes:
    parts: list[bytes] = []
    at = start
    # A chain that bites its own tail has more links than there are.
    while at < min(_END, len(table)) and len(parts) <= len(table):
        parts.append(content[(at + before) * sector : (at + before + 1) * sector])
        at = table[at]
    return b"".join(parts)
