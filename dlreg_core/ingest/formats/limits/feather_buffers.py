"""Feather and Arrow files: how many bytes their buffers unpack to is written before each of them.

Source: the Arrow columnar format's description of messages and files, whose tables are flat buffers.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.limits.cell_limits import check_cells, check_decoded

_MAGIC = b"ARROW1"
_END = len(_MAGIC) + 4
_CONTINUED = 0xFFFFFFFF
_DICTIONARY_BATCH, _RECORD_BATCH = 2, 3
_PLAIN = -1
"""What stands before a buffer that isn't packed."""


def check_feather(content: bytes) -> None:
    """Refuse an Arrow file that is too large when its buffers are unpacked, before they are.

    Raises
    ------
    TableError
        If it is, or if its batches can't be found.
    """
    try:
        rows, columns, size = _measured(content)
    except (struct.error, IndexError, ValueError, OverflowError) as exc:
        raise TableError("The Feather file is damaged or of an unknown kind.", "Write it again.") from exc
    check_cells(rows, columns, "Feather")
    check_decoded(size, "Feather")


def _measured(content: bytes) -> tuple[int, int, int]:
    """Return rows, the most columns of a batch, and the bytes of all buffers when they are unpacked."""
    if content[-len(_MAGIC) :] != _MAGIC:
        raise ValueError("no end")
    (length,) = struct.unpack_from("<i", content, len(content) - _END)
    start = len(content) - _END - length
    if length <= 0 or start < 0:
        raise ValueError("no footer")
    footer = _Table.root(content, start)
    rows = columns = size = 0
    for offset, described, _ in [*footer.structs(2, "<qixxxxq"), *footer.structs(3, "<qixxxxq")]:
        if not 0 <= offset < len(content):
            raise ValueError("a batch outside of the file")
        (first,) = struct.unpack_from("<I", content, offset)
        message = _Table.root(content, offset + (8 if first == _CONTINUED else 4))
        kind, batch = message.number(1, "<B"), message.table(2)
        if kind == _DICTIONARY_BATCH and batch is not None:
            batch = batch.table(1)
        if batch is None or kind not in (_DICTIONARY_BATCH, _RECORD_BATCH):
            raise ValueError("no batch")
        nodes = list(batch.structs(1, "<qq"))
        if kind == _RECORD_BATCH:
            rows += max([batch.number(0, "<q"), *(count for count, _ in nodes)])
            columns = max(columns, len(nodes))
        size += _unpacked(content, offset + described, batch)
    return rows, columns, size


def _unpacked(content: bytes, body: int, batch: _Table) -> int:
    packed, size = batch.table(3) is not None, 0
    for place, length in batch.structs(2, "<qq"):
        if not packed or length < 8:
            size += max(0, length)
            continue
        (told,) = struct.unpack_from("<q", content, body + place)
        size += length - 8 if told == _PLAIN else told
        if told < _PLAIN:
            raise ValueError("a buffer of a negative length")
    return size


class _Table:
    """A table of a flat buffer: its fields stand where its list of offsets says."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self._at = content, at
        (back,) = struct.unpack_from("<i", content, at)
        self._fields = at - back
        (self._size,) = struct.unpack_from("<H", content, self._fields)

    @classmethod
    def root(cls, content: bytes, at: int) -> _Table:
        (offset,) = struct.unpack_from("<I", content, at)
        return cls(content, at + offset)

    def _place(self, field: int) -> int | None:
        if 4 + 2 * field + 2 > self._size:
            return None
        (offset,) = struct.unpack_from("<H", self._content, self._fields + 4 + 2 * field)
        return self._at + offset if offset else None

    def number(self, field: int, form: str) -> int:
        place = self._place(field)
        return int(struct.unpack_from(form, self._content, place)[0]) if place is not None else 0

    def table(self, field: int) -> _Table | None:
        place = self._place(field)
        if place is None:
            return None
        (offset,) = struct.unpack_from("<I", self._content, place)
        return _Table(self._content, place + offset)

    def structs(self, field: int, form: str) -> Iterator[tuple[int, ...]]:
        place = self._place(field)
        if place is None:
            return
        (offset,) = struct.unpack_from("<I", self._content, place)
        at, each = place + offset, struct.calcsize(form)
        (count,) = struct.unpack_from("<I", self._content, at)
        if at + 4 + count * each > len(self._content):
            raise ValueError("a list that leaves the file")
        for number in range(count):
            yield struct.unpack_from(form, self._content, at + 4 + number * each)
