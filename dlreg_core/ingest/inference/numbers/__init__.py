"""Texts → numbers and their units."""

from __future__ import annotations

from dlreg_core.ingest.inference.numbers.text_numbers import encode

__all__ = [
    "encode",
]
