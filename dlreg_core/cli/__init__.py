"""The command line: the same core as the app, for scripts and for people who like a terminal."""

from __future__ import annotations

from dlreg_core.cli.application import main

__all__ = ["main"]
