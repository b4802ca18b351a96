"""The model file: one zip that predicts, tests itself and runs without this program."""

from __future__ import annotations

from dlreg_core.model_file.load import load_bundle
from dlreg_core.model_file.manifest import Manifest
from dlreg_core.model_file.write import write_bundle

__all__ = ["Manifest", "load_bundle", "write_bundle"]
