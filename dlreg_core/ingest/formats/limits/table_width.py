"""How wide a table may be."""

from __future__ import annotations

from dlreg_core.errors import TableError

MAX_COLUMNS = 5_000
_COUNTED = 20_000


def check_width(columns: int) -> None:
    """Raise ``TableError`` where a table has more columns than can be used."""
    if columns > MAX_COLUMNS:
        # Of a very long first line only the beginning is looked at.
        count = f"{columns:,}" if columns < _COUNTED else f"more than {_COUNTED:,}"
        raise TableError(
            f"The table has {count} columns; {MAX_COLUMNS:,} is the most that can be used.",
            "Remove columns, or exchange rows and columns if the table lies on its side.",
        )
