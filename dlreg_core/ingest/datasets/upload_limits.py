"""How large a table file may be that comes in: in one piece, and in pieces."""

from __future__ import annotations

from pathlib import Path

from dlreg_core.errors import InputError
from dlreg_core.settings import load_settings

_MEGABYTE = 1024**2


def bytes_in_pieces() -> int:
    """Return how many bytes a file may have that is written to disk as it comes."""
    return load_settings().max_large_upload_mb * _MEGABYTE


def check_source(source: bytes | str | Path) -> None:
    """Raise ``InputError`` where a file, or content that is held in memory, is larger than allowed."""
    in_one_piece = load_settings().max_upload_mb * _MEGABYTE
    if isinstance(source, bytes):
        check_size(len(source), in_one_piece)
    elif Path(source).is_file():
        # What came in one piece is on the disk as well by the time it is read.
        check_size(Path(source).stat().st_size, max(in_one_piece, bytes_in_pieces()))


def check_size(size: int, most_bytes: int) -> None:
    """Raise ``InputError`` where a file is larger than allowed."""
    if size > most_bytes:
        raise InputError(
            f"The file is larger than {most_bytes / _MEGABYTE:,.0f} MB, the most that is allowed here.",
            "Choose fewer rows or columns, or ask the server's administrator.",
        )
