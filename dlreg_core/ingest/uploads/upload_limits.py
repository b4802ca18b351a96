"""How large a file may be that comes in: the numbers are `Settings.max_upload_mb` and `max_large_upload_mb`."""

from __future__ import annotations

from dlreg_core.errors import InputError


def check_size(size: int, most_bytes: int) -> None:
    """Raise ``InputError`` where a file is larger than allowed."""
    if size > most_bytes:
        raise InputError(
            f"The file is larger than {most_bytes / 1024**2:,.0f} MB, the most that is allowed here.",
            "Choose fewer rows or columns, or ask the server's administrator.",
        )
