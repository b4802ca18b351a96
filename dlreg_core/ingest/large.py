"""Which files are read piece by piece from disk, and how they are unpacked there."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from dlreg_core.ingest.signatures import is_feather, is_json, is_parquet, is_workbook, packed_kind
from dlreg_core.ingest.unpacking import unpack_file

LARGE = 64 * 1024**2
"""Files of more bytes than this are read piece by piece."""

_HEAD = 65_536
_WORKBOOK = ("xl/", "word/", "ppt/", "content.xml")


def reads_in_pieces(path: Path, large: int = LARGE) -> bool:
    """Tell whether a file is so large, and of such a kind, that it is read piece by piece."""
    if not path.is_file() or path.stat().st_size <= large:
        return False
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if is_parquet(head):
        return True
    if is_feather(head) or is_json(head) or is_workbook(head):
        return False
    if packed_kind(head) == "ZIP":
        return not _is_document(path)
    return True


def _is_document(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.startswith(_WORKBOOK) for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def unpacked_file(path: Path, workplace: Path) -> Path:
    """Return the file itself, or what it holds, unpacked into a folder; ``TableError`` as `unpacked` raises it."""
    with path.open("rb") as file:
        kind = packed_kind(file.read(_HEAD))
    if kind is None:
        return path
    target = workplace / "unpacked"
    unpack_file(path, kind, target)
    return target


def pack(path: Path, target: Path) -> None:
    """Keep a file packed; it is there whole or not at all."""
    part = target.with_name(f".{target.name}.part")
    try:
        with path.open("rb") as source, pa.output_stream(part, compression="zstd") as packed:
            while piece := source.read(_PIECE):
                packed.write(piece)
        part.rename(target)
    finally:
        part.unlink(missing_ok=True)


_PIECE = 4 * 1024**2


@contextmanager
def unpacked_again(packed: Path, workplace: Path) -> Iterator[Path]:
    """Unpack what `pack` has kept into a folder, for as long as it is needed."""
    target = workplace / "source"
    try:
        with pa.input_stream(packed, compression="zstd") as source, target.open("wb") as file:
            while piece := source.read(_PIECE):
                file.write(piece)
        yield target
    finally:
        target.unlink(missing_ok=True)
