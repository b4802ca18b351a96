"""The HTTP API: the same core as the pages and the command line, for programs."""

from dlreg_core.api.routes import ROUTES

__all__ = ["ROUTES"]
