"""Which files are read piece by piece from disk, and how they are unpacked there."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from dlreg_core.arrow import parquet
from dlreg_core.errors import TableError
from dlreg_core.ingest.formats.compression import peek, unpack_file
from dlreg_core.ingest.formats.limits import decodes_to
from dlreg_core.ingest.formats.limits.parquet_pages import check_footer
from dlreg_core.ingest.formats.limits.zip_members import opened_archive
from dlreg_core.ingest.formats.raw_table import Source
from dlreg_core.ingest.formats.signatures import is_feather, is_json, is_parquet, is_workbook, packed_kind

LARGE = 64 * 1024**2
"""Files of more bytes than this are read piece by piece."""

_HEAD = 65_536
_FOOTER = 8
_LEAST_PARQUET = 12
_PIECE = 4 * 1024**2
_WORKBOOK = ("xl/", "word/", "ppt/", "content.xml")


def reads_in_pieces(source: Source, large: int = LARGE) -> bool:
    """Tell whether a file is so large, unpacked if it is packed, and of such a kind, that it is read piece by piece.

    Parameters
    ----------
    source : Path, str, bytes or binary file object
        A path, or the content of a file; of any other object the content isn't known yet.
    large : int
        Bytes that are still read whole.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return _is_large(io.BytesIO(source), len(source), large)
    if not isinstance(source, str | Path) or not Path(source).is_file():
        return False
    with Path(source).open("rb") as file:
        return _is_large(file, Path(source).stat().st_size, large)


def _is_large(file: BinaryIO, size: int, large: int) -> bool:
    head = file.read(_HEAD)
    kind = packed_kind(head)
    if kind is None or (kind == "ZIP" and _is_document(file)):
        return _comes_in_pieces(head) and (size > large or _decodes_beyond(file, size, head, large))
    file.seek(0)
    try:
        start, beyond = peek(file, kind, large)
    except TableError:
        # What is wrong with it is said where it is unpacked.
        return False
    return beyond and _comes_in_pieces(start[:_HEAD])


def _decodes_beyond(file: BinaryIO, size: int, head: bytes, large: int) -> bool:
    """Tell whether a Parquet file stands for more values than are held in memory."""
    if not is_parquet(head) or size < _LEAST_PARQUET:
        return False
    file.seek(size - _FOOTER)
    check_footer(file.read(_FOOTER))
    file.seek(0)
    try:
        with parquet.ParquetFile(pa.PythonFile(file, "r")) as found:
            return decodes_to(found) > large
    except (pa.ArrowException, OSError, UnicodeDecodeError):
        # What is wrong with it is said where it is read.
        return False


def _comes_in_pieces(head: bytes) -> bool:
    return is_parquet(head) or not (is_feather(head) or is_json(head) or is_workbook(head))


def _is_document(file: BinaryIO) -> bool:
    try:
        with opened_archive(file) as archive:
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
