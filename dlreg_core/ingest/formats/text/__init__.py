"""Text tables: their encoding, their dialect, their header and their rows."""

from __future__ import annotations

from dlreg_core.ingest.formats.text.known_dialect import reading_like

__all__ = [
    "reading_like",
]
