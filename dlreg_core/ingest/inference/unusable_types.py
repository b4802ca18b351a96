"""What is said of a column whose values can't be used."""

from __future__ import annotations

from dlreg_core.errors import TableError


def unusable_type(name: str, kind: object) -> TableError:
    """Return what is said of a column whose values can't be used, whatever they are."""
    return TableError(
        f'Column "{name}" holds values of the type {kind}, which can\'t be used.',
        "Leave the column out, or write it as numbers, text or dates.",
    )
