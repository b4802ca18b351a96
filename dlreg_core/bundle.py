"""The earlier name of ``dlreg_core.model_file``, for programs that load model files by it."""

from __future__ import annotations

from dlreg_core.model_file import load_bundle

__all__ = ["load_bundle"]
